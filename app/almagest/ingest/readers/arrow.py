"""Arrow columns → `block.Values`, for the readers that pyarrow serves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from almagest.catalogue import Column
from almagest.formats.block import DTYPES, EPOCH_MICROSECONDS, Fixed, Text, Values, fixed
from almagest.ingest.errors import IngestError


def values(array: pa.Array, column: Column, *, file: str, first: int) -> Values:
    """A column of one block, as its declared type.

    array: of a type that casts to column's. first: number of the block's first row, for the error that names the row
    of a value that does not fit.
    """
    if column.xtype == "timestamp":
        return _timestamps(array, column, file, first)
    if column.arraysize is not None:
        return _strings(array, column, file, first)
    dtype = DTYPES[column.datatype]
    target = pa.from_numpy_dtype(dtype)
    null = _nulls(array)
    filled = pc.fill_null(cast(array, target, column, file=file, first=first), pa.scalar(dtype.type(0)))
    return fixed(filled.to_numpy(zero_copy_only=False), null)


def cast(array: pa.Array, target: pa.DataType, column: Column, *, file: str, first: int) -> pa.Array:
    """`array` as another Arrow type; raises IngestError at the first value that is none."""
    try:
        return array.cast(target)
    except pa.ArrowInvalid as error:
        row = _first_failure(array, target)
        raise IngestError(
            f"{str(array[row])!r} is not {article(column)}", file=file, row=first + row, column=column.name
        ) from error


def article(column: Column) -> str:
    """The column's type as a sentence names it: `a double`, `an int`, `a timestamp`."""
    word = column.xtype or column.datatype
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _first_failure(array: pa.Array, target: pa.DataType) -> int:
    """Index of the first value that does not cast, by halving."""
    low, high = 0, len(array)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            array.slice(low, middle - low).cast(target)
        except pa.ArrowInvalid:
            high = middle
        else:
            low = middle
    return low


def _nulls(array: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _timestamps(array: pa.Array, column: Column, file: str, first: int) -> Fixed:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        # Arrow keeps zoned times in UTC; DALI writes UTC without zone.
        array = array.cast(pa.timestamp(array.type.unit))
    stamps = cast(array, pa.timestamp("us"), column, file=file, first=first)
    null = _nulls(stamps)
    since = pc.fill_null(stamps.cast(pa.int64()), EPOCH_MICROSECONDS).to_numpy(zero_copy_only=False)
    return Fixed(since - EPOCH_MICROSECONDS, null)


def _strings(array: pa.Array, column: Column, file: str, first: int) -> Text:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    # An aligned copy: a slice of a batch would begin in the middle of its buffers.
    whole = pa.concat_arrays([cast(array, pa.large_string(), column, file=file, first=first)])
    _, offsets, data = whole.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    strings = Text(starts - starts[0], octets[starts[0] : starts[-1]], _nulls(whole))
    zeros = np.flatnonzero(strings.data == 0)
    if len(zeros):
        row = first + strings.row_of(int(zeros[0]))
        raise IngestError(
            "has a NUL character, which a database text cannot hold", file=file, row=row, column=column.name
        )
    return strings
