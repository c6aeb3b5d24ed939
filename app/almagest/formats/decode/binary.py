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

from almagest.formats import complexes
from almagest.formats.block import ROWS, Array, Block, Fixed, Mask, Text, Values, fixed, strings
from almagest.formats.decode import cells
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import Field
from almagest.formats.decode.gathering import LONG, Bytes, Places, ragged
from almagest.formats.decode.table import BLOCK_BYTES, Bounds

_TRUE = np.isin(np.arange(256), list(b"Tt1"))
_UNKNOWN = ~np.isin(np.arange(256), list(b"TtFf10"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a field stands in every row: in which segment (one ends with each field that says its length), and at
    which byte of it."""

    segment: int
    offset: int


class BinaryRows:
    """Bytes in, blocks out. masked: BINARY2, where each row begins with a bit a column that says null."""

    def __init__(self, fields: Sequence[Field], bounds: Bounds, *, masked: bool) -> None:
        self._fields = fields
        self._bounds = bounds
        self._masked = masked
        self._mask = _octets(len(fields)) if masked else 0
        self._places, self._skips, self._tail = _places(fields, self._mask)
        bounds.check_row(sum(4 if field.size is None else _claimed(field, field.size) for field in fields) + self._mask)
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
                self._column(field, data, starts, lengths, place, null[:, number], first)
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
            unpacked = 0
            for skip, bits in self._skips:
                here += skip + 4
                if here > size:
                    break
                count = int.from_bytes(data[here - 4 : here], "big")
                taken = (count * bits + 7) >> 3
                if bits == 1:
                    unpacked += count - taken
                if count > cell or taken > cell:
                    name = self._fields[self._variable(len(counts))].column.name
                    self._bounds.check_cell(max(count, taken), name)
                here += taken
                if here - end + unpacked > most:
                    self._bounds.check_row(here - end + unpacked, self._row + rows + 1)
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
        """The index of the field whose length is the n-th that a row says; number: n, counted from 0."""
        return [index for index, field in enumerate(self._fields) if field.size is None][number]

    def _column(
        self, field: Field, data: Bytes, starts: Places, lengths: Places, place: _Place, null: Mask, first: int
    ) -> Values:
        starts = starts[:, place.segment] + place.offset
        if field.size is None:
            counts = lengths[:, place.segment]
            octets = ragged(data, starts, (counts * field.bits + 7) >> 3)
        else:
            counts = np.full(len(starts), field.size, dtype=np.int64)
            octets = _gather(data, starts, _octets(field.size * field.bits)).reshape(-1)
        if not self._masked or field.column.xtype not in (None, complexes.XTYPE):
            # Without a mask nothing else says that there is no value; and no shape and no time has no elements.
            null = null | (counts == 0)
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts * field.parts)])
        if field.is_text:
            return _text(field, offsets, octets, null, first, blank_is_null=not self._masked)
        elements = _elements(field, octets, counts)
        return fixed(elements.values, elements.null | null) if field.is_scalar else Array(offsets, elements, null)

    def _nulls(self, data: Bytes, starts: Places) -> Mask:
        """Which values the rows' masks call null, of shape (rows, fields)."""
        if not self._mask:
            return np.zeros((len(starts), len(self._fields)), dtype=bool)
        return np.unpackbits(_gather(data, starts, self._mask), axis=1)[:, : len(self._fields)].astype(bool)


def _octets(bits: int) -> int:
    return (bits + 7) >> 3


def _claimed(field: Field, size: int) -> int:
    """Bytes of so many elements in memory, where a bit takes a whole one."""
    return max(size, _octets(size * field.bits))


def _places(fields: Sequence[Field], mask: int) -> tuple[list[_Place], list[tuple[int, int]], int]:
    """(place of each field, (bytes before its length, bits of an element) of each that says it, bytes after them)."""
    places: list[_Place] = []
    skips: list[tuple[int, int]] = []
    segment, offset = 0, mask
    for field in fields:
        if field.size is None:
            skips.append((offset, field.bits))
            places.append(_Place(segment, offset + 4))
            segment, offset = segment + 1, 0
        else:
            places.append(_Place(segment, offset))
            offset += _octets(field.size * field.bits)
    return places, skips, offset


def _gather(data: Bytes, starts: Places, width: int) -> Bytes:
    """Bytes of the same number from every place, of shape (places, width)."""
    stride = len(data) // len(starts)
    if stride * len(starts) == len(data) and (np.diff(starts) == stride).all():
        return np.ascontiguousarray(data.reshape(-1, stride)[:, starts[0] : starts[0] + width])
    if width > LONG:
        return ragged(data, starts, np.full(len(starts), width)).reshape(-1, width)
    gathered: Bytes = data[starts[:, None] + np.arange(width)]
    return gathered


def _elements(field: Field, octets: Bytes, counts: Places) -> Fixed:
    if field.datatype == "bit":
        flags = _flags(octets, counts)
        return Fixed(flags, np.zeros(len(flags), dtype=bool))
    if field.datatype == "boolean":
        return Fixed(_TRUE[octets], _UNKNOWN[octets])
    values: NDArray[Any] = octets.view(field.wire)
    missing = field.missing
    null = values == missing if missing is not None else np.zeros(len(values), dtype=bool)
    return Fixed(values.astype(field.dtype), null)


def _flags(octets: Bytes, counts: Places) -> Mask:
    """Bits from the left of each value's bytes, the last filled up (VOTable 1.5 §6). counts: bits of each."""
    if not len(counts):
        return np.empty(0, dtype=bool)
    if (counts == counts[0]).all():
        # astropy fills a single bit up from the other side.
        rows = octets.reshape(len(counts), -1)
        flags = octets != 0 if counts[0] == 1 else np.unpackbits(rows, axis=1, count=int(counts[0])).reshape(-1)
        return flags.view(bool)
    ends = np.cumsum((counts + 7) >> 3).tolist()
    parts = zip([0, *ends], ends, counts.tolist(), strict=False)
    return np.concatenate([np.unpackbits(octets[start:end], count=count) for start, end, count in parts]).view(bool)


def _text(field: Field, offsets: Places, octets: Bytes, null: Mask, first: int, *, blank_is_null: bool) -> Values:
    """Strings, which end at their first NUL. Bytes beyond ASCII are UTF-8 (VOTable 1.5), or else ISO 8859-1."""
    wide = field.datatype == "unicodeChar"
    units = octets.view(">u2") if wide else octets
    plain = field.column.xtype is None and field.null is None
    if plain and (not len(units) or (units.max() < 128 and units.min() > 0)):
        return Text(offsets, units.astype(np.uint8), null)
    data, width = octets.tobytes(), 2 if wide else 1
    found = [
        None if missing else _string(data[start * width : stop * width], wide=wide)
        for start, stop, missing in zip(offsets[:-1].tolist(), offsets[1:].tolist(), null.tolist(), strict=True)
    ]
    if field.column.xtype == "timestamp":
        return cells.timestamps(field, [string or "" for string in found], first)
    if field.null is not None:
        found = [None if string == field.null else string for string in found]
    return strings(found, blank_is_null=blank_is_null)


def _string(data: bytes, *, wide: bool) -> str:
    if wide:
        return data.decode("utf-16-be", errors="replace").partition("\0")[0]
    data = data.partition(b"\0")[0]
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
