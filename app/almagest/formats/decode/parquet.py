"""Parquet files, a batch of rows at a time; unit, ucd, utype and description from the fields' metadata.

Pages say how large they will be once they are decompressed, and the library believes them. They are therefore asked
first, all of them, and what they say together has to be within the bounds; so have texts that are stored once and stand
in many rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from almagest.catalogue import Column
from almagest.formats.block import DTYPES, EPOCH_MICROSECONDS, Array, Block, Fixed, Values, fixed, spans
from almagest.formats.decode import arrow
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.pages import DELTA_BYTE_ARRAY, pages
from almagest.formats.decode.table import BLOCK_BYTES, Bounds, Decoded, described

ROWS = 10_000
"""Rows that are read at once, if not fewer are as many bytes as a block has: the library makes what belongs to them in
one go."""

VALUE_BYTES = 4
"""What a value takes at least when it is read."""

ELEMENT_BYTES = 8
"""What an element of an array takes at least: its value and where it stands. Those of a row are read in one go, and one
row may have all that there are."""

PAGE_BYTES = 1024
"""What a page counts for at least, so that a file cannot be a hundred million empty ones."""

FOOTER_BYTES = 4 << 20
"""Size of the metadata at the end."""


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The table of a Parquet file. file: seekable anywhere. Raises DecodingError, also while the blocks are taken."""
    _check_footer(file)
    try:
        parquet = _open(file)
        bounds.check_rows(parquet.metadata.num_rows)
        bounds.check_columns(parquet.metadata.num_columns)
        columns = described([_column(field) for field in parquet.schema_arrow])
        read_at_once = _rows_in_a_block(parquet.metadata.num_rows, _page_bytes(file, parquet.metadata, bounds))
        # Texts stay as the few that there are of them until it is known how long they are together.
        parquet = _open(file, [field.name for field in parquet.schema_arrow if _is_text(field.type)])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DecodingError(f"the file is not readable as Parquet: {error}") from error
    return Decoded(columns, _blocks(parquet, columns, bounds, read_at_once))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _open(file: BinaryIO, texts: Sequence[str] = ()) -> pq.ParquetFile:
    return pq.ParquetFile(
        file,
        read_dictionary=list(texts),
        thrift_string_size_limit=FOOTER_BYTES,
        thrift_container_size_limit=FOOTER_BYTES // 8,
    )


def _check_footer(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    file.seek(0)
    if len(tail) < 8 or tail[4:] != b"PAR1":
        raise DecodingError("the file is not readable as Parquet: it does not end as one")
    if int.from_bytes(tail[:4], "little") > FOOTER_BYTES:
        raise TooMuchError(f"the file's metadata are larger than {FOOTER_BYTES:,} bytes")


def _page_bytes(file: BinaryIO, metadata: Any, bounds: Bounds) -> int:
    """What the pages say that they are, or hold. Raises TooMuchError when that is more than the bounds allow."""
    total = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            each = ELEMENT_BYTES if metadata.schema.column(column).max_repetition_level else VALUE_BYTES
            offsets = (chunk.dictionary_page_offset, chunk.data_page_offset)
            start = min(offset for offset in offsets if offset is not None)
            for page in pages(file, max(0, start), chunk.total_compressed_size):
                total += max(page.size, page.values * each, PAGE_BYTES)
                bounds.check_bytes(total)
                if page.encoding == DELTA_BYTE_ARRAY:
                    raise DecodingError(
                        "is encoded as DELTA_BYTE_ARRAY, which is not read", column=chunk.path_in_schema
                    )
    return total


def _rows_in_a_block(rows: int, size: int) -> int:
    """How many of a table's rows, which have so many bytes, are about as large as a block."""
    return max(1, min(ROWS, rows * BLOCK_BYTES // max(1, size)))


def _blocks(parquet: Any, columns: tuple[Column, ...], bounds: Bounds, read_at_once: int) -> Iterator[Block]:
    first, texts = 1, 0
    try:
        for batch in parquet.iter_batches(batch_size=read_at_once, use_threads=False):
            bounds.check_rows(first + len(batch) - 1)
            sizes = np.zeros(len(batch), dtype=np.int64)
            for array, column in zip(batch.columns, columns, strict=True):
                size = _sizes(array)
                bounds.check_cell(int(size.max(initial=0)), column.name)
                texts += int(size.sum()) if pa.types.is_dictionary(array.type) else 0
                sizes += size
            bounds.check_bytes(texts)
            bounds.check_row(int(sizes.max(initial=0)), first + int(sizes.argmax()))
            for start, stop in spans(sizes, BLOCK_BYTES):
                arrays = zip(batch.slice(start, stop - start).columns, columns, strict=True)
                yield Block(first + start, tuple(_values(array, column, first + start) for array, column in arrays))
            first += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise DecodingError(f"the file cannot be read on: {error}", row=first) from error


def _sizes(array: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each value, written out. Raises ValueError for a type whose values have no size of their own."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.take(pc.binary_length(array.dictionary.cast(pa.large_binary())), array.indices)
    elif pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        lengths = pc.multiply(pc.list_value_length(array).cast(pa.int64()), -(-kind.value_type.bit_width // 8))
    else:
        return np.full(len(array), max(8, kind.bit_width // 8), dtype=np.int64)
    return np.asarray(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _column(field: pa.Field) -> Column:
    found = arrow.column(field)
    if found is None:
        raise DecodingError(f"has the Parquet type {field.type}, which no column can hold", column=field.name)
    return found


def _values(array: pa.Array, column: Column, first: int) -> Values:
    try:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if column.xtype == "timestamp":
            return _timestamps(array)
        if column.datatype == "char":
            return arrow.strings(array)
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
        # Arrow keeps zoned times in UTC; DALI writes UTC without zone.
        array = array.cast(pa.timestamp(array.type.unit))
    stamps = array.cast(pa.timestamp("us"), safe=False)
    since = (
        pc.fill_null(stamps.cast(pa.int64()), EPOCH_MICROSECONDS).to_numpy(zero_copy_only=False) - EPOCH_MICROSECONDS
    )
    return Fixed(since, _nulls(stamps))
