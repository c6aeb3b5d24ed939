"""Arrow arrays of text, as CSV has every value, → typed values of a block.

Blanks around numbers, truth values and times mean nothing, and several words mean that there is no value; of text every
character counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from almagest.adql.catalogue import Column
from almagest.formats import complexes
from almagest.formats.block import DTYPES, EPOCH_MICROSECONDS, Array, Fixed, Values, fixed
from almagest.formats.decode import arrow
from almagest.formats.decode.errors import DecodingError
from almagest.formats.sql import fixed_size

NULLS = pa.array(["", "NaN", "nan", "NULL", "null", "\\N"])
"""Spellings of no value in columns that are not text."""


def values(array: pa.Array, column: Column, first: int) -> Values:
    """A column of a block. first: number of its first row. Raises DecodingError at a value that is not of its type."""
    if column.datatype in ("char", "unicodeChar") and column.xtype is None:
        return arrow.strings(array)
    if column.arraysize is not None and column.xtype != "timestamp":
        return _arrays(array, column, first)
    trimmed = plain(array)
    return _located(_timestamps if column.xtype == "timestamp" else _numbers, trimmed, column, first)


def plain(array: pa.Array) -> pa.Array:
    """Text without blanks around it, and with every spelling of no value as null."""
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.is_in(trimmed, NULLS), pa.scalar(None, pa.string()), trimmed)


def times(array: pa.Array) -> pa.Array:
    """ISO 8601 in UTC (DALI 1.1 §3.3.3) as Arrow's timestamps. Raises pa.ArrowInvalid."""
    return pc.replace_substring_regex(array, "Z$", "").cast(pa.timestamp("us"))


def whole(array: pa.Array) -> pa.Array:
    """Whole numbers of 64 bits. Raises pa.ArrowInvalid."""
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return pc.replace_substring_regex(array, r"^\+", "").cast(pa.int64())


def _located(read: Callable[[pa.Array, Column], Fixed], array: pa.Array, column: Column, first: int) -> Fixed:
    """What `read` makes of the values; its error names the first that is wrong, found by halving."""
    try:
        return read(array, column)
    except pa.ArrowInvalid as error:
        low, high = 0, len(array)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                read(array.slice(low, middle - low), column)
            except pa.ArrowInvalid:
                high = middle
            else:
                low = middle
        raise _wrong(array[low].as_py(), column, first + low) from error


def _wrong(value: str, column: Column, row: int) -> DecodingError:
    word = column.xtype or column.datatype
    shown = value if len(value) <= 40 else f"{value[:40]}…"
    article = "an" if word[0] in "aeio" else "a"
    return DecodingError(f"{shown!r} is not {article} {word}", row=row, column=column.name)


def _numbers(array: pa.Array, column: Column) -> Fixed:
    dtype = DTYPES[column.datatype]
    target = pa.from_numpy_dtype(dtype)
    typed = whole(array).cast(target) if dtype.kind == "i" else array.cast(target)
    null = np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    return fixed(pc.fill_null(typed, pa.scalar(dtype.type(0))).to_numpy(zero_copy_only=False), null)


def _timestamps(array: pa.Array, _: Column) -> Fixed:
    since = pc.fill_null(times(array).cast(pa.int64()), EPOCH_MICROSECONDS).to_numpy(zero_copy_only=False)
    return Fixed(since - EPOCH_MICROSECONDS, np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool))


def _arrays(array: pa.Array, column: Column, first: int) -> Array:
    """Arrays as ECSV 1.0 writes them (APE 6): JSON, and complex numbers as Python does."""
    size = fixed_size(column)
    found: list[list[Any] | None] = []
    for number, cell in enumerate(array.to_pylist()):
        if not cell:
            found.append(None)
            continue
        try:
            elements = _elements(cell, column, size)
            found.append([None if element is None else _element(element, column) for element in elements])
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _wrong(cell, column, first + number) from error
    flat = [element for elements in found for element in elements or ()]
    null = np.fromiter((element is None for element in flat), dtype=bool, count=len(flat))
    numbers = np.array([0 if element is None else element for element in flat], dtype=DTYPES[column.datatype])
    lengths = np.fromiter((len(elements or ()) for elements in found), dtype=np.int64, count=len(found))
    missing = np.fromiter((elements is None for elements in found), dtype=bool, count=len(found))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return Array(offsets, Fixed(numbers, null), missing)


def _elements(cell: str, column: Column, size: int | None) -> list[Any]:
    """Raises ValueError or TypeError for what is no array, or has not as many elements as `size` says."""
    if complexes.is_complex(column) and column.arraysize == "2" and not cell.startswith("["):
        number = complex(cell)
        return [number.real, number.imag]
    # Of a floating-point number −0 is another one than 0.
    elements = json.loads(cell, parse_int=float if DTYPES[column.datatype].kind == "f" else int)
    if not isinstance(elements, list):
        raise TypeError(cell)
    while elements and isinstance(elements[0], list):
        elements = [element for inner in elements for element in inner]
    if size is not None and len(elements) != size:
        raise ValueError(cell)
    return elements


def _element(element: Any, column: Column) -> float | int | bool:
    kind = DTYPES[column.datatype].kind
    if kind == "f":
        if isinstance(element, bool) or not isinstance(element, int | float):
            raise TypeError(element)
        return float(element)
    if type(element) is not (bool if kind == "b" else int):
        raise TypeError(element)
    limits = np.iinfo(DTYPES[column.datatype]) if kind == "i" else None
    if limits and not limits.min <= element <= limits.max:
        raise OverflowError(element)
    return bool(element) if kind == "b" else int(element)
