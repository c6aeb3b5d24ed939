"""What is asked of PostgreSQL for the binary formats, and what its answer means column by column.

Rows that are equally long are read where they stand, so scalars are sent with a value also where they are NULL: NaN for
a floating-point number, `?` for a boolean, and for a short or int a number that it cannot hold, in the next wider type.
(A field of its own that says which are NULL would cost PostgreSQL a twentieth of the whole answer.) A long has no wider
type: it is NULL in a row that is shorter for it, as are texts and arrays. Formats that have no other word for NULL than
a number get that number; for elements of arrays, only columnar formats have another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.adql.catalogue import Column
from almagest.formats import rows
from almagest.formats.rows import Cells, Field, Null, Ragged, RawBlock
from almagest.formats.sql import elements, fixed_size, is_text, is_timestamp, text

SENT: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in {
        "boolean": "S1", "short": ">i2", "int": ">i4", "long": ">i8", "float": ">f4", "double": ">f8",
    }.items()
}  # fmt: skip
"""Datatype → numpy's type of an element as PostgreSQL sends it; of a boolean T, F or ?."""

MARKS: Mapping[str, int] = {"short": -(1 << 15), "int": -(1 << 31), "long": -(1 << 63)}
"""Datatype → what stands for NULL in formats that have no place for it: the number furthest from any in use."""

_NULLS = {
    "short": ("int2send", r"'\x8000'::bytea"),
    "int": ("int4send", r"'\x80000000'::bytea"),
    "long": ("int8send", r"'\x8000000000000000'::bytea"),
    "float": ("float4send", r"'\x7fc00000'::bytea"),
    "double": ("float8send", r"'\x7ff8000000000000'::bytea"),
}
"""Datatype → function of an element of an array, bytes of a NULL element: NaN, or one of MARKS."""

_MISSING: Mapping[str, Any] = {"float": np.nan, "double": np.nan, "boolean": b"?", **MARKS}
"""Datatype → each element of a fixed array that is NULL, for readers who do not ask whether it is."""

_TYPES = {"short": "smallint", "int": "integer", "long": "bigint", "float": "real", "double": "double precision"}

_WIDER = {
    "short": ("integer", 1 << 16, np.dtype([("null", ">i2"), ("value", ">i2")])),
    "int": ("bigint", 1 << 32, np.dtype([("null", ">i4"), ("value", ">i4")])),
}
"""Datatype → the next wider type, what is NULL in it, and its halves: the first is 1 in that number, and in no other
that the datatype holds; the second is zero, or the value."""

ELEMENTS: Mapping[str, np.dtype[Any]] = {
    **SENT,
    **{name: halves for name, (_, _, halves) in _WIDER.items()},
    "long": np.dtype([("null", "u1"), ("value", ">i8")]),
}
"""Datatype → numpy's type of an element of an array as columnar formats get it: a whole number with whether it is
NULL, which is 1 then, because every number of the type may be a value."""

_UNROLLED = 8
"""Fixed arrays up to this length are written element by element, without a subquery."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block, taken apart.

    cells: by column; text is UTF-8, empty where it is NULL; a whole number is zero there. nulls: by column, which rows
    are NULL; None where none is, or where the values say so: NaN, and the MARKS of a layout that has them.
    """

    cells: list[Cells]
    nulls: list[Null | None]

    def __len__(self) -> int:
        return len(self.cells[0])

    def bits(self) -> NDArray[np.uint8]:
        """`nulls` as a bit a column, from the left, filled up to bytes; shape (rows, bytes)."""
        bits = np.zeros((len(self), (len(self.cells) + 7) // 8), np.uint8)
        for number, null in enumerate(self.nulls):
            if null is not None:
                bits[null, number // 8] |= 0x80 >> number % 8
        return bits


class Layout:
    """How rows of these columns come.

    columnar: whether timestamps are microseconds since 2000 instead of text, infinite where they are NULL, and elements
    of arrays are ELEMENTS; marked: whether NULL among whole numbers is one of MARKS, as it is among elements otherwise.
    """

    def __init__(self, columns: Sequence[Column], *, columnar: bool = False, marked: bool = False) -> None:
        self.columns = tuple(columns)
        self.columnar = columnar
        self.marked = marked
        self._fields = tuple(self._field(column) for column in columns)

    def expressions(self) -> tuple[str, ...]:
        """SQL of the fields over c1 … cn."""
        return tuple(self._cell(column, f"c{number}") for number, column in enumerate(self.columns, 1))

    def part(self, block: RawBlock) -> Part:
        """The block's columns."""
        cells: list[Cells] = []
        nulls: list[Null | None] = []
        for column, found in zip(self.columns, rows.columns(block, self._fields), strict=True):
            cell, null = self._known(column, *found)
            cells.append(cell)
            nulls.append(null if null is not None and null.any() else None)
        return Part(cells, nulls)

    def _known(self, column: Column, cell: Cells, null: Null | None) -> tuple[Cells, Null | None]:
        """A column's values, and which of them are none."""
        if self.marked or isinstance(cell, Ragged):
            return cell, null
        if column.arraysize is not None:
            if null is not None and cell.dtype == SENT[column.datatype]:
                cell[null] = _MISSING[column.datatype]
            return cell, null
        if column.datatype == "boolean":
            return cell, cell == b"?"
        return (cell["value"], cell["null"] == 1) if column.datatype in _WIDER else (cell, null)

    def _field(self, column: Column) -> Field:
        if self.columnar and is_timestamp(column):
            return Field(np.dtype(">i8"))
        size = fixed_size(column)
        if is_text(column) or size is None:
            return Field(None)
        if column.arraysize is not None:
            element = (ELEMENTS if self.columnar else SENT)[column.datatype]
            return Field(np.dtype((element, (size,))), nullable=not self.marked)
        base = SENT[column.datatype]
        if self.marked:
            return Field(base)
        return Field(_WIDER[column.datatype][2] if column.datatype in _WIDER else base, column.datatype == "long")

    def _cell(self, column: Column, name: str) -> str:
        if is_timestamp(column):
            return f"coalesce({name}, 'infinity'::timestamp)" if self.columnar else text(column, name)
        if is_text(column):
            return name
        if column.arraysize is not None:
            return self._array(column, name)
        if column.datatype == "boolean":
            return f"""CASE WHEN {name} THEN 'T'::"char" WHEN NOT {name} THEN 'F'::"char" ELSE '?'::"char" END"""
        return self._number(column.datatype, name)

    def _number(self, datatype: str, name: str) -> str:
        if datatype in MARKS and self.marked:
            return f"coalesce({name}, '{MARKS[datatype]}'::{_TYPES[datatype]})"
        if datatype in _WIDER:
            wider, null, _ = _WIDER[datatype]
            return f"coalesce({name}::{wider}, {null})"
        return f"{name}::bigint" if datatype == "long" else f"coalesce({name}, 'NaN'::{_TYPES[datatype]})"

    def _array(self, column: Column, name: str) -> str:
        """The bytes of the elements, of a fixed array always as many, or other rows would be read wrong."""
        size = fixed_size(column)
        if size is None:
            joined = f"SELECT string_agg({self._element(column, 'e')}, ''::bytea ORDER BY i) FROM {elements(name)}"
            return _unless_null(name, f"coalesce(({joined}), ''::bytea)")
        if size <= _UNROLLED:
            joined = " || ".join(self._element(column, f"{name}[{number}]") for number in range(1, size + 1))
        else:
            element = self._element(column, f"{name}[i]")
            joined = f"(SELECT string_agg({element}, ''::bytea ORDER BY i) FROM generate_series(1, {size}) AS i)"
        return joined if self.marked else _unless_null(name, joined)

    def _element(self, column: Column, name: str) -> str:
        datatype = column.datatype
        if datatype == "boolean":
            return rf"CASE WHEN {name} THEN '\x54'::bytea WHEN NOT {name} THEN '\x46'::bytea ELSE '\x3f'::bytea END"
        if self.columnar and datatype in _WIDER:
            return f"{'int4send' if datatype == 'short' else 'int8send'}({self._number(datatype, name)})"
        send, missing = _NULLS[datatype]
        if self.columnar and datatype == "long":
            return rf"coalesce('\x00'::bytea || {send}({name}), '\x01'::bytea || {missing})"
        return f"coalesce({send}({name}), {missing})"


def ascii_only(cell: Ragged) -> Ragged:
    """Text for those who read ASCII and stop at anything else: one `?` for each other character.

    Such text must be declared unicodeChar; where it was not, one character must not cost the table.
    """
    if not len(cell.data) or int(cell.data.max()) < 0x80:
        return cell
    kept = (cell.data & 0xC0) != 0x80
    data = np.where(cell.data < 0x80, cell.data, np.uint8(ord("?")))[kept]
    return Ragged(_sums(kept, cell.lengths), data)


def utf16(cell: Ragged) -> Ragged:
    """UTF-8 text as UTF-16BE, as unicodeChar is read everywhere."""
    if not len(cell.data) or int(cell.data.max()) < 0x80:
        wide = np.zeros((len(cell.data), 2), np.uint8)
        wide[:, 1] = cell.data
        return Ragged(cell.lengths * 2, wide.reshape(-1))
    units = ((cell.data & 0xC0) != 0x80).astype(np.intp) + (cell.data >= 0xF0)
    encoded = cell.data.tobytes().decode().encode("utf-16-be")
    return Ragged(2 * _sums(units, cell.lengths), np.frombuffer(encoded, np.uint8))


def _sums(values: NDArray[Any], lengths: rows.Places) -> rows.Places:
    """The sum of the values of each row."""
    totals = np.concatenate(([0], np.cumsum(values, dtype=np.intp)))
    ends = np.cumsum(lengths)
    sums: rows.Places = totals[ends] - totals[ends - lengths]
    return sums


def _unless_null(name: str, expression: str) -> str:
    return f"CASE WHEN {name} IS NOT NULL THEN {expression} END"
