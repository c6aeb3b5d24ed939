"""HDF5 tables: one 1-dimensional compound dataset, or one group of 1-dimensional datasets of equal length.

unit, ucd, utype and description are attributes of a dataset (of a compound dataset none are read). Nothing outside the
file is ever opened: links to other files, virtual datasets and datasets whose bytes are kept elsewhere are refused, and
so is one that claims far more rows than the file has bytes for.
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
from almagest.formats.block import DTYPES, ROWS, Block, Text, Values, fixed, text
from almagest.ingest.errors import IngestError

COMPRESSION = 1100
"""Bytes that a byte of the file may become: deflate reaches 1032, and no other filter is meant to do better."""

CHUNK_BYTES = 256 << 20
"""The largest chunk that is decompressed in memory."""

_TYPES: dict[str, Datatype] = {
    "bool": "boolean",
    "int8": "short",
    "uint8": "short",
    "int16": "short",
    "uint16": "int",
    "int32": "int",
    "uint32": "long",
    "int64": "long",
    "uint64": "long",
    "float16": "float",
    "float32": "float",
    "float64": "double",
}


@dataclass(frozen=True)
class _Place:
    """Where a column is. field: of the compound dataset `dataset`; None: it is the whole of it."""

    dataset: str
    field: str | None


class Hdf5Source:
    """An HDF5 file. declared: wider types that its description asks for, by column."""

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        with _opened(path, name) as file:
            table = _table(file, name)
            datasets = table if isinstance(table, list) else [table]
            for dataset in datasets:
                _require_contained(dataset, path, name)
            self.rows: int | None = len(datasets[0])
            if isinstance(table, list):
                self._places = [_Place(dataset.name, None) for dataset in table]
                read = [(dataset.name.rpartition("/")[2], dataset.dtype, dataset.attrs) for dataset in table]
            else:
                self._places = [_Place(table.name, field) for field in table.dtype.names]
                read = [(field, table.dtype[field], {}) for field in table.dtype.names]
            self.columns = tuple(
                _column(column, dtype, attributes, declared.get(column), name) for column, dtype, attributes in read
            )

    def blocks(self) -> Iterator[Block]:
        """All rows, ROWS at a time."""
        with _opened(self.path, self.name) as file:
            for start in range(0, self.rows or 0, ROWS):
                pairs = zip(self._read(file, start), self.columns, strict=True)
                yield Block(start + 1, tuple(_values(raw, column, self.name, start + 1) for raw, column in pairs))

    def _read(self, file: h5py.File, start: int) -> list[NDArray[Any]]:
        """The raw values of each column, from row `start` on."""
        rows = slice(start, start + ROWS)
        try:
            read = {dataset: file[dataset][rows] for dataset in {place.dataset for place in self._places}}
        except (OSError, ValueError, MemoryError) as error:
            raise IngestError(f"cannot be read on: {error}", file=self.name, row=start + 1) from error
        return [
            read[place.dataset] if place.field is None else read[place.dataset][place.field] for place in self._places
        ]


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
            elif dataset.ndim == 1:
                plain.append(dataset)
        lengths = {len(dataset) for dataset in plain}
        if len(lengths) == 1:
            found[group.name] = plain
    if len(found) != 1:
        said = f"has {len(found)} tables ({', '.join(sorted(found))})" if found else "has no table"
        raise IngestError(
            f"{said}; it must have one compound dataset, or one group of columns of equal length", file=name
        )
    return next(iter(found.values()))


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
    claimed, held = len(dataset) * dataset.dtype.itemsize, path.stat().st_size
    if claimed > held * COMPRESSION:
        message = f"the dataset {dataset.name} claims {claimed:,} bytes, which cannot be in a file of {held:,}"
        raise IngestError(message, file=name)
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > CHUNK_BYTES:
        raise IngestError(f"the dataset {dataset.name} has chunks above {CHUNK_BYTES >> 20} MB", file=name)


def _column(name: str, dtype: Any, attributes: Any, declared: Datatype | None, file: str) -> Column:
    texts = dtype.kind == "S" or h5py.check_string_dtype(dtype) is not None
    datatype: Datatype | None = "char" if texts else _TYPES.get(dtype.newbyteorder("=").name)
    if datatype is None:
        raise IngestError(f"has the HDF5 type {dtype}, which no column can hold", file=file, column=name)
    if declared and declared != datatype and not texts:
        if not np.can_cast(DTYPES[datatype], DTYPES.get(declared, np.dtype("?")), casting="safe"):
            message = f"is {datatype} in the file and cannot be loaded as {declared}"
            raise IngestError(message, file=file, column=name)
        datatype = declared
    return Column(
        name,
        datatype,
        "*" if texts else None,
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


def _values(raw: NDArray[Any], column: Column, file: str, first: int) -> Values:
    if column.arraysize is None:
        _require_fit(raw, column, file, first)
        return fixed(raw.astype(DTYPES[column.datatype]))
    if raw.dtype.kind == "S":
        return _checked(text(raw), column, file, first)
    encoded = [value if isinstance(value, bytes) else str(value).encode() for value in raw]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return _checked(Text(offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8), lengths == 0), column, file, first)


def _require_fit(raw: NDArray[Any], column: Column, file: str, first: int) -> None:
    """uint64 is the one type that is wider than its column."""
    if raw.dtype.kind == "u" and raw.dtype.itemsize == 8 and len(raw) and raw.max() > np.iinfo("i8").max:
        row = int(np.argmax(raw > np.iinfo("i8").max))
        raise IngestError(f"{raw[row]} is not a {column.datatype}", file=file, row=first + row, column=column.name)


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
