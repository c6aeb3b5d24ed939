"""Arrow's tables of PostgreSQL's bytes, column by column, without looking at a value."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from almagest.adql.catalogue import Column
from almagest.formats.about import About
from almagest.formats.block import EPOCH_MICROSECONDS
from almagest.formats.document import foot, head
from almagest.formats.format import Rows, Status
from almagest.formats.layout import ELEMENTS, Layout, Part
from almagest.formats.rows import Cells, Ragged
from almagest.formats.sql import fixed_size, is_text, is_timestamp

GROUP = 65_536
"""Rows in a batch or row group: always as many, so that the same rows give the same bytes."""

FIRST = 8_192
"""Rows in the first one, for which the first byte of the answer waits."""

_TYPES = {
    "boolean": pa.bool_(),
    "short": pa.int16(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
}
_FOREVER = (1 << 63) - 1


def stream(columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
    """Schema, batches, and an end; no end but half a message, if broken."""
    described, sink = schema(columns, about), io.BytesIO()
    writer = pa.ipc.new_stream(sink, described)
    for batch in batches(columns, described, rows):
        writer.write_batch(batch)
        yield taken(sink)
    status, message = rows.ending()
    if status is Status.ERROR:
        words = message.encode()
        yield taken(sink) + struct.pack("<Ii", 0xFFFFFFFF, len(words) + 8) + words
        return
    writer.close()
    yield taken(sink)


def parquet(columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
    """Row groups, and the footer without which nothing can be read."""
    opening = head(columns, about).removesuffix("<DATA>\n")
    document = opening + foot(Status.OK, "", columns, about).removeprefix("</DATA>\n")
    voparquet = {"IVOA.VOTable-Parquet.version": "1.0", "IVOA.VOTable-Parquet.content": document}
    described = schema(columns, about)
    described = described.with_metadata({**(described.metadata or {}), **voparquet})
    sink = io.BytesIO()
    texts = [column.name for column in columns if is_text(column)]
    writer = pq.ParquetWriter(sink, described, compression="snappy", use_dictionary=texts or False)
    for batch in batches(columns, described, rows):
        writer.write_batch(batch)
        yield taken(sink)
    status, message = rows.ending()
    if status is Status.ERROR:
        yield taken(sink) + message.encode()
        return
    writer.close()
    yield taken(sink)


def schema(columns: Sequence[Column], about: About) -> Any:
    """The columns as Arrow's fields; unit, UCD and so on are their metadata."""
    fields = [
        pa.field(
            column.name,
            _type(column),
            metadata={
                name: value
                for name in ("unit", "ucd", "utype", "xtype", "description")
                if (value := getattr(column, name))
            },
        )
        for column in columns
    ]
    return pa.schema(fields, metadata=dict(about.items()))


def batches(columns: Sequence[Column], described: Any, rows: Rows) -> Iterator[Any]:
    """The rows in batches: FIRST, then GROUP as often as there are so many, and the rest."""
    layout = Layout(columns, columnar=True)
    waiting: list[Any] = []
    left = FIRST
    for block in rows:
        start, count = 0, len(block.starts)
        while start < count:
            stop = min(count, start + left)
            # Cut here and not as arrays: of a part of an array Arrow's stream has some of what stands behind it.
            waiting.append(_batch(columns, described, layout.part(block.part(start, stop))))
            left -= stop - start
            start = stop
            if not left:
                yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
                waiting, left = [], GROUP
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def taken(sink: io.BytesIO) -> bytes:
    """What a writer has written since the last time; it goes on where it was."""
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written


def _type(column: Column) -> Any:
    if is_timestamp(column):
        return pa.timestamp("us")
    if is_text(column):
        return pa.string()
    element = _TYPES[column.datatype]
    if column.arraysize is None:
        return element
    size = fixed_size(column)
    return pa.list_(element) if size is None else pa.list_(element, size)


def _batch(columns: Sequence[Column], described: Any, part: Part) -> Any:
    arrays = [_array(*given) for given in zip(columns, part.cells, part.nulls, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=described)


def _array(column: Column, cell: Cells, null: Any) -> Any:
    if is_timestamp(column) and not isinstance(cell, Ragged):
        return _instants(cell)
    if isinstance(cell, Ragged) and is_text(column):
        return pa.Array.from_buffers(pa.string(), len(cell), [_valid(null), _offsets(cell, 1), pa.py_buffer(cell.data)])
    if column.arraysize is None:
        # A floating-point NULL came as NaN, and stays one: they mean the same here (VOTable 1.4 §6).
        return _elements(column, cell, null)
    return _lists(column, cell, null)


def _instants(cell: Any) -> Any:
    values = cell.astype("<i8")
    null = (values == _FOREVER) | (values == -_FOREVER - 1)
    return pa.array(np.where(null, 0, values) + EPOCH_MICROSECONDS, pa.timestamp("us"), mask=null, from_pandas=False)


def _elements(column: Column, cell: Any, null: Any) -> Any:
    if column.datatype == "boolean":
        return pa.array(cell == b"T", pa.bool_(), mask=cell == b"?")
    # Never from pandas: NaN is a value.
    return pa.array(cell.astype(cell.dtype.newbyteorder("=")), _TYPES[column.datatype], mask=null, from_pandas=False)


def _lists(column: Column, cell: Cells, null: Any) -> Any:
    element = ELEMENTS[column.datatype]
    if isinstance(cell, Ragged):
        elements, places = cell.data.view(element), [_offsets(cell, element.itemsize)]
    else:
        elements, places = np.ascontiguousarray(cell).reshape(-1), []
    missing = None
    if element.names:
        elements, missing = elements["value"], elements["null"] == 1
    children = [_elements(column, elements, missing)]
    return pa.Array.from_buffers(_type(column), len(cell), [_valid(null), *places], children=children)


def _offsets(cell: Ragged, size: int) -> Any:
    return pa.py_buffer(np.concatenate(([0], np.cumsum(cell.lengths) // size)).astype("<i4"))


def _valid(null: Any) -> Any:
    return None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
