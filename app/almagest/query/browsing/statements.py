"""PURE. A selection as SQL over the result's table: names as identifiers, values as literals with their type.

A page is found in two steps inside one statement: the addresses of its rows (ctid) out of the few columns that order
and conditions need, then the rows themselves. Sorting carries no wide rows along, and what is skipped is never read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from almagest.catalogue import Column
from almagest.formats.page import NUMBER
from almagest.query.browsing.selection import NUMBER_PLACE, Condition, Order, Value, Where
from almagest.query.tables import columns

IN_PLACE = (
    "SET LOCAL enable_indexscan = off",
    "SET LOCAL enable_indexonlyscan = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
)
"""For statements whose rows have to come in the order of the table: what is left goes from its first page to the last,
one by one."""

NUMBER_NAME = sql.Identifier(columns.ROW_NUMBER)

_TYPES = {
    "boolean": "boolean",
    "short": "smallint",
    "int": "integer",
    "long": "bigint",
    "float": "real",
    "double": "double precision",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """The table of a result. place: its name; columns: of the result; numbered: whether it has its rows' numbers, which
    tables of earlier releases lack."""

    place: sql.Identifier
    columns: tuple[Column, ...]
    numbered: bool = True

    @property
    def names(self) -> list[sql.Identifier]:
        """What the table calls the columns."""
        return [sql.Identifier(name) for name in columns.names(self.columns)]

    def name(self, place: int) -> sql.Identifier:
        """What the table calls a column."""
        return NUMBER_NAME if place == NUMBER_PLACE else self.names[place]

    def column(self, place: int) -> Column:
        """A column of the result, or that of the numbers."""
        return NUMBER if place == NUMBER_PLACE else self.columns[place]

    @property
    def rows(self) -> sql.Composable:
        """What to select from: the table, with its rows' numbers and addresses."""
        if self.numbered:
            return self.place
        return sql.SQL("(SELECT (row_number() OVER () - 1)::integer AS {}, ctid, t.* FROM {} AS t) AS t").format(
            NUMBER_NAME, self.place
        )


def listed(stored: Stored, places: Iterable[int]) -> sql.Composed:
    """Names of columns, for SELECT."""
    return sql.SQL(", ").join([stored.name(place) for place in places])


def conditions(stored: Stored, where: Where) -> sql.Composable:
    """What follows WHERE."""
    if not where:
        return sql.SQL("true")
    return sql.SQL(" AND ").join([_condition(stored, one) for one in where])


def order_by(stored: Stored, order: Order) -> sql.Composed:
    """What follows ORDER BY; also the columns of an index on the order."""
    return _following(stored, order, back=backwards(order))


def backwards(order: Order) -> bool:
    """Whether rows that are equal in all keys come from the largest number on."""
    return bool(order) and order[0].descending


def _following(stored: Stored, keys: Order, *, back: bool) -> sql.Composed:
    words = [
        sql.SQL("{} DESC NULLS LAST" if key.descending else "{} ASC NULLS LAST").format(stored.name(key.place))
        for key in keys
    ]
    return sql.SQL(", ").join([*words, sql.SQL("{} DESC" if back else "{} ASC").format(NUMBER_NAME)])


def rows(stored: Stored, places: Sequence[int], where: Where, order: Order) -> sql.Composed:
    """All rows of a selection, the number first. Without an order they come as stored, if IN_PLACE is set before."""
    selected = listed(stored, (NUMBER_PLACE, *places))
    chosen = sql.SQL("SELECT {} FROM {} WHERE {}").format(selected, stored.rows, conditions(stored, where))
    return sql.SQL("{} ORDER BY {}").format(chosen, order_by(stored, order)) if order else chosen


def without_number(selected: sql.Composable, count: int) -> sql.Composed:
    """The same rows without their numbers. count: columns beside these."""
    names = [sql.Identifier(f"c{place}") for place in range(1, count + 1)]
    listed_ = sql.SQL(", ").join(names)
    return sql.SQL("SELECT {} FROM ({}) AS n ({}, {})").format(listed_, selected, sql.Identifier("number"), listed_)


def numbered(stored: Stored, places: Sequence[int], first: int, count: int) -> sql.Composed:
    """The rows with the numbers from `first` on."""
    return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        listed(stored, (NUMBER_PLACE, *places)), stored.rows, between_numbers(first, first + count), NUMBER_NAME
    )


def page(stored: Stored, places: Sequence[int], order: Order, addresses: sql.Composable) -> sql.Composed:
    """The rows at these addresses, in this order."""
    # OFFSET keeps PostgreSQL from going through an index on the order and looking for the addresses there.
    statement = sql.SQL("SELECT {} FROM (SELECT * FROM {} WHERE ctid = ANY (ARRAY({})) OFFSET 0) AS p ORDER BY {}")
    return statement.format(listed(stored, (NUMBER_PLACE, *places)), stored.rows, addresses, order_by(stored, order))


def sorted_addresses(stored: Stored, where: Where, order: Order, offset: int, limit: int) -> sql.Composed:
    """The addresses of a page, by sorting."""
    statement = sql.SQL("SELECT ctid FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT {}")
    return statement.format(
        stored.rows,
        conditions(stored, where),
        order_by(stored, order),
        sql.Literal(offset),
        sql.Literal(limit),
    )


def counts(cell: sql.Composable, source: sql.Composable, condition: sql.Composable) -> sql.Composed:
    """How many rows there are in each of a few cells, which are numbers."""
    # OFFSET hides from PostgreSQL that the cells are made of columns with very many values, for which it would sort.
    return sql.SQL(
        "SELECT cell, count(*) FROM (SELECT {} AS cell FROM {} WHERE {} OFFSET 0) AS s GROUP BY cell"
    ).format(cell, source, condition)


def between_numbers(first: int, end: int) -> sql.Composed:
    """The condition that a row's number is from `first` on and before `end`."""
    return sql.SQL("{number} >= {} AND {number} < {}").format(sql.Literal(first), sql.Literal(end), number=NUMBER_NAME)


def filtered_addresses(stored: Stored, where: Where, within: range, skipped: int, limit: int) -> sql.Composed:
    """The addresses of a page in the stored order: of the rows with these numbers, without the first `skipped`."""
    return sql.SQL("SELECT ctid FROM {} WHERE {} AND {} OFFSET {} LIMIT {}").format(
        stored.place,
        between_numbers(within.start, within.stop),
        conditions(stored, where),
        sql.Literal(skipped),
        sql.Literal(limit),
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of an index. place: in its order; values: of its keys as texts, None for NULL; number: the row's."""

    place: int
    values: tuple[str | None, ...]
    number: int


def addresses_from(stored: Stored, order: Order, sample: Sample | None, offset: int, limit: int) -> sql.Composed:
    """The addresses of a page by an index on `order`: from a sample on, without the first `offset` rows after it.

    What follows a row in an order are a few ranges of its index, one after the other: those that are equal in all keys
    with a later number, then those that are equal in all but the last key and later in that, and so on. Each is one
    that PostgreSQL reads off the index in order, and it reads no more of them than are wanted.
    """
    wanted = offset + limit
    ranges = list(_ranges(stored, order, sample)) if sample else [(sql.SQL("true"), order)]
    pieces = [
        sql.SQL("(SELECT ctid FROM {} WHERE {} ORDER BY {} LIMIT {})").format(
            stored.place, condition, _following(stored, rest, back=backwards(order)), sql.Literal(wanted)
        )
        for condition, rest in ranges
    ]
    return sql.SQL("SELECT ctid FROM ({}) AS a OFFSET {} LIMIT {}").format(
        sql.SQL(" UNION ALL ").join(pieces), sql.Literal(offset), sql.Literal(limit)
    )


def _ranges(stored: Stored, order: Order, sample: Sample) -> Iterator[tuple[sql.Composable, Order]]:
    equal = [
        sql.SQL("{} IS NULL").format(stored.name(key.place))
        if value is None
        else sql.SQL("{} = {}").format(stored.name(key.place), _of_text(stored.column(key.place), value))
        for key, value in zip(order, sample.values, strict=True)
    ]
    later = sql.SQL("{} {} {}").format(
        NUMBER_NAME, sql.SQL("<=" if backwards(order) else ">="), sql.Literal(sample.number)
    )
    yield sql.SQL(" AND ").join([*equal, later]), ()
    for place in range(len(order) - 1, -1, -1):
        key, value = order[place], sample.values[place]
        if value is None:
            # Nothing comes after NULL.
            continue
        name = stored.name(key.place)
        beyond = sql.SQL("{} {} {}").format(
            name, sql.SQL("<" if key.descending else ">"), _of_text(stored.column(key.place), value)
        )
        yield sql.SQL(" AND ").join([*equal[:place], beyond]), order[place:]
        yield sql.SQL(" AND ").join([*equal[:place], sql.SQL("{} IS NULL").format(name)]), order[place + 1 :]


def sql_type(column: Column) -> sql.SQL:
    """PostgreSQL's type of a scalar column of a result."""
    if column.xtype == "timestamp":
        return sql.SQL("timestamp")
    if column.datatype in ("char", "unicodeChar"):
        return sql.SQL("text")
    return sql.SQL(_TYPES[column.datatype])


def _of_text(column: Column, text: str) -> sql.Composed:
    return sql.SQL("{}::{}").format(sql.Literal(text), sql_type(column))


def literal(column: Column, value: Value) -> sql.Composed:
    """A value of the column's type."""
    return _of_text(column, _text(value))


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _condition(stored: Stored, one: Condition) -> sql.Composable:
    name, column = stored.name(one.place), stored.column(one.place)
    if one.test == "in":
        return _listed(name, column, one)
    values = [literal(column, value) for value in one.values]
    compared = sql.SQL(_TESTS[one.test]).format(name, *values)
    if one.test in (">", ">=") and column.datatype in ("float", "double"):
        # NaN is larger than any number to PostgreSQL, and neither larger nor smaller to people.
        return sql.SQL("({} AND {} < {})").format(compared, name, literal(column, math.nan))
    return compared


_TESTS: Mapping[str, LiteralString] = {
    "none": "false",
    "all": "{0} IS NOT NULL",
    "notnull": "{0} IS NOT NULL",
    "isnull": "{0} IS NULL",
    "between": "({0} >= {1} AND {0} <= {2})",
    "contains": "strpos(lower({0}), lower({1})) > 0",
    "starts": "starts_with(lower({0}), lower({1}))",
    "=": "{0} = {1}",
    "!=": "{0} <> {1}",
    "<": "{0} < {1}",
    "<=": "{0} <= {1}",
    ">": "{0} > {1}",
    ">=": "{0} >= {1}",
}


def _listed(name: sql.Identifier, column: Column, one: Condition) -> sql.Composable:
    """Whether the value is in a list. Intervals are looked up in a table of their own: there may be very many."""
    found: list[sql.Composable] = []
    if one.values:
        # An array in JSON, because every value of every type has a word in it that PostgreSQL takes back.
        words = json.dumps([_text(value) for value in one.values])
        found.append(
            sql.SQL("{} IN (SELECT v::{} FROM json_array_elements_text({}::json) AS v)").format(
                name, sql_type(column), sql.Literal(words)
            )
        )
    if one.intervals:
        ranges = "{" + ",".join(f"[{low},{high}]" for low, high in one.intervals if low <= high) + "}"
        found.append(
            sql.SQL("{} <@ {}::int8multirange").format(sql.SQL("{}::bigint").format(name), sql.Literal(ranges))
        )
    if not found:
        return sql.SQL("false")
    return sql.SQL("({})").format(sql.SQL(" OR ").join(found))
