"""Connections to the data database for queries: pooled ones that only read, and those of jobs, which write results.

The roles are the boundary (`almagest.metadata.roles`): a query runs as its asker's role, which can read what the asker
may and nothing else, whatever the SQL. The time limits below are a second fence, set where the query cannot reach them;
what is the same for all queries the login roles have of themselves (`almagest.metadata.provision`).
"""

from __future__ import annotations

import select
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from almagest.accounts.identity import Identity
from almagest.config.environment import environment
from almagest.config.once import once
from almagest.metadata import roles
from almagest.query import limits, slots
from almagest.query.errors import BusyError

Connection = psycopg.Connection[Any]

READING: Final = "BEGIN READ ONLY"
WRITING: Final = "BEGIN READ WRITE"

POOL_SECONDS = 5.0
"""How long a request waits for the data database to accept a connection."""

ADMISSIONS = 3
"""How often a role is made for one transaction: a sweep that took its visitor for gone may close it again, but each
sweep only once."""


@contextmanager
def connected() -> Iterator[Connection]:
    """A pooled connection as `almagest_query`, outside any transaction and in autocommit mode. It reads nothing but
    stored results until `begin_reading`. For whoever holds a slot. Raises BusyError when nobody answers there."""
    try:
        connection = _readers().getconn()
    except PoolTimeout as error:
        raise BusyError("the data database does not answer at the moment; please try again soon") from error
    try:
        yield connection
    finally:
        _readers().putconn(connection)


@contextmanager
def reader() -> Iterator[Connection]:
    """A slot and a connection for something short. Raises BusyError."""
    with slots.slot(), connected() as connection:
        yield connection


@contextmanager
def writer(job_id: uuid.UUID) -> Iterator[Connection]:
    """A connection as `almagest_job`, in autocommit mode, named after the job for whoever looks for it.

    To open one takes longer than a short query, so a worker keeps the one that it has. A session holds nothing but this
    job all the same: what a job leaves is discarded with its locks, and a connection on which anything went wrong is
    closed. A lost client ends its query within seconds, because the role has client_connection_check_interval set.
    """
    connection = _named(job_id)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    _keep(connection)


_idle_writers: list[Connection] = []
"""At most one for each thread of this process that runs jobs, which is one in a worker."""


def _keep(connection: Connection) -> None:
    """Keep it for the next job, if it is as good as new."""
    try:
        connection.execute("DISCARD ALL")
    except psycopg.Error:
        connection.close()
    else:
        _idle_writers.append(connection)


def _named(job_id: uuid.UUID) -> Connection:
    name = f"job-{job_id}"
    while _idle_writers:
        connection = _idle_writers.pop()
        try:
            _check(connection)
            connection.execute(sql.SQL("SET application_name = {}").format(name))
        except psycopg.Error:
            connection.close()
        else:
            return connection
    connection = psycopg.connect(
        environment().datadb_conninfo("almagest_job"), autocommit=True, application_name="worker"
    )
    connection.execute(sql.SQL("SET application_name = {}").format(name))
    return connection


@contextmanager
def uploader(keeper: Identity) -> Iterator[Connection]:
    """A transaction in which the web process may create tables, as `begin_writing`. Raises BusyError as `reader`."""
    with reader() as connection:
        begin_writing(connection, keeper, limits.SYNC_SECONDS)
        try:
            yield connection
            connection.commit()
        finally:
            if not connection.closed:
                connection.rollback()


def begin_reading(connection: Connection, identity: Identity | None, seconds: float, sorts: int = 0) -> None:
    """Open a read-only transaction as the role of this identity, whose statements may take so long and have so many
    sorts; one round trip.

    None: as the login role itself, which reads stored results only. A user who asks for the first time gets a role; an
    anonymous session that has stored nothing has none and reads what is public.
    """
    _begin_as(connection, READING, identity, seconds, sorts)


def reading(identity: Identity | None, seconds: float, sorts: int = 0) -> tuple[str, ...]:
    """The steps of `begin_reading`, to be sent along with what they are for.

    Who asks without having a role yet gets psycopg.errors.InvalidParameterValue for them, and `begin_reading` then.
    """
    return _steps(READING, role(identity) if identity else None, seconds, limits.sort_kibibytes(sorts))


def begin_reading_with(
    connection: Connection,
    identity: Identity | None,
    seconds: float,
    sorts: int,
    bring: Callable[[Connection, str], None],
) -> None:
    """The same, with tables in the transaction that are its own.

    bring: makes them, as the login role, which may have temporary tables, and lets the role that is named read them.
    """
    _begin_as(connection, WRITING, identity, seconds, sorts)
    row = connection.execute("SELECT current_user").fetchone()
    reader_role = row[0] if row else roles.PUBLIC
    connection.execute("SET LOCAL ROLE NONE")
    bring(connection, reader_role)
    connection.execute(sql.SQL("SET TRANSACTION READ ONLY; SET LOCAL ROLE {}").format(sql.Identifier(reader_role)))


def _begin_as(connection: Connection, begin: str, identity: Identity | None, seconds: float, sorts: int) -> None:
    memory = limits.sort_kibibytes(sorts)
    try:
        connection.execute(_begin(begin, role(identity) if identity else None, seconds, memory))
    except psycopg.errors.InvalidParameterValue:
        connection.rollback()
        if identity is None or identity.user is None:
            connection.execute(_begin(begin, roles.PUBLIC, seconds, memory))
        else:
            _admit(connection, identity)
            connection.execute(_begin(begin, identity.owner, seconds, memory))


def begin_writing(connection: Connection, identity: Identity, seconds: float, sorts: int = 0) -> None:
    """Open a transaction as the role of this identity, which may write in its own schema, nobody's in `results`. An
    owner's role and schema are made when they are missing. connection: of `writer` or `reader`."""
    begin = _begin(WRITING, writing_role(identity), seconds, limits.sort_kibibytes(sorts))
    for _ in range(ADMISSIONS):
        try:
            connection.execute(begin)
        except psycopg.errors.InvalidParameterValue:
            connection.rollback()
            _admit(connection, identity)
        else:
            return
    connection.execute(begin)


def size(connection: Connection, schema: str, name: str) -> int:
    """Bytes that a table takes on disk, with all that belongs to it."""
    place = sql.Identifier(schema, name).as_string(connection)
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (place,)).fetchone()
    return int(row[0]) if row else 0


def role(identity: Identity) -> str:
    """The role under which the identity reads, if it exists yet."""
    return identity.owner or roles.PUBLIC


def writing_role(identity: Identity) -> str:
    """The role under which the identity writes, to which its stored tables belong."""
    return identity.owner or roles.GUEST


def _admit(connection: Connection, identity: Identity) -> None:
    # Only this needs the application's models: whoever has connections only, needs no Django.
    from almagest.metadata.accounts import admit  # noqa: PLC0415 - see above

    admit(connection, identity)


def _begin(begin: str, role: str | None, seconds: float, memory: int | None) -> bytes:
    return "; ".join(_steps(begin, role, seconds, memory)).encode()


@lru_cache(maxsize=1024)
def _steps(begin: str, role: str | None, seconds: float, memory: int | None) -> tuple[str, ...]:
    hold = roles.holding(role) if role else None
    return (
        begin,
        *([hold] if hold else ()),
        f"SET LOCAL ROLE {sql.Identifier(role).as_string() if role else 'NONE'}",
        f"SET LOCAL statement_timeout = {round(seconds * 1000)}",
        *([f"SET LOCAL work_mem = {memory}"] if memory else []),
    )


def _check(connection: Connection) -> None:
    """Raise psycopg.Error, and close our end, when the server has closed the connection or announces that it will.

    It costs a look at the socket, on which nothing can have come since the last answer, and no round trip. An encrypted
    one may have something of the encryption itself.
    """
    if connection.pgconn.ssl_in_use:
        ConnectionPool.check_connection(connection)
        return
    watched = select.poll()
    watched.register(connection.pgconn.socket, select.POLLIN)
    if watched.poll(0):
        connection.close()
        raise psycopg.OperationalError("the server has closed the connection")


@once
def _readers() -> ConnectionPool[Connection]:
    """One connection for each slot; opened at the first query of the process, after the server has forked."""
    return ConnectionPool(
        environment().datadb_conninfo("almagest_query"),
        min_size=1,
        max_size=slots.capacity(),
        max_idle=300,
        kwargs={"autocommit": True, "application_name": "sync", "prepare_threshold": None},
        check=_check,
        timeout=POOL_SECONDS,
        open=True,
        name="query",
    )
