"""Texts of FITS tables: they end at their first NUL, and blanks at their end mean nothing (FITS 4.0 §7.3.3.1).

What is beyond ASCII, which no FITS file should have, is taken for UTF-8, or else for ISO 8859-1.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column
from almagest.formats.block import Text, Values
from almagest.formats.decode import cells
from almagest.formats.decode.field import Field

Bytes = NDArray[np.uint8]


def even(column: Column, raw: NDArray[np.bytes_], first: int, null: str | None = None) -> Values:
    """Texts of one width. raw: of shape (rows,); first: number of the first row; null: the text that means none."""
    lengths = np.strings.str_len(np.strings.rstrip(raw, b" "))
    width = raw.dtype.itemsize
    octets = np.ascontiguousarray(raw).view(np.uint8).reshape(len(raw), width)
    kept = octets[np.arange(width) < lengths[:, None]]
    return _typed(column, Text(_offsets(lengths), kept, lengths == 0), first, null)


def ragged(column: Column, octets: Bytes, lengths: NDArray[np.int64], first: int) -> Values:
    """Texts end to end."""
    return _typed(column, Text(_offsets(lengths), octets, lengths == 0), first, None)


def nothing(rows: int) -> Text:
    """Texts of no character."""
    return Text(np.zeros(rows + 1, np.int64), np.empty(0, np.uint8), np.ones(rows, bool))


def _typed(column: Column, text: Text, first: int, null: str | None) -> Values:
    data = text.data
    ends = text.offsets[1:][~text.null] - 1
    plain = not len(data) or (data.max() < 128 and data.min() > 0 and (data[ends] != ord(" ")).all())
    if plain and null is None and column.xtype is None:
        return text
    octets = data.tobytes()
    found = [_string(octets[start:stop]) for start, stop in pairwise(text.offsets.tolist())]
    return cells.values(Field(column, "char", None, null), found, first)


def _string(octets: bytes) -> str:
    octets = octets.partition(b"\0")[0].rstrip(b" ")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
