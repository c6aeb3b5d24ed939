"""Rows as PostgreSQL's COPY … (FORMAT binary) sends them, taken apart into columns and put together anew by numpy.

A row is a message of PostgreSQL's protocol: `d`, its length as int32, the number of fields as int16, and for each field
its length as int32 and its bytes in network byte order (PostgreSQL 17 §53.7 CopyData, COPY "Binary Format"). No value
becomes a Python object here: a block of rows costs a few calls of numpy for each column, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

HEAD = 7
"""Bytes of a row before its first field."""

_LENGTH = np.dtype(">i4")
"""Of a field; −1 of one that is NULL."""

_DRAWN_OUT = 4
"""How much more room values may take, all as long as the longest, before it is sooner to take them byte by byte."""

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]
Null: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Some rows. data: their whole messages, one after the other with nothing between; starts: where each begins."""

    data: bytes | memoryview
    starts: Places

    def part(self, start: int, stop: int) -> RawBlock:
        """The rows from `start` up to `stop`, counted from 0."""
        if (start, stop) == (0, len(self.starts)):
            return self
        begin = int(self.starts[start]) if start else 0
        end = int(self.starts[stop]) if stop < len(self.starts) else len(self.data)
        return RawBlock(self.data[begin:end], self.starts[start:stop] - begin)


def apart(blocks: Iterable[RawBlock]) -> Iterator[bytes | memoryview]:
    """Blocks as bytes, two parts each."""
    for block in blocks:
        yield block.data
        yield block.starts.tobytes()


def restored(parts: Iterable[bytes]) -> Iterator[RawBlock]:
    """Blocks that were taken `apart`."""
    pairs = iter(parts)
    for data, starts in zip(pairs, pairs, strict=True):
        yield RawBlock(data, np.frombuffer(starts, np.intp))


@dataclass(frozen=True, slots=True)
class Ragged:
    """A column of values of any length. lengths: in bytes, of each row; data: the bytes of all rows."""

    lengths: Places
    data: Bytes

    def __len__(self) -> int:
        return len(self.lengths)


Cells: TypeAlias = "NDArray[Any] | Ragged"
"""A column of a block."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of all rows. dtype: of its value, in network byte order, None where its length differs from row to row;
    nullable: whether one of a fixed length may be NULL; those of any length may."""

    dtype: np.dtype[Any] | None
    nullable: bool = False


def columns(block: RawBlock, fields: Sequence[Field]) -> list[tuple[Cells, Null | None]]:
    """The fields of all rows by column, zero or nothing where they are NULL, and which are; None where none can be."""
    row = _sent(tuple(fields))
    if row is not None and len(block.data) == row.itemsize * len(block.starts):
        # Where all rows are equally long, numpy reads the values where they stand, and none is NULL.
        rows = np.frombuffer(block.data, row)
        return [(rows[name], None) for name in rows.dtype.names or ()]
    raw = np.frombuffer(block.data, np.uint8)
    place = block.starts + HEAD
    found: list[tuple[Cells, Null | None]] = []
    for field in fields:
        if field.dtype is not None and not field.nullable:
            found.append((_at(raw, place + 4, field.dtype), None))
            place = place + 4 + field.dtype.itemsize
            continue
        lengths = _at(raw, place, _LENGTH).astype(np.intp)
        null = lengths < 0
        lengths[null] = 0
        place = place + 4
        found.append((_present(raw, place, lengths, null, field.dtype), null))
        place = place + lengths
    return found


def together(cells: Sequence[Cells]) -> memoryview:
    """The bytes of all rows, each with its cells one after the other and nothing between them."""
    count = len(cells[0])
    given = [cell for cell in cells if not isinstance(cell, Ragged) or len(cell.data)]
    total = sum(len(cell.data) if isinstance(cell, Ragged) else cell.nbytes for cell in given)
    if count * sum(map(_longest, given)) > _DRAWN_OUT * total:
        return _scattered(given, total)
    even = [(cell, None) if isinstance(cell, np.ndarray) and cell.ndim == 1 else _even(cell) for cell in given]
    rows = np.empty(count, _packed(tuple(values.dtype for values, _ in even)))
    names, fields = rows.dtype.names or (), rows.dtype.fields or {}
    for name, (values, _) in zip(names, even, strict=True):
        rows[name] = values
    octets = rows.view(np.uint8)
    if all(within is None for _, within in even):
        return octets.data
    kept = np.ones((count, rows.itemsize), np.bool_)
    for name, (_, within) in zip(names, even, strict=True):
        if within is not None:
            place = fields[name][1]
            kept[:, place : place + within.shape[1]] = within
    return octets[kept.reshape(-1)].data


def padded(cell: Ragged, width: int, filling: int) -> NDArray[Any]:
    """Each value with exactly `width` bytes: cut, or filled up."""
    out = np.full((len(cell), width), filling, np.uint8)
    lengths = np.minimum(cell.lengths, width)
    data = cell.data
    if _longest(cell) > width:
        data = data[_every_byte(np.cumsum(cell.lengths) - cell.lengths, lengths)]
    out[_within(lengths, width)] = data
    return out


def _longest(cell: Cells) -> int:
    """The most bytes that a row has of it."""
    return int(cell.lengths.max(initial=0)) if isinstance(cell, Ragged) else cell.nbytes // max(1, len(cell))


def _even(cell: Cells) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """One value a row, all of them as long as the longest, and which of its bytes are in the row: None for all.

    A few values a row become one, because numpy copies an array of them several times as slowly.
    """
    within = None
    if not isinstance(cell, Ragged):
        octets = cell.reshape(len(cell), prod(cell.shape[1:]))
    elif len(cell.data) == len(cell) * _longest(cell):
        octets = cell.data.reshape(-1, _longest(cell))
    else:
        within = _within(cell.lengths, _longest(cell))
        octets = np.empty(within.shape, np.uint8)
        octets[within] = cell.data
    return octets.view(f"V{octets.shape[1] * octets.itemsize}")[:, 0], within


def _scattered(cells: Sequence[Cells], total: int) -> memoryview:
    """The same as `together` where a few cells are much longer than the others, for which all would need room."""
    widths = [cell.lengths if isinstance(cell, Ragged) else _longest(cell) for cell in cells]
    length = np.zeros(len(cells[0]), np.intp) + sum(widths)
    place = np.cumsum(length) - length
    out = np.empty(total, np.uint8)
    for cell, width in zip(cells, widths, strict=True):
        data = cell.data if isinstance(cell, Ragged) else np.ascontiguousarray(cell).view(np.uint8).reshape(-1)
        out[_every_byte(place, np.broadcast_to(width, len(place)))] = data
        place = place + width
    return out.data


def _within(lengths: Places, width: int) -> NDArray[np.bool_]:
    """Which of `width` bytes each value has."""
    within: NDArray[np.bool_] = np.arange(width, dtype=np.int32) < lengths.astype(np.int32)[:, np.newaxis]
    return within


def _taken(raw: Bytes, places: Places, lengths: Places) -> Bytes:
    """The bytes of pieces that begin at `places` and have these lengths."""
    count, longest, total = len(lengths), int(lengths.max(initial=0)), int(lengths.sum())
    if not total or count * longest > _DRAWN_OUT * total:
        return raw[_every_byte(places, lengths)]
    if int(places[-1]) + longest > len(raw):
        raw = np.concatenate((raw, np.zeros(longest, np.uint8)))
    pieces = _at(raw, places, np.dtype((np.uint8, (longest,))))
    return pieces.reshape(-1) if total == count * longest else pieces[_within(lengths, longest)]


def _present(raw: Bytes, places: Places, lengths: Places, null: Null, dtype: np.dtype[Any] | None) -> Cells:
    """The values that begin at these bytes, where they are not NULL."""
    if dtype is None:
        return Ragged(lengths, _taken(raw, places, lengths))
    values: NDArray[Any] = np.zeros(len(places), dtype)
    values[~null] = _at(raw, places[~null], dtype)
    return values


@lru_cache(maxsize=512)
def _sent(fields: tuple[Field, ...]) -> np.dtype[Any] | None:
    """A row of PostgreSQL's with these fields and no NULL, None where rows differ in length."""
    places, place = [], HEAD
    for field in fields:
        if field.dtype is None:
            return None
        places.append(place + 4)
        place += 4 + field.dtype.itemsize
    names = [f"f{number}" for number in range(len(fields))]
    formats = [field.dtype for field in fields]
    return np.dtype({"names": names, "formats": formats, "offsets": places, "itemsize": place})


@lru_cache(maxsize=512)
def _packed(dtypes: tuple[np.dtype[Any], ...]) -> np.dtype[Any]:
    """The same values with nothing between them."""
    return np.dtype([(f"f{number}", dtype) for number, dtype in enumerate(dtypes)])


def _at(raw: Bytes, places: Places, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The values that begin at these bytes."""
    if not len(places):
        return np.empty(0, dtype)
    base, shape = dtype.subdtype or (dtype, ())
    whole = np.dtype(f"V{dtype.itemsize}")
    windows: NDArray[Any] = np.ndarray((len(raw) - dtype.itemsize + 1,), whole, raw, 0, (1,))
    return windows[places].view(base).reshape(len(places), *shape)


def _every_byte(places: Places, lengths: Places) -> Places:
    """The place of every byte of pieces that begin at `places` and have these lengths."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(places - (ends - lengths), lengths) + np.arange(total)
