"""Bytes picked from many places at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

LONG = 32
"""Bytes of a value, on average, from which on values are gathered one by one and not byte by byte."""


def ragged(data: Bytes, starts: Places, sizes: Places) -> Bytes:
    """Bytes of different numbers from every place, end to end."""
    total = int(sizes.sum())
    if not total:
        return np.empty(0, dtype=np.uint8)
    filled = sizes > 0
    starts, sizes = starts[filled], sizes[filled]
    ends = starts + sizes
    if (starts[1:] == ends[:-1]).all():
        return data[starts[0] : ends[-1]]
    if total > LONG * len(sizes):
        return np.concatenate([data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)])
    before = np.cumsum(sizes) - sizes
    gathered: Bytes = data[np.repeat(starts - before, sizes) + np.arange(total)]
    return gathered
