"""What an expression is worth while a query is analysed: its SQL, its type, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from almagest.catalogue import Column, Datatype


class Kind(Enum):
    """Types by what can be done with them. The numbers are in the order of PostgreSQL's promotions."""

    SHORT = 1
    INT = 2
    LONG = 3
    NUMERIC = 4
    FLOAT = 5
    DOUBLE = 6
    TEXT = "text"
    TIMESTAMP = "timestamp"
    BOOLEAN = "truth value"
    POINT = "point"
    CIRCLE = "circle"
    POLYGON = "polygon"
    ARRAY = "array"
    NULL = "NULL"

    @property
    def numeric(self) -> bool:
        """Whether one can calculate with it."""
        return isinstance(self.value, int)

    @property
    def integral(self) -> bool:
        """Whether it is a whole number."""
        return self in (Kind.SHORT, Kind.INT, Kind.LONG)

    @property
    def shape(self) -> bool:
        """Whether it lies on the sphere."""
        return self in (Kind.POINT, Kind.CIRCLE, Kind.POLYGON)

    @property
    def one(self) -> str:
        """A value of it, inside a sentence."""
        if self is Kind.NULL:
            return "NULL"
        return f"an {self}" if self is Kind.ARRAY else f"a {self}"

    @property
    def subject(self) -> str:
        """A value of it, where a sentence begins."""
        return f"{self.one[0].upper()}{self.one[1:]}"

    def __str__(self) -> str:
        return "number" if self.numeric else str(self.value)


_KINDS: dict[Datatype, Kind] = {
    "boolean": Kind.BOOLEAN,
    "short": Kind.SHORT,
    "int": Kind.INT,
    "long": Kind.LONG,
    "float": Kind.FLOAT,
    "double": Kind.DOUBLE,
    "char": Kind.TEXT,
    "unicodeChar": Kind.TEXT,
}

_DATATYPES: dict[Kind, tuple[Datatype, str | None, str | None]] = {
    Kind.SHORT: ("short", None, None),
    Kind.INT: ("int", None, None),
    Kind.LONG: ("long", None, None),
    Kind.NUMERIC: ("double", None, None),
    Kind.FLOAT: ("float", None, None),
    Kind.DOUBLE: ("double", None, None),
    Kind.TEXT: ("char", "*", None),
    Kind.TIMESTAMP: ("char", "*", "timestamp"),
    Kind.BOOLEAN: ("boolean", None, None),
    Kind.POINT: ("double", "2", "point"),
    Kind.CIRCLE: ("double", "3", "circle"),
    Kind.POLYGON: ("double", "*", "polygon"),
    Kind.ARRAY: ("double", "*", None),
    Kind.NULL: ("char", "*", None),
}

POSTGRES = {
    Kind.SHORT: "smallint",
    Kind.INT: "integer",
    Kind.LONG: "bigint",
    Kind.NUMERIC: "numeric",
    Kind.FLOAT: "real",
    Kind.DOUBLE: "double precision",
    Kind.TEXT: "text",
    Kind.TIMESTAMP: "timestamp",
    Kind.BOOLEAN: "boolean",
    Kind.POINT: "spoint",
    Kind.CIRCLE: "scircle",
    Kind.POLYGON: "spoly",
}
"""PostgreSQL's name of each type that a value can be cast to."""


@dataclass(frozen=True, slots=True)
class Value:
    """One expression.

    sql: complete in itself; atomic: needs no parentheses beside an operator. column: its type and metadata, and the
    name that it has without an alias. bare: the SQL of columns that stand in it outside of aggregates; aggregate:
    whether an aggregate of this query does; window: whether a function over a window does. literal: a text or number
    as written, if it is one.
    centre, radius: of a circle made here, in SQL, so that a condition may turn it around.
    site, guard: of a point made here: the SQL that an index may answer, which makes a point of any numbers, and the
    condition under which they are coordinates of one; guard is None where they always are. search: of a condition, SQL
    that is true where it is, but may be false where it is unknown: for WHERE and ON, where an index may answer.
    joined: how many texts a text may be put together of, also in queries further in.
    columns: as bare, and also where GROUP BY has the expression that they stand in: SQL that puts a value into a query
    of its own needs those. loose: whether an aggregate, window or random number stands in it that PostgreSQL would
    count to such a query rather than to ours; astray: whether that has happened.
    """

    sql: str
    kind: Kind
    column: Column
    atomic: bool = True
    bare: frozenset[str] = frozenset()
    aggregate: bool = False
    window: bool = False
    literal: str | None = None
    centre: Value | None = None
    radius: Value | None = None
    site: str | None = None
    guard: str | None = None
    search: str | None = None
    joined: int = 1
    columns: frozenset[str] = frozenset()
    loose: bool = False
    astray: bool = False

    def written(self, literal: str | None) -> Value:
        """The same, known to be this number or text."""
        return replace(self, literal=literal)

    def listed(self, length: int) -> Value:
        """An array of `length` of these."""
        return replace(self, kind=Kind.ARRAY, column=replace(self.column, arraysize=str(length)))

    def described_as(self, model: Value) -> Value:
        """The same, with the UCD, utype and description of `model`."""
        column = replace(
            self.column, ucd=model.column.ucd, utype=model.column.utype, description=model.column.description
        )
        return replace(self, column=column)

    @property
    def inner(self) -> str:
        """The SQL as an operand."""
        return self.sql if self.atomic else f"({self.sql})"

    @property
    def searched(self) -> str:
        """The SQL as a condition of which only the truth counts."""
        return self.search or self.sql

    @property
    def double(self) -> str:
        """The SQL as float8 for functions that also exist, slower and otherwise, for numeric."""
        return f"CAST({self.sql} AS double precision)" if self.kind is Kind.NUMERIC else self.sql

    @property
    def unicode(self) -> bool:
        """Whether it is text beyond ASCII."""
        return self.column.datatype == "unicodeChar"


def kind_of(column: Column) -> Kind:
    """What the values of a column of a table are."""
    shape = {"point": Kind.POINT, "circle": Kind.CIRCLE, "polygon": Kind.POLYGON, "timestamp": Kind.TIMESTAMP}
    if column.xtype in shape:
        return shape[column.xtype]
    kind = _KINDS[column.datatype]
    return Kind.ARRAY if column.arraysize and kind is not Kind.TEXT else kind


def element_kind(column: Column) -> Kind:
    """What the elements of an array are."""
    return _KINDS[column.datatype]


def made(
    sql: str,
    kind: Kind,
    *parts: Value,
    name: str = "",
    atomic: bool = True,
    unit: str | None = None,
    ucd: str | None = None,
    unicode: bool = False,
    enclosed: bool = False,
) -> Value:
    """A value calculated from `parts`, called `name` in the answer. enclosed: whether the SQL has them in a query."""
    datatype, arraysize, xtype = _DATATYPES[kind]
    if unicode and kind is Kind.TEXT:
        datatype = "unicodeChar"
    column = Column(name, datatype, arraysize, xtype, unit, ucd)
    if not parts:
        return Value(sql, kind, column, atomic)
    columns = parts[0].columns.union(*(part.columns for part in parts[1:]))
    loose = any(part.loose for part in parts)
    return Value(
        sql,
        kind,
        column,
        atomic,
        columns if enclosed else parts[0].bare.union(*(part.bare for part in parts[1:])),
        any(part.aggregate for part in parts),
        any(part.window for part in parts),
        joined=max(part.joined for part in parts),
        columns=columns,
        loose=loose,
        astray=enclosed and loose,
    )


def like(sql: str, model: Value, *parts: Value, name: str | None = None, atomic: bool = True) -> Value:
    """A value calculated from `parts` that is what `model` is: same type, unit and description."""
    column = replace(model.column, name=model.column.name if name is None else name)
    result = made(sql, model.kind, *parts, atomic=atomic)
    return replace(result, column=column, joined=max(result.joined, model.joined))


def common(*values: Value) -> Kind | None:
    """The kind that all of `values` become where they stand in one column; None when there is none."""
    kinds = {value.kind for value in values} - {Kind.NULL}
    if not kinds:
        return Kind.NULL
    if kinds == {Kind.ARRAY} and len({value.column.datatype for value in values if value.kind is Kind.ARRAY}) > 1:
        return None
    if all(kind.numeric for kind in kinds):
        return max(kinds, key=lambda kind: int(kind.value))
    if kinds == {Kind.TEXT, Kind.TIMESTAMP}:
        texts = [value for value in values if value.kind is Kind.TEXT]
        return Kind.TIMESTAMP if all(value.literal is not None for value in texts) else None
    return kinds.pop() if len(kinds) == 1 else None


def postgres_type(value: Value) -> str | None:
    """PostgreSQL's name of a value's type; None of NULL."""
    if value.kind is Kind.ARRAY:
        return f"{POSTGRES[element_kind(value.column)]}[]"
    return POSTGRES.get(value.kind)


def size_of(*columns: Column) -> str | None:
    """The arraysize that holds the values of all `columns`."""
    sizes = {column.arraysize for column in columns}
    return sizes.pop() if len(sizes) == 1 else "*"


def quoted(name: str) -> str:
    """A name as a PostgreSQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def string(text: str) -> str:
    """Text as a PostgreSQL literal that means the same whatever `standard_conforming_strings` is."""
    plain = text.replace("'", "''")
    return "E'" + plain.replace("\\", "\\\\") + "'" if "\\" in plain else f"'{plain}'"
