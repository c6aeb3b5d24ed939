"""TSCAL, TZERO and TNULL: what a stored number means (FITS 4.0 §7.2.2, §7.3.2).

A whole number times and plus a whole number is one, and is calculated as one: identifiers of 64 bits are not to go
through a double, which holds 53. So the convention for unsigned integers (TZERO of half the range) is no special case.
Everything else is a double.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Datatype
from almagest.formats.block import DTYPES, Mask
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.fits.header import Header, number

_WHOLE: tuple[Datatype, ...] = ("short", "int", "long")
_LONG = np.iinfo("i8")

RowOf = Callable[[int], int]
"""Row, counted from 1, of the value at an index."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """zero + scale × stored. datatype: of the sum; null: the stored number that means none."""

    column: str
    datatype: Datatype
    scale: int | float = 1
    zero: int | float = 0
    null: int | None = None

    def values(self, stored: NDArray[Any], row_of: RowOf) -> tuple[NDArray[Any], Mask]:
        """What the numbers mean, and which mean none. Raises DecodingError at one that its type does not hold."""
        null = stored == self.null if self.null is not None else np.zeros(len(stored), dtype=bool)
        if self.datatype not in _WHOLE:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._real(stored), null
        if self.scale == 1 and self.zero == 0:
            return stored.astype(DTYPES[self.datatype]), null
        return self._whole(stored, null, row_of), null

    def _real(self, stored: NDArray[Any]) -> NDArray[Any]:
        if self.scale == 1 and self.zero == 0:
            return stored.astype(DTYPES[self.datatype])
        scaled = stored.astype("f8")
        scaled *= float(self.scale)
        scaled += float(self.zero)
        return scaled

    def _whole(self, stored: NDArray[Any], null: Mask, row_of: RowOf) -> NDArray[Any]:
        ends = (_LONG.min - int(self.zero), _LONG.max - int(self.zero))
        low, high = sorted(ends) if self.scale > 0 else sorted((-ends[0], -ends[1]))
        step = abs(int(self.scale))
        beyond = (stored < -(-low // step)) | (stored > high // step)
        wrong = np.flatnonzero(beyond & ~null)
        if len(wrong):
            meant = int(stored[wrong[0]]) * int(self.scale) + int(self.zero)
            message = f"{meant} is no long, which goes from {_LONG.min} to {_LONG.max}"
            raise DecodingError(message, row=row_of(int(wrong[0])), column=self.column)
        # Modulo 2^64, which leaves every sum as it is that a long holds.
        modulo = stored.astype("i8").view("u8") * np.uint64(int(self.scale) % 2**64) + np.uint64(int(self.zero) % 2**64)
        sums = modulo.view("i8")
        return np.where(null, 0, sums).astype(DTYPES[self.datatype])


def scaling(
    header: Header, index: int, datatype: Datatype, stored: tuple[int, int] | None, null: int | None = None
) -> Scaling:
    """What is said of the numbers of a column. datatype: of those that are not scaled; stored: the least and the
    greatest whole number that can stand in the file, None for others; null: the one that means none.
    Raises DecodingError."""
    column = header.shown(index)
    scale, zero = header.real(f"TSCAL{index}", 1), header.real(f"TZERO{index}", 0)
    if not scale:
        raise DecodingError(f"has TSCAL{index} 0, by which all values would be the same", column=column)
    if scale == 1 and zero == 0:
        return Scaling(column, datatype, null=null)
    if stored and isinstance(scale, int) and isinstance(zero, int):
        low, high = sorted(scale * end + zero for end in stored)
        fits = low >= _LONG.min and high <= _LONG.max
        # What is made as large as that by a factor is measured in it, unless there were 64 bits before.
        if fits or abs(scale) == 1 or stored[1] == _LONG.max:
            return Scaling(column, narrowest(low, high), scale, zero, null)
    return Scaling(column, "double", scale, zero, null)


def narrowest(low: int, high: int) -> Datatype:
    """The smallest type of whole numbers that holds all of them, or the largest that there is."""
    for datatype in _WHOLE[:-1]:
        limits = np.iinfo(DTYPES[datatype])
        if limits.min <= low and high <= limits.max:
            return datatype
    return _WHOLE[-1]


def undefined(header: Header, index: int) -> int | None:
    """TNULL of whole numbers. One that is none would leave values in that mean nothing."""
    written = header.text(f"TNULL{index}")
    if not written:
        return None
    found = number(written)
    if not isinstance(found, int):
        message = f"has {written[:40]!r} for TNULL{index}, which is no whole number"
        raise DecodingError(message, column=header.shown(index))
    return found
