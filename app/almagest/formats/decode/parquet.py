"""Parquet files, a batch of rows at a time; unit, ucd, utype and description from the fields' metadata.

Pages say how large they will be once they are decompressed, and the library believes them. They are therefore asked
first, all of them, and what they say together has to be within the bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from almagest.adql.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, Array, Block, Fixed, Text, Values, fixed
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.table import Bounds, Decoded, named

ROWS = 10_000
"""Rows in a block; fewer than elsewhere, because the library makes what belongs to them in one go."""

FOOTER_BYTES = 4 << 20
"""Size of the metadata at the end."""

EPOCH_2000 = 946_684_800_000_000
"""Microseconds from 1970-01-01 to PostgreSQL's 2000-01-01."""

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


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The table of a Parquet file. file: seekable anywhere. Raises DecodingError, also while the blocks are taken."""
    _check_footer(file)
    try:
        parquet = pq.ParquetFile(
            file, thrift_string_size_limit=FOOTER_BYTES, thrift_container_size_limit=FOOTER_BYTES // 8
        )
        bounds.check_rows(parquet.metadata.num_rows)
        bounds.check_columns(parquet.metadata.num_columns)
        schema = parquet.schema_arrow
        _check_sizes(parquet.metadata, bounds)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, DecodingError):
            raise
        raise DecodingError(f"the file is not readable as Parquet: {error}") from error
    columns = [_column(field) for field in schema]
    renamed = named(columns)
    return Decoded(renamed, _blocks(parquet, renamed, bounds))


def _check_footer(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    file.seek(0)
    if len(tail) < 8 or tail[4:] != b"PAR1":
        raise DecodingError("the file is not readable as Parquet: it does not end as one")
    if int.from_bytes(tail[:4], "little") > FOOTER_BYTES:
        raise TooMuchError(f"the file's metadata are larger than {FOOTER_BYTES:,} bytes")


def _check_sizes(metadata: Any, bounds: Bounds) -> None:
    total = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            total += max(0, chunk.total_uncompressed_size)
            bounds.check_bytes(total)
            bounds.check_rows(chunk.num_values)


def _blocks(parquet: Any, columns: tuple[Column, ...], bounds: Bounds) -> Iterator[Block]:
    first = 1
    try:
        for batch in parquet.iter_batches(batch_size=ROWS, use_threads=False):
            bounds.check_rows(first + len(batch) - 1)
            pairs = zip(batch.columns, columns, strict=True)
            yield Block(first, tuple(_values(array, column, first) for array, column in pairs))
            first += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise DecodingError(f"the file cannot be read on: {error}", row=first) from error


def _column(field: pa.Field) -> Column:
    notes = {
        key.decode(errors="replace"): value.decode(errors="replace") for key, value in (field.metadata or {}).items()
    }
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    datatype, arraysize, xtype = _type(kind, field.name)
    return Column(
        field.name,
        datatype,
        arraysize,
        xtype,
        unit=notes.get("unit") or None,
        ucd=notes.get("ucd") or None,
        utype=notes.get("utype") or None,
        description=notes.get("description", ""),
    )


def _type(kind: pa.DataType, name: str) -> tuple[Datatype, str | None, str | None]:
    """(datatype, arraysize, xtype) of an Arrow type."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "char", "*", None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "char", "*", "timestamp"
    if kind in _TYPES:
        return _TYPES[kind], None, None
    if (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)) and kind.value_type in _TYPES:
        return _TYPES[kind.value_type], str(kind.list_size) if pa.types.is_fixed_size_list(kind) else "*", None
    raise DecodingError(f"has the Parquet type {kind}, which no column can hold", column=name)


def _values(array: pa.Array, column: Column, first: int) -> Values:
    try:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if column.xtype == "timestamp":
            return _timestamps(array)
        if column.datatype == "char":
            return _strings(array)
        if column.arraysize is not None:
            return _arrays(array, column)
        return _numbers(array, column)
    except pa.ArrowInvalid as error:
        raise DecodingError(f"a value of these rows does not fit: {error}", row=first, column=column.name) from error


def _nulls(array: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _numbers(array: pa.Array, column: Column) -> Fixed:
    dtype = DTYPES[column.datatype]
    whole = pc.fill_null(array.cast(pa.from_numpy_dtype(dtype)), pa.scalar(dtype.type(0)))
    return fixed(whole.to_numpy(zero_copy_only=False), _nulls(array))


def _arrays(array: pa.Array, column: Column) -> Array:
    null = _nulls(array)
    lengths = np.where(null, 0, pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False))
    elements = _numbers(array.flatten(), column)
    if elements.values.dtype.kind == "f":
        elements = Fixed(elements.values, elements.null & ~np.isnan(elements.values))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return Array(offsets, elements, null | (lengths == 0))


def _timestamps(array: pa.Array) -> Fixed:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        array = array.cast(
            pa.timestamp(array.type.unit)
        )  # Arrow keeps zoned times in UTC; DALI writes UTC without zone
    stamps = array.cast(pa.timestamp("us"), safe=False)
    since = pc.fill_null(stamps.cast(pa.int64()), EPOCH_2000).to_numpy(zero_copy_only=False) - EPOCH_2000
    return Fixed(since, _nulls(stamps))


def _strings(array: pa.Array) -> Text:
    # An aligned copy: a slice of a batch would begin in the middle of its buffers.
    whole = pa.concat_arrays([array.cast(pa.large_string())])
    whole.validate(full=True)
    _, offsets, data = whole.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    strings = Text(starts - starts[0], octets[starts[0] : starts[-1]], _nulls(whole))
    if (strings.data == 0).any():
        raise pa.ArrowInvalid("a text has a NUL character")
    return strings
