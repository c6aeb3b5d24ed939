"""What the workers do: run jobs, and clear away results that nobody owns. Celery calls these; nothing else does."""

from __future__ import annotations

import logging
import time

import psycopg
from celery import shared_task
from django.db import DatabaseError

from almagest.metadata import grants
from almagest.query.uws import dispatch, execution, sweep

log = logging.getLogger(__name__)


class _Broom:
    """This process's sweeps. swept: when the last one began, by the monotonic clock."""

    def __init__(self) -> None:
        self.swept = time.monotonic()

    def sweep(self) -> None:
        self.swept = time.monotonic()
        sweep.sweep()
        with grants.steward() as data:
            changed = grants.synchronise(data)
        if changed:
            log.warning("grants were not as the metadata say", extra={"changes": changed})

    def sweep_if_due(self) -> None:
        if time.monotonic() - self.swept < dispatch.SWEEP_SECONDS:
            return
        try:
            self.sweep()
        except (psycopg.Error, DatabaseError) as error:
            log.warning("a server is away; sweeping later", extra={"reason": str(error)})


_broom = _Broom()


@shared_task(name=dispatch.RUN)
def run(queue: str) -> None:
    """Run a QUEUED job. A message that comes twice, or for a job that was aborted meanwhile, does nothing.

    A worker that is never idle sweeps between two jobs: the message that orders it waits behind all those of jobs, and
    is moot when it comes.
    """
    execution.execute(queue)
    _broom.sweep_if_due()


@shared_task(name=dispatch.SWEEP)
def drop_orphans() -> None:
    """Drop the result tables of jobs that are gone, and mend grants that a crash left apart from their metadata."""
    _broom.sweep()
