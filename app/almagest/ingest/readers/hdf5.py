"""HDF5 tables: one 1-dimensional compound dataset, or one group of datasets of equal length.

unit, ucd, utype and description are attributes of a dataset, or stand beside a compound one as astropy writes them.
Nothing outside the file is ever opened: links to other files, virtual datasets and datasets whose bytes are kept
elsewhere are refused, and so is one that claims far more rows than the file has bytes for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats import complexes
from almagest.formats.block import DTYPES, HOLDERS, ROWS, Array, Block, Fixed, Mask, Text, Values, fixed, text
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import astropy_meta
from almagest.ingest.readers.declared import convert, declare

COMPRESSION = 1100
"""Bytes that a byte of the file may become: deflate reaches 1032, and no other filter is meant to do better."""

CHUNK_BYTES = 256 << 20
"""The largest chunk that is decompressed in memory."""

_TYPES: dict[str, Datatype] = {**HOLDERS, "complex64": "float", "complex128": "double"}

BLOCK_BYTES = 64 << 20
"""About the most that is read at once."""

_LONG = np.iinfo("i8")


@dataclass(frozen=True)
class _Place:
    """Where a column is. field: of the compound dataset `dataset`; None: it is the whole of it. mask: the field that
    says where it has no value."""

    dataset: str
    field: str | None
    mask: str | None = None


class Hdf5Source:
    """An HDF5 file. declared: datatypes that its description asks for, by column."""

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        with _opened(path, name) as file:
            table = _table(file, name)
            datasets = table if isinstance(table, list) else [table]
            for dataset in datasets:
                _require_contained(dataset, path, name)
            self.rows: int | None = len(datasets[0])
            found = _of_group(table, name) if isinstance(table, list) else _of_compound(table, name)
            self._places = [place for place, _ in found]
            self._types = [column for _, column in found]
            self.columns = tuple(declare(column, declared.get(column.name), name) for column in self._types)
            row = sum(math.prod(dataset.shape[1:]) * dataset.dtype.itemsize for dataset in datasets)
            self._at_once = max(1, min(ROWS, BLOCK_BYTES // max(1, row)))

    def blocks(self) -> Iterator[Block]:
        """All rows, ROWS or about BLOCK_BYTES at a time."""
        with _opened(self.path, self.name) as file:
            for start in range(0, self.rows or 0, self._at_once):
                triples = zip(self._read(file, start), self._types, self.columns, strict=True)
                yield Block(
                    start + 1,
                    tuple(
                        convert(_values(raw, null, stored, self.name, start + 1), column, self.name, start + 1)
                        for (raw, null), stored, column in triples
                    ),
                )

    def _read(self, file: h5py.File, start: int) -> list[tuple[NDArray[Any], Mask]]:
        """The raw values of each column from row `start` on, and which of them are none."""
        rows = slice(start, start + self._at_once)
        try:
            read = {dataset: file[dataset][rows] for dataset in {place.dataset for place in self._places}}
        except (OSError, ValueError, MemoryError) as error:
            raise IngestError(f"cannot be read on: {error}", file=self.name, row=start + 1) from error
        found = []
        for place in self._places:
            whole = read[place.dataset]
            null = whole[place.mask] if place.mask is not None else np.zeros(len(whole), dtype=bool)
            found.append((whole if place.field is None else whole[place.field], null))
        return found


@contextmanager
def _opened(path: Path, name: str) -> Iterator[h5py.File]:
    try:
        file = h5py.File(path, "r")
    except (OSError, ValueError) as error:
        raise IngestError(f"is not a readable HDF5 file: {error}", file=name) from error
    with file:
        yield file


def _table(file: h5py.File, name: str) -> h5py.Dataset | list[h5py.Dataset]:
    """The file's one table: a compound dataset, or a group's datasets. Raises IngestError when there is not one."""
    found: dict[str, h5py.Dataset | list[h5py.Dataset]] = {}
    for group in _groups(file, name):
        plain = []
        for dataset in (member for member in _members(group, name) if isinstance(member, h5py.Dataset)):
            if dataset.dtype.names and dataset.ndim == 1:
                found[dataset.name] = dataset
            elif dataset.ndim and not astropy_meta.is_meta(dataset):
                plain.append(dataset)
        # An image alone is no table; beside columns of as many rows it is a column of arrays.
        lengths = {len(dataset) for dataset in plain}
        if len(lengths) == 1 and any(dataset.ndim == 1 for dataset in plain):
            found[group.name] = plain
    if len(found) != 1:
        said = f"has {len(found)} tables ({', '.join(sorted(found))})" if found else "has no table"
        raise IngestError(
            f"{said}; it must have one compound dataset, or one group of columns of equal length", file=name
        )
    return next(iter(found.values()))


def _of_group(datasets: list[h5py.Dataset], name: str) -> list[tuple[_Place, Column]]:
    """A column for each dataset."""
    return [
        (_Place(dataset.name, None), _column(key, dataset.dtype, dataset.shape[1:], dataset.attrs, name))
        for dataset in datasets
        for key in [dataset.name.rpartition("/")[2]]
    ]


def _of_compound(table: h5py.Dataset, name: str) -> list[tuple[_Place, Column]]:
    """A column for each field, but for those in which astropy writes where others have no value."""
    said = astropy_meta.columns(table, name)
    fields = table.dtype.names
    masks = {f"{field}.mask": field for field in fields if said and table.dtype.fields.get(f"{field}.mask")}
    return [
        (
            _Place(table.name, field, f"{field}.mask" if f"{field}.mask" in masks else None),
            _column(field, table.dtype[field], (), said.get(field, {}), name),
        )
        for field in fields
        if field not in masks
    ]


def _groups(file: h5py.File, name: str) -> Iterator[h5py.Group]:
    """Every group once, though hard links may make circles."""
    seen, waiting = set(), [file["/"]]
    while waiting:
        group = waiting.pop(0)
        if group.id in seen:
            continue
        seen.add(group.id)
        yield group
        waiting += [member for member in _members(group, name) if isinstance(member, h5py.Group)]


def _members(group: h5py.Group, name: str) -> Iterator[Any]:
    """What a group holds itself."""
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise IngestError(f"{group.name.rstrip('/')}/{key} is a link, which is not followed", file=name)
        try:
            yield group[key]
        except (OSError, KeyError, ValueError) as error:
            raise IngestError(f"is not a readable HDF5 file: {error}", file=name) from error


def _require_contained(dataset: h5py.Dataset, path: Path, name: str) -> None:
    """Raises IngestError when the dataset's bytes are elsewhere, or are more than the file can hold."""
    if dataset.external or dataset.is_virtual:
        raise IngestError(f"the dataset {dataset.name} keeps its values in other files", file=name)
    claimed, held = math.prod(dataset.shape) * dataset.dtype.itemsize, path.stat().st_size
    if claimed > held * COMPRESSION:
        message = f"the dataset {dataset.name} claims {claimed:,} bytes, which cannot be in a file of {held:,}"
        raise IngestError(message, file=name)
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > CHUNK_BYTES:
        raise IngestError(f"the dataset {dataset.name} has chunks above {CHUNK_BYTES >> 20} MB", file=name)


def _column(name: str, dtype: Any, shape: tuple[int, ...], attributes: Any, file: str) -> Column:
    """shape: of a value, beside the one that dtype has."""
    if dtype.subdtype:
        dtype, shape = dtype.base, (*shape, *dtype.shape)
    texts = dtype.kind == "S" or h5py.check_string_dtype(dtype) is not None
    datatype: Datatype | None = "char" if texts else _TYPES.get(dtype.newbyteorder("=").name)
    if datatype is None or (texts and shape):
        shown = f"{dtype} of the shape {shape}" if shape else str(dtype)
        raise IngestError(f"has the HDF5 type {shown}, which no column can hold", file=file, column=name)
    size = str(math.prod(shape)) if shape else None
    is_complex = dtype.kind == "c"
    return Column(
        name,
        datatype,
        "*" if texts else complexes.paired(size) if is_complex else size,
        complexes.XTYPE if is_complex else None,
        unit=_attribute(attributes, "unit", "units"),
        ucd=_attribute(attributes, "ucd"),
        utype=_attribute(attributes, "utype"),
        description=_attribute(attributes, "description") or "",
    )


def _attribute(attributes: Any, *names: str) -> str | None:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, bytes):
            return value.decode(errors="replace").strip() or None
        if isinstance(value, str):
            return value.strip() or None
    return None


def _values(raw: NDArray[Any], null: Mask, column: Column, file: str, first: int) -> Values:
    if column.datatype != "char":
        return _numbers(raw, null, column, file, first)
    if raw.dtype.kind == "S":
        return _checked(text(raw, (np.strings.str_len(raw) == 0) | null), column, file, first)
    encoded = [value if isinstance(value, bytes) else str(value).encode() for value in raw]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return _checked(Text(offsets, data, (lengths == 0) | null), column, file, first)


def _numbers(raw: NDArray[Any], null: Mask, column: Column, file: str, first: int) -> Values:
    """null: of the shape of raw, or of its rows."""
    rows = len(raw)
    flat = np.ascontiguousarray(raw).reshape(-1)
    if flat.dtype.kind == "c":
        flat = flat.view(flat.real.dtype)
    each = len(flat) // max(1, rows)
    missing = np.broadcast_to(null.reshape(rows, -1), (rows, each)).reshape(-1) if each else np.zeros(0, dtype=bool)
    _require_fit(flat, missing, column, file, first, each)
    elements = flat.astype(DTYPES[column.datatype])
    if column.arraysize is None:
        return fixed(elements, missing)
    offsets = np.arange(rows + 1, dtype=np.int64) * each
    return Array(offsets, Fixed(elements, missing), np.all(null.reshape(rows, -1), axis=1, keepdims=True)[:, 0])


def _require_fit(raw: NDArray[Any], null: Mask, column: Column, file: str, first: int, each: int) -> None:
    """uint64 is the one type that is wider than its column."""
    if raw.dtype.kind == "u" and raw.dtype.itemsize == 8:
        wrong = ~null & (raw > _LONG.max)
        if wrong.any():
            index = int(np.argmax(wrong))
            message = f"{raw[index]} is not a {column.datatype}"
            raise IngestError(message, file=file, row=first + index // each, column=column.name)


def _checked(values: Text, column: Column, file: str, first: int) -> Text:
    """The texts, unless one is not UTF-8 or has a NUL, which a database text cannot hold."""
    octets = values.data.tobytes()
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        row = first + values.row_of(error.start)
        raise IngestError("is not UTF-8", file=file, row=row, column=column.name) from error
    place = octets.find(b"\0")
    if place >= 0:
        raise IngestError(
            "has a NUL character, which a database text cannot hold",
            file=file, row=first + values.row_of(place), column=column.name,
        )  # fmt: skip
    return values
