"""What the workers do: run jobs, and clear away results that nobody owns. `query.uws.celery` finds them here."""

from __future__ import annotations

import logging

import psycopg
from celery import shared_task
from django.db import Error as DatabaseError

from almagest.metadata import grants
from almagest.query.uws import dispatch, execution, sweep

log = logging.getLogger(__name__)


@shared_task(name=dispatch.RUN)
def run(queue: str) -> None:
    """Run a QUEUED job. A message that comes twice, or for a job that was aborted meanwhile, does nothing.

    A worker that is never idle sweeps between two jobs: the message that orders it waits behind all those of jobs, and
    is moot when it comes.
    """
    execution.execute(queue)
    _sweep_if_due()


@shared_task(name=dispatch.SWEEP)
def drop_orphans() -> None:
    """Drop the result tables of jobs that are gone, and mend grants that a crash left apart from their metadata."""
    _sweep_if_due()


def _sweep_if_due() -> None:
    try:
        if not sweep.begin():
            return
        sweep.sweep()
        with grants.steward() as data:
            changed = grants.synchronise(data)
    except (psycopg.Error, DatabaseError) as error:
        log.warning("a sweep was broken off; the next one goes on", extra={"reason": str(error)})
        return
    if changed:
        log.warning("grants were not as the metadata say", extra={"changes": changed})
