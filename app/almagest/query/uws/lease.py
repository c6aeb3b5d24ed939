"""The tie between a running query and its job: a thread that says "alive", and hears "stop".

While a query runs, its thread waits in PostgreSQL's protocol and can do neither. This second thread holds a connection
to the application's database, renews the job's `alive_at` and listens for `jobs.notify`. As soon as the job is no
longer EXECUTING as this attempt (aborted, deleted, given to another worker after a long silence), it cancels the query.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from almagest.config.environment import environment
from almagest.query.models import Job, Phase
from almagest.query.uws import jobs

log = logging.getLogger(__name__)

QUICK_SECONDS = 0.05
"""Most queries have ended by then, and have needed no lease: they were claimed a moment before."""

RENEW_SECONDS = 3.0
SILENCE_SECONDS = 20.0
"""After this long without a renewal the scheduler takes the job away; see `recovery`."""

CANCEL_SECONDS = 0.2
"""Between two cancellations: one that comes before the query begins has no effect."""

_RENEW = "UPDATE query_job SET alive_at = now() WHERE id = %s AND phase = %s AND attempt = %s"


@contextmanager
def lease(job: Job, query: psycopg.Connection[Any], lost: threading.Event) -> Iterator[None]:
    """Keep the job's lease while the block runs on the connection `query`; losing it sets `lost` and cancels that."""
    wake, woken = socket.socketpair()
    keeper = threading.Thread(target=_keep, args=(job, query, lost, woken), name=f"lease {job.pk}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        wake.close()  # the other end becomes readable, and stays so
        keeper.join()
        woken.close()
        if lost.is_set():
            # A cancellation may still be on its way, and must not reach the next job.
            query.close()


def _keep(job: Job, query: psycopg.Connection[Any], lost: threading.Event, woken: socket.socket) -> None:
    """Renew until woken or told to stop; a database that is away for a moment is asked again."""
    renewed = time.monotonic()
    if _readable(woken, QUICK_SECONDS):
        return
    while not _readable(woken, 0):
        try:
            with psycopg.connect(environment().appdb_conninfo(), autocommit=True, application_name="lease") as jobs_db:
                jobs_db.execute(sql.SQL("LISTEN {}").format(sql.Identifier(jobs.channel(job.pk))))
                while _renew(job, jobs_db):
                    renewed = time.monotonic()
                    if _readable(woken, RENEW_SECONDS, jobs_db):
                        return
                break
        except psycopg.Error as error:
            log.warning("a lease cannot be renewed", extra={"job": str(job.pk), "reason": str(error)})
            if time.monotonic() - renewed > SILENCE_SECONDS or _readable(woken, 1.0):
                break
    lost.set()
    _cancel(job, query)
    while not _readable(woken, CANCEL_SECONDS):
        _cancel(job, query)


def _cancel(job: Job, query: psycopg.Connection[Any]) -> None:
    try:
        query.cancel_safe(timeout=5)
    except psycopg.Error as error:
        log.warning("a query cannot be cancelled", extra={"job": str(job.pk), "reason": str(error)})


def _renew(job: Job, jobs_db: psycopg.Connection[Any]) -> bool:
    return jobs_db.execute(_RENEW, (job.pk, Phase.EXECUTING, job.attempt)).rowcount == 1


def _readable(woken: socket.socket, seconds: float, jobs_db: psycopg.Connection[Any] | None = None) -> bool:
    """Whether the query has ended. Waits so long for that, or until the database has something to say."""
    watched: list[socket.socket | psycopg.Connection[Any]] = [woken] if jobs_db is None else [woken, jobs_db]
    ready, _, _ = select.select(watched, (), (), seconds)
    return woken in ready
