"""Running one job, from QUEUED to its end, as `almagest_job` in the data database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, close_old_connections

from almagest.accounts.authentication import recall
from almagest.accounts.identity import Identity
from almagest.config.environment import queues
from almagest.metadata import catalogue
from almagest.query import datadb, limits, request
from almagest.query.answers.sync import translate
from almagest.query.errors import BusyError, GoneError, InternalError, QueryError
from almagest.query.failures import explain
from almagest.query.models import Job
from almagest.query.uws import claims, jobs, submission
from almagest.query.uws.lease import SILENCE_SECONDS, lease
from almagest.query.uws.recovery import ATTEMPTS
from almagest.query.uws.storing import PredecessorError, store

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
CONNECT_SECONDS = 10.0
"""Less than the silence after which a job is taken away."""

Answer = TypeVar("Answer")


class NotBegunError(Exception):
    """The data database takes no connections; no query ran."""


class LostLeaseError(Exception):
    """The job is no longer this attempt's: aborted, deleted, or given to another worker."""


def execute(queue: str) -> None:
    """Claim a job of this queue and bring it to its end. Does nothing when there is none to run."""
    job = _insist(lambda: claims.claim(queue))
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
    except (PredecessorError, NotBegunError):
        _insist(lambda: jobs.hand_back(job))
    except BusyError as failure:
        if job.attempt < ATTEMPTS:
            _insist(lambda: jobs.hand_back(job, begun=True))
        else:
            message = str(failure)
            _insist(lambda: jobs.fail(job, message, transient=True))
    except QueryError as failure:
        message = str(failure)
        _insist(lambda: jobs.fail(job, message))
    except (OperationalError, InterfaceError) as error:
        log.warning("the application's database went away", extra={"job": str(job.pk), "reason": str(error)})
        _insist(lambda: jobs.hand_back(job))
    except Exception:
        # The edge of the process: whatever went wrong, the job must not stay EXECUTING.
        log.exception("a job failed by a mistake of ours", extra={"job": str(job.pk)})
        jobs.fail(job, str(InternalError()))


def _run(job: Job) -> None:
    asked = request.check(job.parameters)
    asker = _asker(job)
    translation = translate(asker, catalogue.holdings(asker), asked, submission.tables(job))
    lost = threading.Event()
    try:
        with ExitStack() as stack:
            connection = _connect(job, stack)
            stack.enter_context(lease(job, connection, lost))
            submission.check_uploads(connection, job)
            stored = store(connection, job, translation, asked.maxrec, _seconds(job))
    except psycopg.Error as error:
        if lost.is_set():
            raise LostLeaseError from error
        raise explain(error, _advice(job)) from error
    _insist(lambda: jobs.complete(job, translation, nrows=stored.nrows, nbytes=stored.nbytes, overflow=stored.overflow))


def _connect(job: Job, stack: ExitStack) -> datadb.Connection:
    """A connection of `datadb.writer`, also when that database is just being started. Raises NotBegunError."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return stack.enter_context(datadb.writer(job.pk))
        except psycopg.OperationalError as error:
            log.warning("the data database does not answer", extra={"job": str(job.pk), "reason": str(error)})
            if time.monotonic() > deadline:
                raise NotBegunError from error
            time.sleep(RETRY_SECONDS)


def _asker(job: Job) -> Identity:
    """The job's owner, with the rights that they have now. Raises GoneError when their account was closed since."""
    if job.user_id is None:
        return job.keeper
    found = recall(job.user_id)
    if found is None:
        raise GoneError("the account that asked this was closed")
    return found


def _insist(step: Callable[[], Answer]) -> Answer:
    """Do one step on the job rows, also when the application's database is just being started again."""
    deadline = time.monotonic() + SILENCE_SECONDS
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            close_old_connections()
            time.sleep(RETRY_SECONDS)


def _seconds(job: Job) -> float:
    timeout = next((queue.timeout for queue in queues() if queue.name == job.queue), limits.SYNC_SECONDS)
    return min(timeout, job.execution_duration)


def _advice(job: Job) -> str:
    longest = max(queue.timeout for queue in queues())
    if _seconds(job) < longest:
        return f"It had {_seconds(job):g} s; set the job's executionduration, at most {longest:g} s."
    return f"No query may take longer than {longest:g} s; ask for less at once."
