"""Arrays of variable length (FITS 4.0 §7.3.5): where the rows say that they are, and what may be read of them.

A pointer may lead anywhere, and many to the same place, so that a small file can be a large table: what rows point at
is checked and added up before any of it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.gathering import Bytes, Places, ragged
from almagest.formats.decode.table import Bounds

_AT_ONCE = 2
"""How many times as many bytes may be read as are wanted, to read them in one go."""

_SLACK = 1 << 16
"""Bytes that cost no more to read than to leave out."""


@dataclass(frozen=True, slots=True)
class Pointers:
    """A column's arrays. counts: of elements; places: of the first in the heap; sizes: in bytes."""

    column: str
    counts: Places
    places: Places
    sizes: Places

    def part(self, start: int, stop: int) -> Pointers:
        """Those of the rows from `start` up to `stop`, counted from 0."""
        rows = slice(start, stop)
        return Pointers(self.column, self.counts[rows], self.places[rows], self.sizes[rows])

    @property
    def span(self) -> tuple[int, int]:
        """From where to where the heap has them; there must be one that is not empty."""
        filled = self.sizes > 0
        return int(self.places[filled].min()), int((self.places + self.sizes)[filled].max())


@dataclass(frozen=True, slots=True)
class Heap:
    """start: in the file; size: in bytes."""

    file: BinaryIO
    start: int
    size: int

    def pointers(self, column: str, counts: Places, places: Places, bits: int, bounds: Bounds, first: int) -> Pointers:
        """A column's arrays, of elements of so many bits. first: number of the first row. Raises DecodingError where
        one claims more than a value may have, or leads out of the heap."""
        wrong = (counts < 0) | (counts > bounds.cell)
        if wrong.any():
            index = int(np.argmax(wrong))
            bounds.check_cell(int(counts[index]), column)
            raise DecodingError(f"claims {counts[index]} elements", row=first + index, column=column)
        sizes = -(-counts * bits // 8)
        bounds.check_cell(int(sizes.max(initial=0)), column)
        nowhere = (sizes > 0) & ((places < 0) | (places > self.size - sizes))
        if nowhere.any():
            index = int(np.argmax(nowhere))
            message = (
                f"points at {int(sizes[index]):,} bytes from {int(places[index]):,} on in the heap,"
                f" which has {max(0, self.size):,} (PCOUNT, THEAP)"
            )
            raise DecodingError(message, row=first + index, column=column)
        return Pointers(column, counts, places, sizes)

    def read(self, columns: Sequence[Pointers], first: int) -> list[Bytes]:
        """What the arrays of these columns hold, each column's end to end: in one go where they lie together, as in
        heaps that were written row by row, or column by column."""
        filled = [pointers for pointers in columns if pointers.sizes.any()]
        window = self._window(filled, first)
        return [self._of(pointers, window or self._window([pointers], first), first) for pointers in columns]

    def _window(self, columns: Sequence[Pointers], first: int) -> tuple[int, Bytes] | None:
        """The part of the heap that has all of these, and where it begins; None where most of it is something else."""
        wanted = sum(int(pointers.sizes.sum()) for pointers in columns)
        if not wanted:
            return None
        spans = [pointers.span for pointers in columns]
        low, high = min(begin for begin, _ in spans), max(end for _, end in spans)
        if high - low > _AT_ONCE * wanted + _SLACK:
            return None
        data = self._bytes(low, high - low)
        for pointers in columns:
            missing = (pointers.sizes > 0) & (pointers.places + pointers.sizes > low + len(data))
            if missing.any():
                raise _ends(first + int(np.argmax(missing)), pointers.column)
        return low, np.frombuffer(data, dtype=np.uint8)

    def _of(self, pointers: Pointers, window: tuple[int, Bytes] | None, first: int) -> Bytes:
        if window:
            low, data = window
            return ragged(data, pointers.places - low, pointers.sizes)
        parts = []
        for number, (place, size) in enumerate(zip(pointers.places.tolist(), pointers.sizes.tolist(), strict=True)):
            part = self._bytes(place, size) if size else b""
            if len(part) < size:
                raise _ends(first + number, pointers.column)
            parts.append(part)
        return np.frombuffer(b"".join(parts), dtype=np.uint8)

    def _bytes(self, place: int, size: int) -> bytes:
        self.file.seek(self.start + place)
        return self.file.read(size)


def _ends(row: int, column: str) -> DecodingError:
    return DecodingError("the file ends before the values of this row", row=row, column=column)
