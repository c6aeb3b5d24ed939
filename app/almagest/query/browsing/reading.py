"""Asking a stored result something short, as its owner's role."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql

from almagest.accounts.identity import Identity
from almagest.query import datadb, limits
from almagest.query.answers import results
from almagest.query.browsing.statements import Stored
from almagest.query.errors import ResultLostError
from almagest.query.failures import explain
from almagest.query.models import Job
from almagest.query.tables import columns

ADVICE = "Ask for fewer rows or columns of this result, or add conditions to the query itself."

_NUMBERED = """
    SELECT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = {} AND c.relname = {} AND a.attname = {} AND NOT a.attisdropped)
"""


def stored(job: Job) -> Stored:
    """The table of a job's result. Raises NoSuchJobError when there is none."""
    results.require(job)
    return _stored(job.result_schema, job.result_table, columns.read(job.columns))


@lru_cache(maxsize=1024)
def _stored(schema: str, name: str, described: tuple[Any, ...]) -> Stored:
    """A result never changes."""
    look = sql.SQL(_NUMBERED).format(sql.Literal(schema), sql.Literal(name), sql.Literal(columns.ROW_NUMBER))
    ((numbered,),) = fetch(None, look, "")
    return Stored(sql.Identifier(schema, name), described, numbered=numbered)


def ask(
    job: Job, statement: sql.Composable, settings: Sequence[str] = (), seconds: float = limits.SYNC_SECONDS
) -> list[tuple[Any, ...]]:
    """All rows of a statement about a job's result, read with its owner's rights.

    settings: statements before it; seconds: that it may take. Raises ResultLostError, QueryTimeoutError, BusyError.
    """
    return fetch(results.reader(job), statement, results.lost(job), settings, seconds)


def fetch(
    identity: Identity | None,
    statement: sql.Composable,
    lost: str,
    settings: Sequence[str] = (),
    seconds: float = limits.SYNC_SECONDS,
) -> list[tuple[Any, ...]]:
    """All rows of a statement. lost: what to say when its table is gone. Raises QueryError."""
    with datadb.reader() as connection:
        try:
            datadb.begin_reading(connection, identity, seconds)
            for setting in settings:
                connection.execute(setting.encode())
            return connection.execute(statement.as_string(connection).encode()).fetchall()
        except psycopg.errors.UndefinedTable as error:
            raise ResultLostError(lost) from error
        except psycopg.Error as error:
            raise explain(error, ADVICE) from error
        finally:
            if not connection.closed:
                connection.rollback()
