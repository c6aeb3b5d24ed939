"""Running one job, from QUEUED to its end, as `almagest_job` in the data database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections

from almagest.accounts.identity import NOBODY
from almagest.config.environment import queues
from almagest.query import claims, datadb, jobs, limits, request
from almagest.query.errors import BusyError, InternalError, QueryError
from almagest.query.failures import explain
from almagest.query.lease import SILENCE_SECONDS, lease
from almagest.query.models import Job
from almagest.query.storing import PredecessorError, store
from almagest.query.sync import translate

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class LostLeaseError(Exception):
    """The job is no longer this attempt's: aborted, deleted, or given to another worker."""


def execute(queue: str) -> None:
    """Claim a job of this queue and bring it to its end. Does nothing when there is none to run."""
    job = claims.claim(queue)
    if job is None:
        log.info("a message for no job", extra={"queue": queue})
        return
    try:
        _attempt(job)
    finally:
        claims.call_next(job)


def _attempt(job: Job) -> None:
    try:
        _run(job)
    except LostLeaseError:
        log.info("a job was taken away from its query", extra={"job": str(job.pk)})
    except PredecessorError:
        jobs.hand_back(job)
    except QueryError as failure:
        message, transient = str(failure), isinstance(failure, BusyError)
        _insist(lambda: jobs.fail(job, message, transient=transient))
    except (OperationalError, InterfaceError) as error:
        log.warning("the application's database went away", extra={"job": str(job.pk), "reason": str(error)})
        _insist(lambda: jobs.hand_back(job))
    except Exception:
        # The edge of the process: whatever went wrong, the job must not stay EXECUTING.
        log.exception("a job failed by a mistake of ours", extra={"job": str(job.pk)})
        jobs.fail(job, str(InternalError("the query failed by a mistake in this service; its operators have a record")))


def _run(job: Job) -> None:
    asked = request.check(job.parameters)
    translation = translate(NOBODY, asked)
    lost = threading.Event()
    try:
        with datadb.writer(job.pk) as connection, lease(job, connection, lost):
            stored = store(connection, job, translation, asked.maxrec, _seconds(job))
    except psycopg.Error as error:
        if lost.is_set():
            raise LostLeaseError from error
        raise explain(error, _advice(job)) from error
    _insist(
        lambda: jobs.complete(
            job, translation.columns, nrows=stored.nrows, nbytes=stored.nbytes, overflow=stored.overflow
        )
    )


def _insist(step: Callable[[], bool]) -> None:
    """Say how a job ended, also when the application's database is just being started again."""
    deadline = time.monotonic() + SILENCE_SECONDS
    while True:
        try:
            step()
        except DatabaseError:
            if time.monotonic() > deadline:
                raise
            close_old_connections()
            time.sleep(RETRY_SECONDS)
        else:
            return


def _seconds(job: Job) -> float:
    timeout = next((queue.timeout for queue in queues() if queue.name == job.queue), limits.SYNC_SECONDS)
    return min(timeout, job.execution_duration)


def _advice(job: Job) -> str:
    longest = max(queue.timeout for queue in queues())
    if _seconds(job) < longest:
        return f"It had {_seconds(job):g} s; set the job's executionduration, at most {longest:g} s."
    return f"No query may take longer than {longest:g} s; ask for less at once."
