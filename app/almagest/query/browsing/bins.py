"""Counts of rows in a grid over one or two columns, for pictures of more points than anybody can send."""

from __future__ import annotations

import math
from dataclasses import dataclass

from psycopg import sql

from almagest.query import limits
from almagest.query.browsing import statements
from almagest.query.browsing.reading import ask, stored
from almagest.query.browsing.selection import FieldError, Where
from almagest.query.browsing.statements import Stored
from almagest.query.models import Job

_ENDS = sql.SQL("SELECT min(v), max(v) FROM (SELECT {} AS v FROM {} WHERE {}) AS s WHERE abs(v) < 'Infinity'")


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of the grid. place: of a column of numbers; cells: how many; low, high: its ends, None for those of the
    values; logarithmic: whether cells are equally wide in the logarithm, for which only values above 0 count."""

    field: str
    place: int
    cells: int
    low: float | None = None
    high: float | None = None
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Bins:
    """The counts, those of the first row of cells first. x, y: ends of the axes."""

    x: tuple[float, float]
    y: tuple[float, float] | None
    counts: list[int]


def bins(job: Job, x: Axis, y: Axis | None, where: Where) -> Bins:
    """How many rows have their values in each cell; the last cell of an axis has its upper end too. Rows without a
    finite value, or beyond the ends, are not counted. Raises FieldError, NoSuchJobError, QueryError."""
    table = stored(job)
    cells = x.cells * (y.cells if y else 1)
    if min(x.cells, y.cells if y else 1) < 1 or cells > limits.BINS:
        raise FieldError("nx", f"a grid has 1 to {limits.BINS:,} cells")
    conditions = statements.conditions(table, where)
    axes = [x, y] if y else [x]
    ends = [_ends(job, table, axis, conditions) for axis in axes]
    values = [_value(table, axis) for axis in axes]
    inside = [
        sql.SQL("{} BETWEEN {} AND {}").format(value, _float(low), _float(high))
        for value, (low, high) in zip(values, ends, strict=True)
    ]
    places = [_cell(value, *end, axis.cells) for value, end, axis in zip(values, ends, axes, strict=True)]
    cell = sql.SQL("{} * {} + {}").format(places[1], sql.Literal(x.cells), places[0]) if y else places[0]
    statement = sql.SQL("SELECT {}, count(*) FROM {} WHERE {} GROUP BY 1").format(
        cell, table.rows, sql.SQL(" AND ").join([conditions, *inside])
    )
    counts = [0] * cells
    for place, count in ask(job, statement):
        counts[place] = count
    told = [_told(axis, *end) for axis, end in zip(axes, ends, strict=True)]
    return Bins(told[0], told[1] if y else None, counts)


def _value(table: Stored, axis: Axis) -> sql.Composable:
    number = sql.SQL("{}::float8").format(table.name(axis.place))
    if axis.logarithmic:
        # CASE, because PostgreSQL may look at a value before the condition that excludes it.
        return sql.SQL("CASE WHEN {n} > 0 AND {n} < 'Infinity' THEN log({n}) END").format(n=number)
    return number


def _ends(job: Job, table: Stored, axis: Axis, conditions: sql.Composable) -> tuple[float, float]:
    """In what the cells are equally wide in."""
    low, high = (None if end is None else _scaled(axis, end) for end in (axis.low, axis.high))
    if low is None or high is None:
        ((least, most),) = ask(job, _ENDS.format(_value(table, axis), table.rows, conditions))
        least, most = (0.0, 1.0) if least is None else (least, most)
        low, high = least if low is None else low, most if high is None else high
    if low > high:
        raise FieldError(f"{axis.field}0", "the lower end of the axis is above the upper one")
    return low, high


def _scaled(axis: Axis, end: float) -> float:
    if not axis.logarithmic:
        return end
    if end <= 0:
        raise FieldError(f"{axis.field}0", "a logarithmic axis begins above 0")
    return math.log10(end)


def _told(axis: Axis, low: float, high: float) -> tuple[float, float]:
    if not axis.logarithmic:
        return low, high
    # What was asked for is told as it was asked.
    return (
        10.0**low if axis.low is None else axis.low,
        10.0**high if axis.high is None else axis.high,
    )


def _cell(value: sql.Composable, low: float, high: float, cells: int) -> sql.Composed:
    """The number of the cell of a value between the ends. Halves, because a difference may be too large."""
    width = high / 2 - low / 2
    if not width:
        return sql.SQL("{}").format(sql.Literal(0))
    return sql.SQL("least({most}, floor(({value} / 2 - {low}) / {width} * {cells}))::integer").format(
        most=sql.Literal(cells - 1),
        value=value,
        low=_float(low / 2),
        width=_float(width),
        cells=sql.Literal(cells),
    )


def _float(number: float) -> sql.Composed:
    return sql.SQL("{}::float8").format(sql.Literal(repr(number)))
