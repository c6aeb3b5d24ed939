"""The grammar of types as other programs write it into FITS, Parquet and HDF5, and both ways in which a file is read.

What a format has no word for is changed in the table first, so that the rest must come back to the last bit.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from almagest.catalogue import Column
from almagest.formats.complexes import is_complex
from almagest.formats.decode import Bounds, decode
from almagest.formats.sql import fixed_size, is_text
from almagest.ingest.source import READERS
from support.types_grammar import BITS, TYPES, Table, Typed, rows, tables

BOUNDS = Bounds(bytes=50_000_000, rows=200_000, columns=1000, cell=1_000_000, row=4_000_000)

DTYPES = {"boolean": "?", "short": "i2", "int": "i4", "long": "i8", "float": "f4", "double": "f8"}
_LETTERS = {"boolean": "L", "short": "I", "int": "J", "long": "K", "float": "E", "double": "D"}
_COMPLEX = {"float": ("C", "c8"), "double": ("M", "c16")}
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - DALI's timestamps have no zone

Read = Callable[[bytes, str, Path], tuple[Sequence[Column], list[tuple[Any, ...]]]]


def uploaded(data: bytes, ending: str, _: Path) -> tuple[Sequence[Column], list[tuple[Any, ...]]]:
    """A file as an upload is read."""
    if ending == "h5":
        raise ValueError("uploads have no HDF5")
    decoded = decode(io.BytesIO(data), "", BOUNDS)
    return decoded.columns, rows(decoded.columns, decoded.blocks)


def ingested(data: bytes, ending: str, directory: Path) -> tuple[Sequence[Column], list[tuple[Any, ...]]]:
    """A file as ingest reads it."""
    path = directory / f"rows.{ending}"
    path.write_bytes(data)
    source = READERS[{"h5": "hdf5"}.get(ending, ending)](path, path.name, {})
    return source.columns, rows(source.columns, source.blocks())


WAYS: Mapping[str, Read] = {"upload": uploaded, "ingest": ingested}


def plain(kept: Callable[[Column], bool]) -> tuple[Table, ...]:
    """Tables of the grammar's types of which a format has the like; shapes are arrays of numbers."""
    return tuple(tables([typed for typed in TYPES if kept(typed.column) and not _is_shape(typed)]))


def changed(table: Table, *changes: Callable[[Column, Any], Any]) -> Table:
    """The table with other values."""

    def made(column: Column, value: Any) -> Any:
        for change in changes:
            value = change(column, value)
        return value

    return replace(table, rows=tuple(tuple(map(made, table.columns, row)) for row in table.rows))


def blank_is_null(_: Column, value: Any) -> Any:
    """Neither of the two has a word for the other."""
    return None if value in ("", []) else value


def ascii_without_end(column: Column, value: Any) -> Any:
    """Text that FITS can hold: printable, and with no blanks at the end."""
    if not isinstance(value, str):
        return value
    printed = re.sub(r"[\x00-\x1f\x7f]", " ", value).encode("ascii", "replace").decode()
    return printed.rstrip(" ") or None


def least_is_null(column: Column, value: Any) -> Any:
    """TNULL, or nothing, stands for null."""
    if column.datatype not in BITS:
        return value
    least = -(1 << BITS[column.datatype] - 1)
    if isinstance(value, list):
        return [None if element == least else element for element in value]
    return None if value == least else value


def missing_array_is_full_of_nulls(column: Column, value: Any) -> Any:
    """Every row has an array of this length."""
    size = fixed_size(column)
    return [None] * size if value is None and size and column.arraysize and not is_text(column) else value


def fits_file(table: Table) -> bytes:
    """A binary table as astropy writes it: arrays of any length go to the heap."""
    columns = [_fits_column(column, [row[number] for row in table.rows]) for number, column in enumerate(table.columns)]
    written = io.BytesIO()
    hdu = fits.BinTableHDU.from_columns(columns, nrows=len(table.rows))
    for number, column in enumerate(table.columns, 1):
        if column.xtype == "timestamp":
            hdu.header[f"TXTYP{number}"] = "timestamp"
        if column.datatype in BITS:
            # astropy leaves it out of headers of arrays.
            hdu.header[f"TNULL{number}"] = -(1 << BITS[column.datatype] - 1)
    hdu.writeto(written)
    return written.getvalue()


def _fits_column(column: Column, values: Sequence[Any]) -> fits.Column:
    if column.xtype == "timestamp":
        values = [None if value is None else value.isoformat() for value in values]
    if is_text(column):
        words = np.array([(value or "").encode() for value in values], dtype="S")
        return fits.Column(column.name, f"{max(1, words.dtype.itemsize)}A", array=words)
    letter, dtype = _COMPLEX[column.datatype] if is_complex(column) else (_LETTERS[column.datatype], None)
    size = fixed_size(column)
    arrays = [_numbers(column, value, size) for value in values]
    if dtype:
        arrays = [array.view(dtype) for array in arrays]
        size = size // 2 if size else None
    if size is None:
        made = np.empty(len(arrays), dtype=object)
        made[:] = arrays
        return fits.Column(column.name, f"Q{letter}()", array=made)
    even = np.array(arrays, dtype=dtype or _stored(column)).reshape(len(arrays), size)
    return fits.Column(column.name, f"{size}{letter}", array=even if size > 1 else even[:, 0])


def _stored(column: Column) -> str:
    # astropy makes F of what is no True; a null flag is neither.
    return "i1" if column.datatype == "boolean" else DTYPES[column.datatype]


def _numbers(column: Column, value: Any, size: int | None) -> np.ndarray[Any, Any]:
    """One value's numbers, with what stands for null."""
    listed = value if isinstance(value, list) else [None] * (size or 0) if value is None else [value]
    null = np.nan if column.datatype in ("float", "double") else -(1 << BITS.get(column.datatype, 1) - 1)
    null = 0 if column.datatype == "boolean" else null
    return np.array([null if element is None else element for element in listed], dtype=DTYPES[column.datatype])


def parquet_file(table: Table, **options: Any) -> bytes:
    """A file as pyarrow writes it, with the metadata that it does not have a type for."""
    fields = [pa.field(column.name, _arrow(column), metadata=_notes(column)) for column in table.columns]
    arrays = [
        pa.array([row[number] for row in table.rows], field.type, from_pandas=False)
        for number, field in enumerate(fields)
    ]
    written = io.BytesIO()
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), written, **options)
    return written.getvalue()


def _arrow(column: Column) -> pa.DataType:
    if column.xtype == "timestamp":
        return pa.timestamp("us")
    if is_text(column):
        return pa.string()
    element = pa.from_numpy_dtype(np.dtype(DTYPES[column.datatype]))
    if column.arraysize is None:
        return element
    size = fixed_size(column)
    return pa.list_(element, size) if size else pa.list_(element)


def _notes(column: Column) -> dict[str, str]:
    return {"xtype": "complex"} if is_complex(column) else {}


def hdf5_columns(table: Table) -> bytes:
    """A group with a dataset for each column, and the rows' numbers: arrays alone are an image."""
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        file["row"] = np.arange(len(table.rows))
        for number, column in enumerate(table.columns):
            values = [row[number] for row in table.rows]
            if is_text(column):
                file.create_dataset(column.name, (len(values),), h5py.string_dtype(), [value or "" for value in values])
            else:
                size = fixed_size(column) or 1
                arrays = [_numbers(column, value, size) for value in values]
                even = np.array(arrays, dtype=DTYPES[column.datatype]).reshape(len(values), size)
                if is_complex(column):
                    even = even.view(_COMPLEX[column.datatype][1])
                file[column.name] = even if even.shape[1] > 1 else even[:, 0]
    return written.getvalue()


def without_null(column: Column, value: Any) -> Any:
    """What has a number for every value, and no word for null among whole numbers and flags."""
    size = fixed_size(column) or 1
    if is_text(column) or column.datatype in ("float", "double"):
        return value if value is not None or column.arraysize is None or is_text(column) else [None] * size
    filling: Any = False if column.datatype == "boolean" else -(1 << BITS[column.datatype] - 1)
    if column.arraysize is None:
        return filling if value is None else value
    return [filling if element is None else element for element in value or [None] * size]


def microseconds(moment: datetime) -> int:
    """Since 2000, as blocks have them."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _is_shape(typed: Typed) -> bool:
    return typed.column.xtype in ("point", "circle", "polygon")
