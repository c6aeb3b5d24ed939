"""Connections to the data database for queries: as a role that may only read, or as the one that writes results.

The roles are the boundary (`almagest.metadata.provision`): whatever SQL came here, they can read published tables and
nothing else. The time limits below are a second fence, set where the query cannot reach them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from almagest.config.environment import environment
from almagest.query import limits
from almagest.query.errors import BusyError

Connection = psycopg.Connection[Any]

POOL_WAIT_SECONDS = 5.0
"""How long a request waits for a connection before it is told to come back."""


@contextmanager
def reader() -> Iterator[Connection]:
    """A pooled connection as `almagest_query`, outside any transaction and in autocommit mode.

    The pool has one connection for each request that this process can serve at once. Raises BusyError when the data
    database gives none.
    """
    pool = _readers()
    try:
        connection = pool.getconn(timeout=POOL_WAIT_SECONDS)
    except PoolTimeout as error:
        raise BusyError("the data database does not answer at the moment; please try again soon") from error
    try:
        yield connection
    finally:
        pool.putconn(connection)


@contextmanager
def writer(job_id: uuid.UUID) -> Iterator[Connection]:
    """A connection as `almagest_job` of its own, in autocommit mode, named after the job for whoever looks for it.

    Its session holds nothing but this job; a lost client ends its query within seconds, because the role has
    client_connection_check_interval set.
    """
    with psycopg.connect(
        environment().datadb_conninfo("almagest_job"), autocommit=True, application_name=f"job-{job_id}"
    ) as connection:
        yield connection


def begin_reading(connection: Connection, seconds: float) -> None:
    """Open a read-only transaction whose statements may take so long; one round trip."""
    # Rows come in the order of the stored result: no worker process may interleave them, no other scan lead it astray.
    connection.execute(
        sql.SQL(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {};"
            " SET LOCAL synchronize_seqscans = off"
        ).format(sql.Literal(round(seconds * 1000)), sql.Literal(round(limits.LOCK_SECONDS * 1000)))
    )


@cache
def _readers() -> ConnectionPool[Connection]:
    """Opened at the first query of the process, after the server has forked."""
    threads = environment().web_threads
    return ConnectionPool(
        environment().datadb_conninfo("almagest_query"),
        min_size=1,
        max_size=threads,
        max_idle=300,
        kwargs={"autocommit": True, "application_name": "sync", "prepare_threshold": None},
        check=ConnectionPool.check_connection,
        timeout=POOL_WAIT_SECONDS,
        open=True,
        name="query",
    )
