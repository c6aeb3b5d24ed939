"""Rows as PostgreSQL's COPY … (FORMAT binary) sends them, taken apart into columns and put together anew by numpy.

A row is a message of PostgreSQL's protocol: `d`, its length as int32, the number of fields as int16, and for each field
its length as int32 and its bytes in network byte order (PostgreSQL 17 §53.7 CopyData, COPY "Binary Format"). No value
becomes a Python object here: a block of rows costs a few calls of numpy for each column, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

HEAD = 7
"""Bytes of a row before its first field."""

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Some rows. data: their whole messages, one after the other; starts: where each begins, empty for COPY's text
    formats, whose rows nobody needs to find."""

    data: bytes | memoryview
    starts: Places


@dataclass(frozen=True, slots=True)
class Ragged:
    """A column of values of any length. lengths: in bytes, of each row; data: the bytes of all rows."""

    lengths: Places
    data: Bytes

    def __len__(self) -> int:
        return len(self.lengths)


Cells: TypeAlias = "NDArray[Any] | Ragged"
"""A column of a block."""


def columns(block: RawBlock, dtypes: Sequence[np.dtype[Any] | None]) -> list[Cells]:
    """The fields of all rows by column; dtypes: of each field, in network byte order, None where its length differs
    from row to row. No field may be NULL."""
    sizes = [None if dtype is None else dtype.itemsize for dtype in dtypes]
    width = HEAD + sum(4 + size for size in sizes if size is not None)
    if None not in sizes and len(block.data) == width * len(block.starts):
        return _of_equal_rows(block, dtypes)
    raw = np.frombuffer(block.data, np.uint8)
    place = block.starts + HEAD
    found: list[Cells] = []
    for dtype in dtypes:
        if dtype is None:
            lengths = _at(raw, place, np.dtype(">i4")).astype(np.intp)
            found.append(Ragged(lengths, raw[_every_byte(place + 4, lengths)]))
            place = place + 4 + lengths
        else:
            found.append(_at(raw, place + 4, dtype))
            place = place + 4 + dtype.itemsize
    return found


def together(cells: Sequence[Cells]) -> bytes:
    """The bytes of all rows, each with its cells one after the other and nothing between them."""
    fixed = [cell for cell in cells if not isinstance(cell, Ragged)]
    if len(fixed) == len(cells):
        row = np.dtype([(f"f{number}", cell.dtype, cell.shape[1:]) for number, cell in enumerate(fixed)])
        rows = np.empty(len(fixed[0]), row)
        for number, cell in enumerate(fixed):
            rows[f"f{number}"] = cell
        return rows.tobytes()
    widths = [_widths(cell) for cell in cells]
    length = np.zeros(len(cells[0]), np.intp) + sum(widths)
    place = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint8)
    for given, width in zip(cells, widths, strict=True):
        if isinstance(given, Ragged):
            out[_every_byte(place, given.lengths)] = given.data
        else:
            for offset, byte in enumerate(np.ascontiguousarray(given).view(np.uint8).reshape(len(given), -1).T):
                out[place + offset] = byte
        place = place + width
    return out.tobytes()


def padded(cell: Ragged, width: int, filling: int) -> NDArray[Any]:
    """Each value with exactly `width` bytes: cut, or filled up."""
    out = np.full((len(cell), width), filling, np.uint8)
    lengths = np.minimum(cell.lengths, width)
    source = np.cumsum(cell.lengths) - cell.lengths
    out.reshape(-1)[_every_byte(np.arange(len(cell)) * width, lengths)] = cell.data[_every_byte(source, lengths)]
    return out


def _of_equal_rows(block: RawBlock, dtypes: Sequence[np.dtype[Any] | None]) -> list[Cells]:
    """The same where all rows are equally long: numpy reads the values where they stand."""
    fields: list[tuple[str, Any]] = [("head", f"V{HEAD}")]
    for number, dtype in enumerate(dtypes):
        fields += [(f"n{number}", ">i4"), (f"f{number}", dtype)]
    rows = np.frombuffer(block.data, np.dtype(fields))
    return [rows[f"f{number}"] for number in range(len(dtypes))]


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


def _widths(cell: Cells) -> Places | int:
    return cell.lengths if isinstance(cell, Ragged) else cell.dtype.itemsize * int(np.prod(cell.shape[1:]))
