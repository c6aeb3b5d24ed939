"""What is in the columns of a stored result: how many values, their range and distribution, the most frequent.

NaN counts as no value, as NULL does (VOTable 1.4 §6). Numbers, ends and means are exact. What needs all values in
order or side by side (quartiles, histograms, frequencies) is taken of all rows up to `SAMPLED`, and of a sample of the
table's pages beyond, which is then said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import sql

from almagest.catalogue import Column
from almagest.query.browsing import statements
from almagest.query.browsing.counting import count
from almagest.query.browsing.reading import ask, stored
from almagest.query.browsing.remembered import Remembered
from almagest.query.browsing.selection import FieldError, Where
from almagest.query.browsing.statements import Stored
from almagest.query.models import Job

COLUMNS = 40
"""Columns of one request."""

SAMPLED = 1_000_000
"""Rows from which on a sample has to do."""

SAMPLE = 200_000
"""Rows of the sample, about."""

CELLS = 40
"""Of a histogram."""

TOP = 10
"""Most frequent values that are told."""

TOP_BYTES = 200
"""Length of a text among them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGE = 1e290
"""Values up to this have a sum, whatever their number."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in a column. n: its values; nulls: rows without one; distinct: how many are different; minimum … maximum:
    as the column's own values are told, mean as a number; edges, counts: of the histogram; top: the most frequent
    values with how often they come. None for what the type does not have. approximate: whether distinct, quartiles,
    histogram and top are of a sample; the counts of the histogram are then scaled to all rows."""

    name: str
    n: int
    nulls: int
    distinct: int | None = None
    minimum: Any = None
    quartiles: tuple[Any, ...] | None = None
    maximum: Any = None
    mean: float | None = None
    edges: tuple[Any, ...] | None = None
    counts: tuple[int, ...] | None = None
    top: tuple[tuple[Any, int], ...] | None = None
    approximate: bool = False


_known: Remembered[list[Summary]] = Remembered(256)


def statistics(job: Job, places: Sequence[int], where: Where) -> list[Summary]:
    """What is in these columns, in the rows that fulfil the conditions. Raises FieldError, QueryError."""
    if len(places) > COLUMNS:
        raise FieldError("columns", f"{len(places)} columns are named; {COLUMNS} are allowed at once")
    table = stored(job)
    return _known.get(job.pk, (tuple(places), where), lambda: _Look(job, table, where).summaries(places))


class _Look:
    """The rows to look at."""

    def __init__(self, job: Job, table: Stored, where: Where) -> None:
        self._job = job
        self._table = table
        self._conditions = statements.conditions(table, where)
        self._rows = count(job, table, where)
        self._approximate = self._rows > SAMPLED and table.numbered
        self._some: sql.Composable = table.rows
        if self._approximate:
            self._some = sql.SQL("{} TABLESAMPLE SYSTEM ({}) REPEATABLE (1)").format(
                table.rows, sql.Literal(min(100.0, 100 * SAMPLE / self._rows))
            )

    def summaries(self, places: Sequence[int]) -> list[Summary]:
        kinds = {place: _kind(self._table.columns[place]) for place in places}
        basics = self._basics(places, kinds)
        quartiles = self._quartiles([place for place in places if kinds[place] in ("number", "time")])
        return [self._summary(place, kinds[place], *basics[place], quartiles.get(place)) for place in places]

    def _summary(
        self, place: int, kind: str, n: int, ends: tuple[Any, Any], total: tuple[float | None, int], quartiles: Any
    ) -> Summary:
        column = self._table.columns[place]
        least, most = ends
        edges, counts = self._histogram(place, n) if kind in ("number", "time") and n else (None, None)
        distinct, top = None, None
        if kind in ("text", "flag") or (kind == "number" and column.datatype not in _REAL):
            distinct, top = self._frequent(place, column)
        return Summary(
            column.name,
            n,
            self._rows - n,
            distinct,
            _value(column, least),
            None if quartiles is None else tuple(_value(column, one) for one in quartiles),
            _value(column, most),
            total[0] / n if kind == "number" and n and total[0] is not None and total[1] == n else None,
            None if edges is None else tuple(_edge(column, edge) for edge in edges),
            counts,
            top,
            self._approximate,
        )

    def _basics(self, places: Sequence[int], kinds: dict[int, str]) -> dict[int, tuple[int, tuple[Any, Any], Any]]:
        """Number, ends, and sum of the values with how many there are in it."""
        cells = [cell for place in places for cell in self._basic(place, kinds[place])]
        ((*values,),) = self._ask(cells, self._table.rows)
        found = (values[start : start + 5] for start in range(0, len(values), 5))
        return {
            place: (n, (least, most), (total, summed))
            for place, (n, least, most, total, summed) in zip(places, found, strict=True)
        }

    def _basic(self, place: int, kind: str) -> list[sql.Composable]:
        name = self._table.name(place)
        given = _given(self._table, place)
        number = sql.SQL("count(*) FILTER (WHERE {})").format(given)
        null = sql.SQL("NULL")
        if kind not in ("number", "time"):
            return [number, null, null, null, null]
        ends = [sql.SQL(form).format(name, given) for form in _ENDS]
        if kind == "time":
            # Text, because Python has no time for infinity.
            return [number, *(sql.SQL("({})::text").format(end) for end in ends), null, null]
        ordinary = sql.SQL("abs({}::float8) <= {}").format(name, sql.Literal(_LARGE))
        return [
            number,
            *ends,
            sql.SQL("sum({}::float8) FILTER (WHERE {})").format(name, ordinary),
            sql.SQL("count(*) FILTER (WHERE {})").format(ordinary),
        ]

    def _quartiles(self, places: Sequence[int]) -> dict[int, Any]:
        if not places:
            return {}
        cells = [
            sql.SQL("(percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY {}) FILTER (WHERE {})){}").format(
                self._table.name(place),
                _given(self._table, place),
                sql.SQL("::text[]" if _kind(self._table.columns[place]) == "time" else ""),
            )
            for place in places
        ]
        ((*values,),) = self._ask(cells, self._some)
        return dict(zip(places, values, strict=True))

    def _histogram(self, place: int, n: int) -> tuple[list[Any] | None, tuple[int, ...] | None]:
        """Edges and counts of the finite values."""
        number = _number(self._table, place)
        finite = sql.SQL("abs({}) < 'Infinity'").format(number)
        ((low, high),) = self._ask([sql.SQL(form).format(number, finite) for form in _ENDS], self._table.rows)
        if low is None:
            return None, None
        if low == high:
            return [low, high], (n,)
        cell, edges = _cells(number, low, high)
        statement = sql.SQL("SELECT {}, count(*) FROM {} WHERE {} AND {} GROUP BY 1").format(
            cell, self._some, self._conditions, finite
        )
        counts = [0] * CELLS
        for found, some in ask(self._job, statement):
            counts[found] = some
        if self._approximate and (seen := sum(counts)):
            counts = [round(some * n / seen) for some in counts]
        return edges, tuple(counts)

    def _frequent(self, place: int, column: Column) -> tuple[int | None, tuple[tuple[Any, int], ...] | None]:
        """How many different values there are, and which come most often."""
        name = self._table.name(place)
        statement = sql.SQL(
            "SELECT v, n, count(*) OVER () FROM (SELECT {name} AS v, count(*) AS n FROM {rows} WHERE {conditions} AND"
            " {name} IS NOT NULL GROUP BY 1) AS g ORDER BY n DESC, v LIMIT {most}"
        )
        found = ask(
            self._job,
            statement.format(name=name, rows=self._some, conditions=self._conditions, most=sql.Literal(TOP)),
        )
        if not found:
            return 0, None
        distinct = found[0][2]
        top = tuple((_value(column, value), some) for value, some, _ in found if len(str(value)) <= TOP_BYTES)
        return distinct, top if top and top[0][1] > 1 else None

    def _ask(self, cells: Sequence[sql.Composable], rows: sql.Composable) -> list[tuple[Any, ...]]:
        if not cells:
            return [()]
        statement = sql.SQL("SELECT {} FROM {} WHERE {}").format(sql.SQL(", ").join(cells), rows, self._conditions)
        return ask(self._job, statement)


_REAL = ("float", "double")
_ENDS: tuple[LiteralString, ...] = ("min({}) FILTER (WHERE {})", "max({}) FILTER (WHERE {})")


def _kind(column: Column) -> str:
    if column.xtype == "timestamp":
        return "time"
    if column.datatype in ("char", "unicodeChar"):
        return "text"
    return "array" if column.arraysize is not None else "flag" if column.datatype == "boolean" else "number"


def _given(table: Stored, place: int) -> sql.Composed:
    """Whether there is a value."""
    column = table.columns[place]
    if column.datatype in _REAL and column.arraysize is None:
        return sql.SQL("{} < 'NaN'").format(table.name(place))
    return sql.SQL("{} IS NOT NULL").format(table.name(place))


def _number(table: Stored, place: int) -> sql.Composed:
    """The value as a number that histograms count with; of a time the seconds since 1970."""
    column = table.columns[place]
    if column.xtype == "timestamp":
        return sql.SQL("extract(epoch FROM {})::float8").format(table.name(place))
    # Identifiers of 64 bits have ranges in which a double cannot tell them apart.
    return sql.SQL("{}::numeric" if column.datatype == "long" else "{}::float8").format(table.name(place))


def _cells(number: sql.Composable, low: Any, high: Any) -> tuple[sql.Composed, list[Any]]:
    """The number of a value's cell, and the edges of all of them."""
    if isinstance(low, Decimal):
        first, width = int(low), int(high) - int(low)
        cell = sql.SQL("least({}, floor(({} - {}) * {} / {}))::integer").format(
            sql.Literal(CELLS - 1), number, sql.Literal(first), sql.Literal(CELLS), sql.Literal(width)
        )
        return cell, [first + width * step // CELLS for step in range(CELLS + 1)]
    # Halves, because the difference of two doubles may be too large for one.
    half = high / 2 - low / 2
    cell = sql.SQL("least({}, floor(({} / 2 - {}::float8) / {}::float8 * {}))::integer").format(
        sql.Literal(CELLS - 1), number, sql.Literal(repr(low / 2)), sql.Literal(repr(half)), sql.Literal(CELLS)
    )
    return cell, [*(2 * (low / 2 + half * step / CELLS) for step in range(CELLS)), high]


def _edge(column: Column, edge: Any) -> Any:
    if column.datatype == "long":
        return str(int(edge))
    if column.xtype != "timestamp":
        return edge
    try:
        return (_EPOCH + timedelta(seconds=edge)).replace(tzinfo=None).isoformat()
    except OverflowError:
        return None


def _value(column: Column, value: Any) -> Any:
    """A value as JSON tells it exactly."""
    if column.xtype == "timestamp" and value is not None:
        return str(value).replace(" ", "T")
    if isinstance(value, float):
        return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity" if value < 0 else "NaN"
    return str(value) if column.datatype == "long" and value is not None else value
