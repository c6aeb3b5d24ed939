"""Running one job, from QUEUED to its end, as `almagest_job` in the data database."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import psycopg
from psycopg import sql

from almagest.accounts.identity import NOBODY
from almagest.adql import Translation
from almagest.config.environment import queues
from almagest.query import datadb, jobs, limits, request, results
from almagest.query.errors import BusyError, InternalError, QueryError
from almagest.query.failures import explain
from almagest.query.lease import lease
from almagest.query.models import Job
from almagest.query.sync import translate

log = logging.getLogger(__name__)

PREDECESSOR_SECONDS = 15.0
"""How long to wait for the query of a worker that died: PostgreSQL notices within client_connection_check_interval."""


class PredecessorError(Exception):
    """An earlier attempt's query still runs."""


def execute(job_id: uuid.UUID) -> None:
    """Claim a job and bring it to its end. Does nothing when it is not QUEUED (any more)."""
    job = jobs.claim(job_id)
    if job is None:
        log.info("a message for a job that is not queued", extra={"job": str(job_id)})
        return
    try:
        _run(job)
    except PredecessorError:
        jobs.hand_back(job)
    except QueryError as error:
        jobs.fail(job, str(error), transient=isinstance(error, BusyError))
    except Exception:
        # The edge of the process: whatever went wrong, the job must not stay EXECUTING.
        log.exception("a job failed by a mistake of ours", extra={"job": str(job_id)})
        jobs.fail(job, str(InternalError("the query failed by a mistake in this service; its operators have a record")))


def _run(job: Job) -> None:
    asked = request.check(job.parameters)
    translation = translate(NOBODY, asked)
    try:
        with datadb.writer(job.pk) as connection, lease(job, connection):
            stored = _store(connection, job, translation)
            overflow = stored > asked.maxrec or asked.maxrec == 0
            if stored > asked.maxrec:
                _drop_last(connection, job)
    except psycopg.Error as error:
        raise explain(error, _advice(job)) from error
    jobs.complete(job, translation.columns, min(stored, asked.maxrec), overflow=overflow)


def _store(connection: datadb.Connection, job: Job, translation: Translation) -> int:
    """Write the result table in one transaction; returns its number of rows. What an earlier attempt left is replaced.

    Raises PredecessorError when that attempt's query still runs.
    """
    numbered = sql.SQL(", ").join(sql.Identifier(f"c{number + 1}") for number in range(len(translation.columns)))
    with connection.transaction():
        _wait_for_predecessor(connection, job)
        _set(connection, "lock_timeout", limits.LOCK_SECONDS)
        _set(connection, "statement_timeout", _seconds(job))
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(results.table(job)))
        create = sql.SQL("CREATE UNLOGGED TABLE {} ({}) AS ").format(results.table(job), numbered)
        return connection.execute(create.as_bytes(connection) + translation.sql.encode()).rowcount


def _wait_for_predecessor(connection: datadb.Connection, job: Job) -> None:
    """Take the lock that every attempt holds while it runs, so that never two of them do."""
    _set(connection, "lock_timeout", PREDECESSOR_SECONDS)
    try:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(job.pk),))
    except psycopg.errors.LockNotAvailable as error:
        raise PredecessorError from error


def _drop_last(connection: datadb.Connection, job: Job) -> None:
    """Remove the row beyond the limit, which was asked for only to know whether there is one."""
    connection.execute(
        sql.SQL("DELETE FROM {table} WHERE ctid = (SELECT max(ctid) FROM {table})").format(table=results.table(job))
    )


def _seconds(job: Job) -> float:
    timeout = next((queue.timeout for queue in queues() if queue.name == job.queue), limits.SYNC_SECONDS)
    return min(timeout, job.execution_duration)


def _advice(job: Job) -> str:
    longest = max(queue.timeout for queue in queues())
    if _seconds(job) < longest:
        return f"It had {_seconds(job):g} s; set the job's executionduration, at most {longest:g} s."
    return f"No query may take longer than {longest:g} s; ask for less at once."


def _set(connection: datadb.Connection, parameter: Any, seconds: float) -> None:
    statement = sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(parameter), sql.Literal(round(seconds * 1000)))
    connection.execute(statement)
