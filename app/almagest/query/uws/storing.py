"""Writing a result table: in one transaction, as one attempt, within the owner's room.

A result is never written in full before anything looks at its size: where it could be larger than the room, each row's
size is added up while PostgreSQL produces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from almagest.adql import Translation
from almagest.catalogue import Column
from almagest.query import datadb, limits, quotas
from almagest.query.answers import results
from almagest.query.models import Job
from almagest.query.quotas import Room
from almagest.query.tables import columns

PREDECESSOR_SECONDS = 15.0
"""How long to wait for the query of a worker that died: PostgreSQL notices within client_connection_check_interval."""

ROW_BYTES = 48
"""Of a row beside its values: page pointer, header, number, alignment."""

PACKED = 2
"""The running sum may be so many times the room, because PostgreSQL packs long values after it looked at them."""

SMALL_BYTES = 1 << 20
"""A result that cannot be larger is weighed once, when it is there."""

_NUMBERED = sql.SQL("CREATE INDEX ON {} USING brin ({}) WITH (pages_per_range = 32)")
"""Finds a row by its number, for which the pages with the next smaller and larger ones suffice: 0.01 % of the table."""

_OVER_ROOM = "AL001"
"""SQLSTATE of the function `over_room()` (`almagest.metadata.provision`)."""


class PredecessorError(Exception):
    """An earlier attempt's query still runs."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A result table: its rows, its size in bytes, and whether a limit cut it."""

    nrows: int
    nbytes: int
    overflow: bool


def store(connection: datadb.Connection, job: Job, translation: Translation, maxrec: int, seconds: float) -> Stored:
    """Write the job's result table in one transaction, in place of what an earlier attempt left; all of it or nothing.

    connection: of `datadb.writer`; translation: of at most maxrec + 1 rows; seconds: that the query may take. Raises
    PredecessorError when an earlier attempt's query still runs, QuotaError when the result is larger than its owner's
    room, and psycopg.Error.
    """
    _wait_for_predecessor(connection, job)
    try:
        with _transaction(connection, job, translation.sorts):
            nrows = _create(connection, job, translation, maxrec, seconds)
            if nrows > maxrec:
                _drop_last(connection, job)
            stored = Stored(
                min(nrows, maxrec),
                datadb.size(connection, job.result_schema, job.result_table),
                overflow=nrows > maxrec or maxrec == 0,
            )
            # Asked again: other jobs of the owner may have ended meanwhile.
            if not _fits(stored, quotas.room(job)):
                raise quotas.beyond(job)
    except psycopg.Error as error:
        if error.sqlstate == _OVER_ROOM:
            raise quotas.beyond(job) from error
        raise
    return stored


@contextmanager
def _transaction(connection: datadb.Connection, job: Job, sorts: int) -> Iterator[None]:
    """As the role of the job's owner."""
    datadb.begin_writing(connection, job.keeper, limits.LOCK_SECONDS, sorts)
    try:
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def within_room(query: sql.Composable, described: Sequence[Column], rows: int, room: Room) -> sql.Composable:
    """The query, made to fail as soon as its rows take more than the room, if `rows` of them could.

    Nothing is summed up where a result surely fits.
    """
    if _surely_within(room.nbytes, described, rows):
        return query
    numbered = sql.SQL(", ").join(sql.Identifier(f"c{number + 1}") for number in range(len(described)))
    return sql.SQL(
        "SELECT {numbered} FROM (SELECT r.*, sum(pg_column_size(r)) OVER (ROWS UNBOUNDED PRECEDING)"
        " FROM ({query}) AS r ({numbered})) AS w ({numbered}, written) WHERE written <= {most} OR over_room()"
    ).format(numbered=numbered, query=query, most=sql.Literal(PACKED * room.nbytes))


def _create(connection: datadb.Connection, job: Job, translation: Translation, maxrec: int, seconds: float) -> int:
    """Returns the number of rows."""
    prepare = sql.SQL("SET LOCAL statement_timeout = {}; DROP TABLE IF EXISTS {}")
    connection.execute(prepare.format(sql.Literal(round(seconds * 1000)), results.table(job)))
    names = sql.SQL(", ").join(map(sql.Identifier, (columns.ROW_NUMBER, *columns.names(translation.columns))))
    create = sql.SQL("CREATE UNLOGGED TABLE {} ({}) AS SELECT (row_number() OVER () - 1)::integer, r.* FROM ({}) AS r")
    query: sql.Composable = _Translated(translation.sql)
    rows = maxrec + 1 if translation.limit is None else translation.limit
    if not _surely_within(SMALL_BYTES, translation.columns, rows):
        query = within_room(query, translation.columns, rows, quotas.room(job))
    count = connection.execute(create.format(results.table(job), names, query)).rowcount
    if count > limits.INDEXED_ROWS:
        connection.execute(_NUMBERED.format(results.table(job), sql.Identifier(columns.ROW_NUMBER)))
    return count


class _Translated(sql.Composable):
    """SQL that the translator wrote, as part of more."""

    def as_bytes(self, _: Any = None) -> bytes:
        return str(self._obj).encode()


def _fits(stored: Stored, room: Room) -> bool:
    return stored.nbytes <= room.nbytes and stored.nrows <= room.nrows


def _surely_within(nbytes: int, described: Sequence[Column], rows: int) -> bool:
    widest = _widest(described)
    return widest is not None and widest * rows <= nbytes


def _widest(described: Sequence[Column]) -> int | None:
    """Bytes of a row at most, or None when its values set no limit."""
    if any(column.arraysize or column.xtype for column in described):
        return None
    return ROW_BYTES + 8 * len(described)


def _wait_for_predecessor(connection: datadb.Connection, job: Job) -> None:
    """Take the lock that every attempt holds as long as its connection lives, so that never two of them run.

    The login role takes it: a query's role may not call such functions.
    """
    lock = sql.SQL("SET lock_timeout = {}; SELECT pg_advisory_lock(hashtextextended({}, 0)); RESET lock_timeout")
    try:
        connection.execute(lock.format(sql.Literal(round(PREDECESSOR_SECONDS * 1000)), sql.Literal(str(job.pk))))
    except psycopg.errors.LockNotAvailable as error:
        raise PredecessorError from error


def _drop_last(connection: datadb.Connection, job: Job) -> None:
    """Remove the row beyond the limit, which was asked for only to know whether there is one."""
    connection.execute(
        sql.SQL("DELETE FROM {table} WHERE ctid = (SELECT max(ctid) FROM {table})").format(table=results.table(job))
    )
