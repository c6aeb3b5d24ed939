"""What the workers do: run jobs, and clear away results that nobody owns. Celery calls these; nothing else does."""

from __future__ import annotations

import logging

from celery import shared_task

from almagest.metadata import grants
from almagest.query.uws import dispatch, execution, sweep

log = logging.getLogger(__name__)


@shared_task(name=dispatch.RUN)
def run(queue: str) -> None:
    """Run a QUEUED job. A message that comes twice, or for a job that was aborted meanwhile, does nothing."""
    execution.execute(queue)


@shared_task(name=dispatch.SWEEP)
def drop_orphans() -> None:
    """Drop the result tables of jobs that are gone, and mend grants that a crash left apart from their metadata."""
    sweep.sweep()
    with grants.steward() as data:
        changed = grants.synchronise(data)
    if changed:
        log.warning("grants were not as the metadata say", extra={"changes": changed})
