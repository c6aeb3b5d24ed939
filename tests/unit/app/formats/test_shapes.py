"""Shapes that come in with a file: those that lie on the sphere, and the place of those that do not."""

from __future__ import annotations

import io
from typing import Any

import pytest

from almagest.formats.decode import Bounds, DecodingError, decode
from support.types_grammar import SHAPES, rows

from .test_decode_votable import tabledata

BOUNDS = Bounds(bytes=20_000_000, rows=100_000, columns=200, cell=1_000_000, row=4_000_000)
SIZES = {"point": "2", "circle": "3", "polygon": "*"}


def read(xtype: str, *cells: str) -> list[Any]:
    field = f'<FIELD name="s" datatype="double" arraysize="{SIZES[xtype]}" xtype="{xtype}"/>'
    decoded = decode(io.BytesIO(tabledata(field, *((cell,) for cell in cells))), "", BOUNDS)
    return [row[0] for row in rows(decoded.columns, decoded.blocks)]


@pytest.mark.parametrize("typed", SHAPES, ids=lambda typed: typed.column.name)
def test_every_shape_of_the_sphere_is_read(typed: Any) -> None:
    cells = [" ".join(map(str, value)) if value else "" for value in typed.values]
    assert read(typed.column.xtype, *cells) == list(typed.values)


@pytest.mark.parametrize(
    ("xtype", "cell", "message"),
    [
        ("circle", "10 20 120", "row 3, column 's': the radius is not between 0° and 90°.*: 10 20 120$"),
        ("circle", "10 20 -1", "row 3, column 's': the radius"),
        ("circle", "10 20 NaN", "row 3, column 's': a coordinate is missing"),
        ("circle", "10 91 1", "row 3, column 's': a latitude"),
        ("point", "10 95", "row 3, column 's': a latitude is beyond ±90°: 10 95"),
        ("point", "Inf 5", "row 3, column 's': a coordinate is missing"),
        ("point", "10 NaN", "row 3, column 's': a coordinate is missing"),
        ("polygon", "0 0 1 1", "row 3, column 's': a polygon has"),
        ("polygon", "0 0 1 1 2 2 3", "row 3, column 's': a polygon has"),
        ("polygon", "0 0 1 1 2 -91", "row 3, column 's': a latitude"),
    ],
)
def test_what_is_no_shape_is_refused_with_its_place(xtype: str, cell: str, message: str) -> None:
    good = {"point": "1 2", "circle": "1 2 3", "polygon": "0 0 1 0 1 1"}[xtype]
    with pytest.raises(DecodingError, match=message):
        read(xtype, good, "", cell, good)


def test_a_shape_without_any_coordinate_is_none() -> None:
    """As TABLEDATA and BINARY, which have no other word, write one that is missing."""
    assert read("point", "NaN NaN", "1 2") == [None, [1.0, 2.0]]
    assert read("circle", "NaN NaN NaN") == [None]
