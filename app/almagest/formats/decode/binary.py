"""Rows of BINARY and BINARY2 (VOTable 1.5 §5.2, §5.3) → blocks of typed columns.

Where every value has its width the rows are one array of numpy's. Where some say their length themselves, one walk over
the bytes finds where each begins, and the columns are gathered from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.formats.block import ROWS, Array, Block, Fixed, Mask, Text, Values, fixed, strings
from almagest.formats.decode import cells
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import WIRE, Field
from almagest.formats.decode.table import BLOCK_BYTES, Bounds

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_LONG = 32
"""Bytes of a value, on average, from which on values are gathered one by one and not byte by byte."""

_TRUE = np.isin(np.arange(256), list(b"Tt1"))
_UNKNOWN = ~np.isin(np.arange(256), list(b"TtFf10"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field stands in every row: in which segment (one ends with each field that says its length), at which
    byte of it, and the bytes of an element."""

    segment: int
    offset: int
    width: int


class BinaryRows:
    """Bytes in, blocks out. masked: BINARY2, where each row begins with a bit a column that says null."""

    def __init__(self, fields: Sequence[Field], bounds: Bounds, *, masked: bool) -> None:
        self._fields = fields
        self._bounds = bounds
        self._mask = (len(fields) + 7) // 8 if masked else 0
        self._places, self._skips, self._tail = _places(fields, self._mask)
        bounds.check_row(sum(skip + 4 for skip, _ in self._skips) + self._tail)
        self._data = bytearray()
        self._row = 0

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that are complete with this data."""
        self._data += data
        if len(self._data) >= BLOCK_BYTES:
            yield from self._blocks()

    def finish(self) -> Iterator[Block]:
        """The rest. Raises DecodingError when the last row is not whole."""
        yield from self._blocks()
        if self._data:
            raise DecodingError("the data end in the middle of this row", row=self._row + 1)

    def _blocks(self) -> Iterator[Block]:
        while True:
            starts, lengths, end = self._walk() if self._skips else self._stride()
            if not end:
                return
            data = np.frombuffer(bytes(memoryview(self._data)[:end]), dtype=np.uint8)
            del self._data[:end]
            first = self._row + 1
            self._row += len(starts)
            self._bounds.check_rows(self._row)
            null = self._nulls(data, starts[:, 0])
            columns = [
                _column(field, data, starts, lengths, place, null[:, number], first)
                for number, (field, place) in enumerate(zip(self._fields, self._places, strict=True))
            ]
            yield Block(first, tuple(columns))

    def _stride(self) -> tuple[Places, Places, int]:
        rows = min(len(self._data) // self._tail, ROWS)
        return np.arange(rows).reshape(-1, 1) * self._tail, np.empty((rows, 0), dtype=np.int64), rows * self._tail

    def _walk(self) -> tuple[Places, Places, int]:
        """Beginnings of segments and lengths of arrays, each of shape (rows, …), and the end of the last row."""
        data, size, cell, most = self._data, len(self._data), self._bounds.cell, self._bounds.row
        starts: list[int] = []
        lengths: list[int] = []
        end = rows = 0
        while rows < ROWS:
            here = end
            row: list[int] = [end]
            counts: list[int] = []
            for skip, width in self._skips:
                here += skip + 4
                if here > size:
                    break
                count = int.from_bytes(data[here - 4 : here], "big")
                if count * width > cell:
                    self._bounds.check_cell(count * width, self._fields[self._variable(len(counts))].column.name)
                here += count * width
                if here - end > most:
                    self._bounds.check_row(here - end, self._row + rows + 1)
                row.append(here)
                counts.append(count)
            else:
                here += self._tail
                if here <= size:
                    starts += row
                    lengths += counts
                    end = here
                    rows += 1
                    continue
            break
        segments = len(self._skips) + 1
        return (
            np.array(starts, dtype=np.int64).reshape(-1, segments),
            np.array(lengths, dtype=np.int64).reshape(-1, segments - 1),
            end,
        )

    def _variable(self, number: int) -> int:
        """The index of the field that is the so-manieth to say its length."""
        return [index for index, field in enumerate(self._fields) if field.size is None][number]

    def _nulls(self, data: Bytes, starts: Places) -> Mask:
        """Which values the rows' masks call null, of shape (rows, fields)."""
        if not self._mask:
            return np.zeros((len(starts), len(self._fields)), dtype=bool)
        return np.unpackbits(_gather(data, starts, self._mask), axis=1)[:, : len(self._fields)].astype(bool)


def _places(fields: Sequence[Field], mask: int) -> tuple[list[_Place], list[tuple[int, int]], int]:
    """(place of each field, (bytes before its length, bytes of an element) of each that says it, bytes after them)."""
    places: list[_Place] = []
    skips: list[tuple[int, int]] = []
    segment, offset = 0, mask
    for field in fields:
        width = np.dtype(WIRE[field.datatype]).itemsize
        if field.size is None:
            skips.append((offset, width))
            places.append(_Place(segment, offset + 4, width))
            segment, offset = segment + 1, 0
        else:
            places.append(_Place(segment, offset, width))
            offset += field.size * width
    return places, skips, offset


def _column(
    field: Field, data: Bytes, starts: Places, lengths: Places, place: _Place, null: Mask, first: int
) -> Values:
    starts = starts[:, place.segment] + place.offset
    if field.size is None:
        counts = lengths[:, place.segment]
        octets = _ragged(data, starts, counts * place.width)
    else:
        counts = np.full(len(starts), field.size, dtype=np.int64)
        octets = _gather(data, starts, field.size * place.width).reshape(-1)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    if field.is_text:
        return _text(field, offsets, octets, null, first)
    elements = _elements(field, octets)
    if field.size == 1:
        return fixed(elements.values, elements.null | null)
    return Array(offsets, elements, null | (counts == 0))


def _gather(data: Bytes, starts: Places, width: int) -> Bytes:
    """Bytes of the same number from every place, of shape (places, width)."""
    stride = len(data) // len(starts)
    if stride * len(starts) == len(data) and (np.diff(starts) == stride).all():
        return np.ascontiguousarray(data.reshape(-1, stride)[:, starts[0] : starts[0] + width])
    if width > _LONG:
        return _ragged(data, starts, np.full(len(starts), width)).reshape(-1, width)
    gathered: Bytes = data[starts[:, None] + np.arange(width)]
    return gathered


def _ragged(data: Bytes, starts: Places, sizes: Places) -> Bytes:
    """Bytes of different numbers from every place, end to end."""
    if sizes.sum() > _LONG * len(sizes):
        ends = (starts + sizes).tolist()
        return np.concatenate([data[start:end] for start, end in zip(starts.tolist(), ends, strict=True)])
    before = np.cumsum(sizes) - sizes
    gathered: Bytes = data[np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))]
    return gathered


def _elements(field: Field, octets: Bytes) -> Fixed:
    if field.datatype == "boolean":
        return Fixed(_TRUE[octets], _UNKNOWN[octets])
    values: NDArray[Any] = octets.view(WIRE[field.datatype])
    missing = field.missing
    null = values == missing if missing is not None else np.zeros(len(values), dtype=bool)
    return Fixed(values.astype(field.dtype), null)


def _text(field: Field, offsets: Places, octets: Bytes, null: Mask, first: int) -> Values:
    """Strings, which end at their first NUL. Bytes beyond ASCII are UTF-8 (VOTable 1.5), or else ISO 8859-1."""
    wide = field.datatype == "unicodeChar"
    units = octets.view(">u2") if wide else octets
    plain = field.column.xtype is None and field.null is None
    if plain and (not len(units) or (units.max() < 128 and units.min() > 0)):
        return Text(offsets, units.astype(np.uint8), null | (np.diff(offsets) == 0))
    data, width = octets.tobytes(), 2 if wide else 1
    found = [
        None if missing else _string(data[start * width : stop * width], wide=wide)
        for start, stop, missing in zip(offsets[:-1].tolist(), offsets[1:].tolist(), null.tolist(), strict=True)
    ]
    if field.column.xtype == "timestamp":
        return cells.timestamps(field, [string or "" for string in found], first)
    return strings([None if string == field.null else string for string in found])


def _string(data: bytes, *, wide: bool) -> str:
    if wide:
        return data.decode("utf-16-be", errors="replace").partition("\0")[0]
    data = data.partition(b"\0")[0]
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
