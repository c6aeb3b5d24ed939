"""Every type that a column can have, with every value that some format has trouble with, and tables made of them.

A complex number has no type of its own here: it is an array of two numbers, real part first, with the xtype `complex`;
an array of n of them is `2xn`. A bit is a boolean. Shapes are arrays of degrees with their xtype.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from almagest.catalogue import Column
from almagest.formats.block import Array, Block, Fixed, Text, Values
from almagest.formats.pgcopy import sql_type

NAN, INF = math.nan, math.inf

BITS = {"short": 16, "int": 32, "long": 64}
"""Of the whole numbers."""

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - DALI's timestamps have no zone


@dataclass(frozen=True)
class Typed:
    """A column and values for it: Python's own (lists for arrays, datetime for timestamps), None for null."""

    column: Column
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """Typed columns side by side. rows: as many values of each."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def select(self) -> str:
        """SQL that answers with these rows, in their order."""
        types = [sql_type(column) for column in self.columns]
        names = ", ".join(f"v{number}" for number in range(1, len(types) + 1))
        lines = [
            f"({number}, {', '.join(f'{_literal(value)}::{kind}' for value, kind in zip(row, types, strict=True))})"
            for number, row in enumerate(self.rows)
        ]
        nothing = f"(0, {', '.join(f'NULL::{kind}' for kind in types)})"
        condition = "" if lines else " WHERE false"
        return f"SELECT {names} FROM (VALUES {', '.join(lines or [nothing])}) AS v (n, {names}){condition} ORDER BY n"


def _whole(datatype: str) -> tuple[Any, ...]:
    top = 1 << BITS[datatype] - 1
    return (0, 1, -1, top - 1, -top, None, -top + 1, 1234567890123456789 % top)


_FLOATS: tuple[Any, ...] = (0.0, -0.0, 1.5, -1e-3, NAN, INF, -INF, None)
_NUMBERS: dict[str, tuple[Any, ...]] = {
    "boolean": (True, False, None),
    **{name: _whole(name) for name in BITS},
    "float": (*_FLOATS, 3.4028234663852886e38, 1.401298464324817e-45, 0.10000000149011612),
    "double": (*_FLOATS, 1.7976931348623157e308, 5e-324, 0.1, 123456789.12345679),
}
ASCII = (
    "one", "", None, "a,b;c|d", 'say "hi"', "it's", "a\tb", "a\nb", "a\rb", "a\r\nb", "back\\slash", "\\N", "NULL",
    "NaN", " blank before", "blank behind ", "  ", "# no comment", "<td>&amp;]]>", "007", "1e5", "true", "2030-01-31",
    "-", ".", "{1,2}", "[1]", "x" * 300,
)  # fmt: skip
"""Texts without anything beyond ASCII."""

UNICODE = (
    "β Ori", "𝔸𝔹", "line\u2028line\u2029", "next\x85line", "no\u00a0break", "e\u0301", "\ufeffmark", "\u200f\u05d0", "",
    None, "plain", "日本" * 100,
)  # fmt: skip
"""Texts beyond ASCII."""

_TIMES = (
    datetime(2000, 1, 1), datetime(1999, 12, 31, 23, 59, 59, 999999), None, datetime(1, 1, 1),  # noqa: DTZ001
    datetime(9999, 12, 31, 23, 59, 59), datetime(2030, 1, 31, 12, 0, 0, 500000), datetime(1969, 7, 20, 20, 17, 40),  # noqa: DTZ001
)  # fmt: skip


def _scalars() -> Iterator[Typed]:
    for datatype, values in _NUMBERS.items():
        yield Typed(Column(datatype, datatype), values)  # type: ignore[arg-type] # the keys are Datatype's
    yield Typed(Column("text", "char", "*"), ASCII)
    yield Typed(Column("wide", "unicodeChar", "*"), UNICODE)
    yield Typed(Column("time", "char", "*", "timestamp"), _TIMES)


def _arrays() -> Iterator[Typed]:
    for datatype, values in _NUMBERS.items():
        some = list(values)
        ragged = ([some[0]], some, None, [None], some[:3], [None, some[1], None])
        for bound in ("*", "99*"):
            name = f"{datatype}_{'any' if bound == '*' else 'bounded'}"
            yield Typed(Column(name, datatype, bound), ragged)  # type: ignore[arg-type]
        for size in (3, 11):
            even = tuple([some[(start + place) % len(some)] for place in range(size)] for start in range(len(some)))
            yield Typed(Column(f"{datatype}_{size}", datatype, str(size)), (*even, None, [None] * size))  # type: ignore[arg-type]
    yield Typed(Column("grid", "int", "2x3"), ([1, 2, None, 4, 5, 6], None, [0] * 6))
    yield Typed(Column("empty_too", "double", "*"), ([], [1.5], None, [NAN, 2.0]))


def _shapes() -> Iterator[Typed]:
    yield Typed(Column("point", "double", "2", "point"), ([0.0, 90.0], [359.5, -89.0], None))
    yield Typed(Column("circle", "double", "3", "circle"), ([10.0, 20.0, 0.5], None, [0.0, 0.0, 90.0]))
    yield Typed(Column("polygon", "double", "*", "polygon"), ([0.0, 0.0, 1.0, 0.0, 1.0, 1.0], None))


def _complex() -> Iterator[Typed]:
    yield Typed(Column("wave", "float", "2", "complex"), ([1.5, -2.0], [0.0, INF], None, [NAN, NAN]))
    yield Typed(Column("phase", "double", "2", "complex"), ([0.1, 1e300], None, [-0.0, 5e-324]))
    yield Typed(Column("waves", "double", "2x*", "complex"), ([1.0, 2.0, 3.0, 4.0], None, [0.5, NAN]))
    yield Typed(Column("three_waves", "float", "2x3", "complex"), ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], None))


SCALARS = tuple(_scalars())
ARRAYS = tuple(_arrays())
SHAPES = tuple(_shapes())
COMPLEX = tuple(_complex())
TYPES = (*SCALARS, *ARRAYS, *SHAPES, *COMPLEX)


def tables(types: Sequence[Typed] = TYPES) -> Iterator[Table]:
    """Each type alone with all of its values, and all of them together: with no row, with one, and with all."""
    for typed in types:
        yield Table(typed.column.name, (typed.column,), tuple((value,) for value in typed.values))
    columns = tuple(typed.column for typed in types)
    longest = max(len(typed.values) for typed in types)
    rows = [tuple(typed.values[number % len(typed.values)] for typed in types) for number in range(longest)]
    yield Table("none", columns, ())
    yield Table("one", columns, tuple(rows[:1]))
    yield Table("all", columns, tuple(rows))


def pythonic(values: Values, column: Column | None = None) -> Iterator[Any]:
    """The values of a column of a block as the grammar has them. column: tells a timestamp from its microseconds."""
    for index, missing in enumerate(values.null.tolist()):
        if missing:
            yield None
        elif isinstance(values, Fixed):
            value = values.values[index].item()
            yield _EPOCH + timedelta(microseconds=value) if column and column.xtype == "timestamp" else value
        elif isinstance(values, Text):
            yield values.data[values.offsets[index] : values.offsets[index + 1]].tobytes().decode()
        else:
            assert isinstance(values, Array)
            part = slice(values.offsets[index], values.offsets[index + 1])
            yield list(pythonic(Fixed(values.elements.values[part], values.elements.null[part])))


def rows(columns: Sequence[Column], blocks: Iterable[Block]) -> list[tuple[Any, ...]]:
    """The rows that a decoder or a reader gives, as the grammar has them."""
    found: list[tuple[Any, ...]] = []
    for block in blocks:
        parts = (pythonic(values, column) for values, column in zip(block.columns, columns, strict=True))
        found += zip(*parts, strict=True)
    return found


def same(read: Any, stored: Any, column: Column) -> bool:
    """Whether a value is the stored one, to the last bit. A floating-point null is the same as NaN (VOTable 1.4 §6)."""
    if column.arraysize is not None and isinstance(stored, list) and column.datatype not in ("char", "unicodeChar"):
        element = Column("", column.datatype)
        return (
            isinstance(read, list)
            and len(read) == len(stored)
            and all(same(one, other, element) for one, other in zip(read, stored, strict=True))
        )
    if column.datatype in ("float", "double"):
        one, other = (NAN if value is None else value for value in (read, stored))
        if not isinstance(one, float) or not isinstance(other, float):
            return False
        code = ">f" if column.datatype == "float" else ">d"
        return (math.isnan(one) and math.isnan(other)) or struct.pack(code, one) == struct.pack(code, other)
    return type(read) is type(stored) and bool(read == stored)


def differences(read: Sequence[Sequence[Any]], table: Table) -> list[str]:
    """Where rows that came back are not those of the table, for an assertion that shows them."""
    if len(read) != len(table.rows):
        return [f"{len(read)} rows instead of {len(table.rows)}"]
    return [
        f"row {number}, {column.name}: {value!r} instead of {wanted!r}"
        for number, (row, stored) in enumerate(zip(read, table.rows, strict=True), 1)
        for column, value, wanted in zip(table.columns, row, stored, strict=True)
        if not same(value, wanted, column)
    ]


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return "'{" + ",".join("NULL" if item is None else str(item) for item in value) + "}'"
        case datetime():
            return f"'{value.isoformat()}'"
        case _:
            quoted = str(value).replace("\\", "\\\\").replace("'", "''")
            return f"E'{quoted}'"
