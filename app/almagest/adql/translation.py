"""What a query becomes: SQL for PostgreSQL 17 with pgSphere, and the columns that it returns."""

from __future__ import annotations

from dataclasses import dataclass

from almagest.catalogue import Column

ResultColumn = Column
"""A column of the answer carries what a column of a table does; its name is unique within the answer."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One query, ready to run.

    sql: a single SELECT without a closing semicolon, with every row limit folded in. Its output columns are
    `columns`, in order and by name, as PostgreSQL types `boolean`, `smallint`, `integer`, `bigint`, `real`,
    `double precision`, `text`, `timestamp` (xtype timestamp) or arrays of these (arraysize of a non-text column;
    points, circles and polygons are `double precision[]` in degrees, DALI 1.1 §3.3).
    tables: (schema, name) of every table read, for permissions and statistics. top: the query's own TOP, or None.
    sorts: how many sorts and hash tables PostgreSQL may hold in memory for it at once, at most.
    limit: the row limit inside `sql`, min(top, maxrec + 1), or None. A result of more than maxrec rows overflows
    (DALI 1.1 §3.4.4): send maxrec of them and say OVERFLOW.
    """

    sql: str
    columns: tuple[ResultColumn, ...]
    tables: frozenset[tuple[str, str]]
    top: int | None = None
    limit: int | None = None
    sorts: int = 0
