"""Points, circles and polygons (DALI 1.1 §3.3.5–§3.3.7) of a file: what lies on the sphere, and what is none.

A database says only that a shape is wrong, and not which; so what can be known of one is looked at while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from almagest.adql.catalogue import Column
from almagest.formats.block import Array, Block, Mask
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.table import Decoded

XTYPES = frozenset({"point", "circle", "polygon"})

_LARGEST = 90.0
"""Degrees of a circle's radius: pgSphere has none beyond half of the sphere."""


def checked(decoded: Decoded) -> Decoded:
    """The same table with every shape on the sphere. A shape without any coordinate (NaN) is null.

    Raises DecodingError while the blocks are taken: a coordinate that is missing or out of range, a circle larger than
    half of the sphere, a polygon of fewer than three corners.
    """
    if not any(column.xtype in XTYPES for column in decoded.columns):
        return decoded
    return replace(decoded, blocks=_blocks(decoded))


def _blocks(decoded: Decoded) -> Iterator[Block]:
    for block in decoded.blocks:
        pairs = zip(block.columns, decoded.columns, strict=True)
        yield Block(
            block.first,
            tuple(
                _checked(values, column, block.first)
                if isinstance(values, Array) and column.xtype in XTYPES
                else values
                for values, column in pairs
            ),
        )


def _checked(shapes: Array, column: Column, first: int) -> Array:
    degrees = shapes.elements.values.astype("f8")
    known = ~shapes.elements.null & np.isfinite(degrees)
    lengths = np.diff(shapes.offsets)
    null = shapes.null | (_per_row(known, shapes.offsets) == 0)
    place = np.arange(len(degrees)) - np.repeat(shapes.offsets[:-1], lengths)
    is_latitude = place == 1 if column.xtype == "circle" else place % 2 == 1
    is_radius = place == 2 if column.xtype == "circle" else np.zeros(len(degrees), dtype=bool)
    for wrong, message in (
        (_any(~known, shapes.offsets), "a coordinate is missing"),
        (_any(known & is_latitude & (np.abs(degrees) > 90), shapes.offsets), "a latitude is beyond ±90°"),
        (
            _any(known & is_radius & ~((degrees >= 0) & (degrees <= _LARGEST)), shapes.offsets),
            f"the radius is not between 0° and {_LARGEST:g}°, the largest circle that can be queried",
        ),
        (
            (column.xtype == "polygon") & ((lengths < 6) | (lengths % 2 == 1)),
            "a polygon has two coordinates for each of at least three corners",
        ),
    ):
        rows = np.flatnonzero(wrong & ~null)
        if len(rows):
            shown = degrees[shapes.offsets[rows[0]] : shapes.offsets[rows[0] + 1]][:6].tolist()
            said = f"{message}: {' '.join(f'{number:g}' for number in shown)}"
            raise DecodingError(said, row=first + int(rows[0]), column=column.name)
    return Array(shapes.offsets, shapes.elements, null)


def _any(wrong: Mask, offsets: NDArray[np.int64]) -> Mask:
    """Which arrays have an element that is wrong."""
    return _per_row(wrong, offsets) > 0


def _per_row(counted: Mask, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counted)])
    counts: NDArray[np.int64] = sums[offsets[1:]] - sums[offsets[:-1]]
    return counts
