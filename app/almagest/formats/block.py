"""Blocks of rows on their way from a file to the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Datatype

ROWS = 50_000
"""Rows in a block: enough to forget the cost of a call, few enough to fit the processor's cache by column."""

DTYPES: dict[Datatype, np.dtype[Any]] = {
    "boolean": np.dtype("?"),
    "short": np.dtype("i2"),
    "int": np.dtype("i4"),
    "long": np.dtype("i8"),
    "float": np.dtype("f4"),
    "double": np.dtype("f8"),
}
"""The numpy type of each fixed-width VOTable type. Timestamps are int64 microseconds since EPOCH, in UTC."""

HOLDERS: dict[str, Datatype] = {
    "bool": "boolean",
    "int8": "short",
    "uint8": "short",
    "int16": "short",
    "uint16": "int",
    "int32": "int",
    "uint32": "long",
    "int64": "long",
    "uint64": "long",
    "float16": "float",
    "float32": "float",
    "float64": "double",
}
"""numpy's name of a type → the VOTable type that holds its values, of uint64 those up to 2^63 - 1."""

EPOCH = np.datetime64("2000-01-01T00:00:00", "us")
"""From where PostgreSQL counts time, and so do blocks."""

EPOCH_MICROSECONDS = int(EPOCH.astype(np.int64))
"""The same counted from 1970-01-01, as Arrow counts."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Values of one width, shape (rows,), any byte order; null: where there is no value, shape (rows,)."""

    values: NDArray[Any]
    null: Mask

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> Fixed:
        """The rows from `start` up to `stop`, counted from 0."""
        return Fixed(self.values[start:stop], self.null[start:stop])


@dataclass(frozen=True, slots=True)
class Text:
    """Strings as UTF-8 end to end: row i is data[offsets[i]:offsets[i+1]]. offsets: int64, shape (rows + 1,)."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    null: Mask

    def __len__(self) -> int:
        return len(self.null)

    def part(self, start: int, stop: int) -> Text:
        """The rows from `start` up to `stop`, counted from 0."""
        ends = self.offsets[start : stop + 1]
        return Text(ends - ends[0], self.data[ends[0] : ends[-1]], self.null[start:stop])

    def row_of(self, position: int) -> int:
        """The row, counted from 0, that the byte at `position` of data belongs to."""
        return int(np.searchsorted(self.offsets, position, side="right")) - 1


@dataclass(frozen=True, slots=True)
class Array:
    """Arrays of numbers or flags end to end: row i is elements[offsets[i]:offsets[i+1]].

    offsets: int64, shape (rows + 1,); null: rows without an array. A NaN among the elements stays one.
    """

    offsets: NDArray[np.int64]
    elements: Fixed
    null: Mask

    def __len__(self) -> int:
        return len(self.null)

    def part(self, start: int, stop: int) -> Array:
        """The rows from `start` up to `stop`, counted from 0."""
        ends = self.offsets[start : stop + 1]
        return Array(ends - ends[0], self.elements.part(int(ends[0]), int(ends[-1])), self.null[start:stop])


Values = Fixed | Text | Array


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows. first: number of its first row, counted from 1; columns: in the source's order."""

    first: int
    columns: tuple[Values, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def part(self, start: int, stop: int) -> Block:
        """The rows from `start` up to `stop`, counted from 0."""
        return Block(self.first + start, tuple(column.part(start, stop) for column in self.columns))


def spans(sizes: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Consecutive rows that have together at most so many bytes, from start up to stop; at least one each time.

    sizes: bytes of each row.
    """
    ends = np.cumsum(sizes)
    start = before = 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield start, stop
        start, before = stop, int(ends[stop - 1])


def fixed(values: NDArray[Any], null: Mask | None = None) -> Fixed:
    """Values with their nulls. A floating-point NaN is null too: SQL would sort and compare it as a huge number."""
    mask = np.zeros(len(values), dtype=bool) if null is None else null
    if values.dtype.kind == "f":
        mask = mask | np.isnan(values)
    return Fixed(values, mask)


def text(strings: NDArray[np.bytes_], null: Mask | None = None) -> Text:
    """Fixed-width byte strings, padded at the end, as ragged UTF-8; an empty one is null unless `null` decides."""
    width = strings.dtype.itemsize
    lengths = np.strings.str_len(strings)
    matrix = np.ascontiguousarray(strings).view(np.uint8).reshape(len(strings), width)
    offsets = np.zeros(len(strings) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = matrix[np.arange(width) < lengths[:, None]]
    return Text(offsets, data, lengths == 0 if null is None else null)


def strings(values: Sequence[str | None], *, blank_is_null: bool = True) -> Text:
    """Python strings; None is null, and the empty string unless the source can tell one from the other."""
    encoded = [(value or "").encode() for value in values]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    null = np.fromiter((value is None for value in values), dtype=bool, count=len(encoded))
    return Text(
        offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8), null | (lengths == 0) if blank_is_null else null
    )
