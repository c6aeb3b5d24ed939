"""PURE but for the clock. The rows that fulfil conditions, counted in pieces by whoever asks.

No request counts for longer than it may wait. So the first page of a filter comes long before the last row is looked
at, everybody who asks the same goes on where the others stopped, and whoever goes away leaves no work behind.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

BLOCK_BITS = 14
"""Rows whose numbers differ in so many of the last bits only are counted together: as many as are read in 5 ms."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows that fulfil conditions, as far as they are counted.

    rows: of the result; seen: how many of them were looked at, from the first on; total: how many of those fulfil the
    conditions; starts: number of the first row of each block that has some; before: how many there are before that
    block.
    """

    rows: int
    seen: int = 0
    total: int = 0
    starts: tuple[int, ...] = ()
    before: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all rows were looked at."""
        return self.seen >= self.rows

    def find(self, offset: int, rows: int) -> tuple[range, int]:
        """Where the rows from `offset` on among them are: the numbers to look through, and how many to skip there."""
        first, last = (bisect_right(self.before, place) - 1 for place in (offset, offset + rows - 1))
        return range(self.starts[first], self.starts[last] + (1 << BLOCK_BITS)), offset - self.before[first]

    def and_then(self, seen: int, blocks: Iterable[tuple[int, int]]) -> Counted:
        """With the next rows, of which so many in each block fulfil the conditions. seen: as of the whole."""
        starts, before, total = list(self.starts), list(self.before), self.total
        for block, some in sorted(blocks):
            starts.append(block << BLOCK_BITS)
            before.append(total)
            total += some
        return Counted(self.rows, seen, total, tuple(starts), tuple(before))


class Counting:
    """The counting of one filter, which all who ask for it share. One of them counts at a time."""

    def __init__(self, rows: int) -> None:
        self.counted = Counted(rows)
        self._lock = threading.Lock()

    def go_on(self, next_piece: Callable[[Counted], Counted], seconds: float) -> Counted:
        """Count until all is counted or the time is over, though at least one piece, unless somebody else does.

        next_piece: what is counted, and one piece more; whatever it raises, the next who asks goes on from here.
        """
        until = time.monotonic() + seconds
        while not self.counted.complete and self._lock.acquire(timeout=max(0.0, until - time.monotonic())):
            try:
                if not self.counted.complete:
                    self.counted = next_piece(self.counted)
            finally:
                self._lock.release()
            if time.monotonic() >= until:
                break
        return self.counted
