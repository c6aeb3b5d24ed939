"""Arrow's columns as blocks have them: their type, what their metadata say of them, and their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats import complexes
from almagest.formats.block import DTYPES, EPOCH_MICROSECONDS, Array, Fixed, Mask, Text, Values, fixed
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import typed

_TYPES: dict[pa.DataType, Datatype] = {
    pa.bool_(): "boolean",
    pa.int8(): "short",
    pa.uint8(): "short",
    pa.int16(): "short",
    pa.uint16(): "int",
    pa.int32(): "int",
    pa.uint32(): "long",
    pa.int64(): "long",
    pa.uint64(): "long",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
}

TIMES = (-211_813_488_000_000_000, 9_223_371_331_200_000_000)
"""From when on and until when PostgreSQL has timestamps, in microseconds since 2000: 4714 BC to 294276."""


def column(field: pa.Field) -> Column | None:
    """The column that a field is; None for a type that no column can hold."""
    found = _type(field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
    if found is None:
        return None
    notes = {
        key.decode(errors="replace"): value.decode(errors="replace") for key, value in (field.metadata or {}).items()
    }
    made = Column(
        field.name,
        *found,
        unit=notes.get("unit") or None,
        ucd=notes.get("ucd") or None,
        utype=notes.get("utype") or None,
        description=notes.get("description", ""),
    )
    size = found[1]
    if size and notes.get("xtype") == complexes.XTYPE and made.datatype in ("float", "double"):
        return complexes.of_parts(made)
    return typed(made, notes.get("xtype", ""), int(size) if size and size != "*" else None)


def values(array: pa.Array, column: Column, first: int) -> Values:
    """A column of one block, as its declared type.

    array: of a type that casts to column's. first: number of the block's first row. Raises DecodingError with the row
    of a value that does not fit.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if column.xtype == "timestamp":
        return _timestamps(array, column, first)
    if column.datatype in ("char", "unicodeChar"):
        return _strings(array, column, first)
    if column.arraysize is not None:
        return _arrays(array, column, first)
    return fixed(_numbers(array, column, first), _nulls(array))


def cast(array: pa.Array, target: pa.DataType, column: Column, first: int) -> pa.Array:
    """`array` as another Arrow type; raises DecodingError at the first value that is none."""
    try:
        return array.cast(target)
    except pa.ArrowInvalid as error:
        row = _first_failure(array, lambda part: part.cast(target))
        shown = str(array[row])
        message = f"{shown if len(shown) <= 80 else shown[:80] + '…'!r} is not {article(column)}"
        raise DecodingError(message, row=first + row, column=column.name) from error


def strings(array: pa.Array) -> Text:
    """Texts of an array. Raises pa.ArrowInvalid for one that is not UTF-8 or has a NUL character."""
    # An aligned copy: a slice of a batch would begin in the middle of its buffers.
    whole = pa.concat_arrays([array.cast(pa.large_string())])
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid as error:
        raise pa.ArrowInvalid("a text is not UTF-8") from error
    _, offsets, data = whole.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    found = Text(starts - starts[0], octets[starts[0] : starts[-1]], _nulls(whole))
    if (found.data == 0).any():
        raise pa.ArrowInvalid("a text has a NUL character, which a database text cannot hold")
    return found


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def article(column: Column) -> str:
    """The column's type as a sentence names it: `a double`, `an int`, `a timestamp`."""
    word = column.xtype or column.datatype
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _type(kind: pa.DataType) -> tuple[Datatype, str | None, str | None] | None:
    """(datatype, arraysize, xtype)."""
    if is_text(kind):
        return "char", "*", None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "char", "*", "timestamp"
    if kind in _TYPES:
        return _TYPES[kind], None, None
    if pa.types.is_fixed_size_list(kind) and kind.value_type in _TYPES:
        return _TYPES[kind.value_type], str(kind.list_size), None
    if (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and kind.value_type in _TYPES:
        return _TYPES[kind.value_type], "*", None
    return None


def _first_failure(array: pa.Array, made: Callable[[pa.Array], Any]) -> int:
    """Index of the first value of which nothing can be made, by halving."""
    low, high = 0, len(array)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            made(array.slice(low, middle - low))
        except pa.ArrowInvalid:
            high = middle
        else:
            low = middle
    return low


def _nulls(array: pa.Array) -> Mask:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _numbers(array: pa.Array, column: Column, first: int) -> NDArray[Any]:
    dtype = DTYPES[column.datatype]
    filled = pc.fill_null(cast(array, pa.from_numpy_dtype(dtype), column, first), pa.scalar(dtype.type(0)))
    numbers: NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    return numbers


def _arrays(array: pa.Array, column: Column, first: int) -> Array:
    null = _nulls(array)
    lengths = np.where(null, 0, pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    flat = array.flatten()
    try:
        elements = _numbers(flat, column, 0)
    except DecodingError as error:
        row = first + int(np.searchsorted(offsets, error.row or 0, side="right")) - 1
        raise DecodingError(error.message, row=row, column=column.name) from error
    return Array(offsets, Fixed(elements, _nulls(flat)), null | (lengths == 0))


def _timestamps(array: pa.Array, column: Column, first: int) -> Fixed:
    """Microseconds since 2000. Nanoseconds are left out, as they are in timestamps that are written."""
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        # Arrow keeps zoned times in UTC; DALI writes UTC without zone.
        array = array.cast(pa.timestamp(array.type.unit))
    if is_text(array.type):
        array = pc.replace_substring_regex(array, "Z$", "")
    finer = pa.types.is_timestamp(array.type) and array.type.unit == "ns"
    stamps = array.cast(pa.timestamp("us"), safe=False) if finer else cast(array, pa.timestamp("us"), column, first)
    null = _nulls(stamps)
    since = pc.fill_null(stamps.cast(pa.int64()), EPOCH_MICROSECONDS).to_numpy(zero_copy_only=False)
    low, high = (limit + EPOCH_MICROSECONDS for limit in TIMES)
    wrong = (since < low) | (since >= high)
    if wrong.any():
        row = first + int(np.argmax(wrong))
        raise DecodingError("is a time before 4714 BC, or after the year 294276", row=row, column=column.name)
    return Fixed(since - EPOCH_MICROSECONDS, null)


def _strings(array: pa.Array, column: Column, first: int) -> Text:
    whole = cast(array, pa.large_string(), column, first)
    try:
        return strings(whole)
    except pa.ArrowInvalid as error:
        row = first + _first_failure(whole, strings)
        raise DecodingError(str(error), row=row, column=column.name) from error
