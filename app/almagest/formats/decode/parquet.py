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
from almagest.formats.block import ROWS, Block, spans
from almagest.formats.decode import arrow
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.pages import DELTA_BYTE_ARRAY, pages
from almagest.formats.decode.table import BLOCK_BYTES, Bounds, Decoded, described

TRUSTED_BYTES = 64 << 20
"""A block of a file that is trusted."""

VALUE_BYTES = 4
"""What a value takes at least when it is read."""

ELEMENT_BYTES = 8
"""What an element of an array takes at least: its value and where it stands. Those of a row are read in one go, and one
row may have all that there are."""

PAGE_BYTES = 1024
"""What a page counts for at least, so that a file cannot be a hundred million empty ones."""


def decode(file: BinaryIO, bounds: Bounds, *, trusted: bool = False) -> Decoded:
    """The table of a Parquet file. Raises DecodingError, also while the blocks are taken.

    file: seekable anywhere; trusted: blocks are large, and texts that are stored once are drawn out as they are read,
    both several times as fast, for whoever knows that the file does not repeat a megabyte of text in each row.
    """
    _check_footer(file, bounds)
    try:
        parquet = _open(file, bounds)
        bounds.check_rows(parquet.metadata.num_rows)
        bounds.check_columns(parquet.metadata.num_columns)
        columns = described([_column(field) for field in parquet.schema_arrow])
        block = TRUSTED_BYTES if trusted else BLOCK_BYTES
        page_bytes = _page_bytes(file, parquet.metadata, bounds)
        read_at_once = max(1, min(ROWS, parquet.metadata.num_rows * block // max(1, page_bytes)))
        if not trusted:
            # Texts stay as the few that there are of them until it is known how long they are together.
            parquet = _open(file, bounds, [field.name for field in parquet.schema_arrow if arrow.is_text(field.type)])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DecodingError(f"the file is not readable as Parquet: {error}") from error
    return Decoded(columns, _blocks(parquet, columns, bounds, read_at_once, block), rows=parquet.metadata.num_rows)


def _open(file: BinaryIO, bounds: Bounds, texts: Sequence[str] = ()) -> pq.ParquetFile:
    return pq.ParquetFile(
        file,
        read_dictionary=list(texts),
        thrift_string_size_limit=bounds.row,
        thrift_container_size_limit=bounds.row // 8,
    )


def _check_footer(file: BinaryIO, bounds: Bounds) -> None:
    """The metadata at the end are held at once, as a row is."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    file.seek(0)
    if len(tail) < 8 or tail[4:] != b"PAR1":
        raise DecodingError("the file is not readable as Parquet: it does not end as one")
    if int.from_bytes(tail[:4], "little") > bounds.row:
        raise TooMuchError(f"the file's metadata are larger than {bounds.row:,} bytes")


def _page_bytes(file: BinaryIO, metadata: Any, bounds: Bounds) -> int:
    """What the pages say that they are, or hold. Raises TooMuchError when that is more than the bounds allow."""
    total = 0
    for group in _groups(metadata):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            each = ELEMENT_BYTES if metadata.schema.column(column).max_repetition_level else VALUE_BYTES
            offsets = (chunk.dictionary_page_offset, chunk.data_page_offset)
            start = min(offset for offset in offsets if offset is not None)
            for page in pages(file, max(0, start), chunk.total_compressed_size):
                # With beginnings in common each text may be as long as all that is written of them.
                each_text = page.size if page.encoding == DELTA_BYTE_ARRAY else 0
                total += max(page.size, page.values * max(each, each_text), PAGE_BYTES)
                bounds.check_bytes(total)
    return total


def _groups(metadata: Any) -> list[int]:
    """The row groups that have rows. Others may have no pages where they say that theirs begin."""
    return [group for group in range(metadata.num_row_groups) if metadata.row_group(group).num_rows]


def _blocks(
    parquet: Any, columns: tuple[Column, ...], bounds: Bounds, read_at_once: int, block: int
) -> Iterator[Block]:
    first, texts = 1, 0
    try:
        groups = _groups(parquet.metadata)
        for batch in parquet.iter_batches(batch_size=read_at_once, row_groups=groups, use_threads=False):
            bounds.check_rows(first + len(batch) - 1)
            sizes = np.full(len(batch), sum(map(_width, batch.schema.types)), dtype=np.int64)
            for array, column in zip(batch.columns, columns, strict=True):
                if _width(array.type):
                    continue
                size = _sizes(array)
                bounds.check_cell(int(size.max(initial=0)), column.name)
                texts += int(size.sum()) if pa.types.is_dictionary(array.type) else 0
                sizes += size
            bounds.check_bytes(texts)
            bounds.check_row(int(sizes.max(initial=0)), first + int(sizes.argmax()))
            for start, stop in spans(sizes, block):
                arrays = zip(batch.slice(start, stop - start).columns, columns, strict=True)
                parts = (arrow.values(array, column, first + start) for array, column in arrays)
                yield Block(first + start, tuple(parts))
            first += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise DecodingError(f"the file cannot be read on: {error}", row=first) from error


def _width(kind: pa.DataType) -> int:
    """Bytes that every value of a type counts for; 0 where values differ."""
    if pa.types.is_dictionary(kind) or arrow.is_text(kind) or pa.types.is_nested(kind):
        return 0
    return int(max(8, kind.bit_width // 8))


def _sizes(array: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each value, written out."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.take(pc.binary_length(array.dictionary.cast(pa.large_binary())), array.indices)
    elif arrow.is_text(kind):
        lengths = pc.binary_length(array.cast(pa.large_binary()))
    else:
        lengths = pc.multiply(pc.list_value_length(array).cast(pa.int64()), -(-kind.value_type.bit_width // 8))
    return np.asarray(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _column(field: pa.Field) -> Column:
    found = arrow.column(field)
    if found is None:
        raise DecodingError(f"has the Parquet type {field.type}, which no column can hold", column=field.name)
    return found
