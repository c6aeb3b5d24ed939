"""Putting right what a crash left: the job rows are the truth, and this compares the rest with them.

Run every few seconds by the scheduler. Each step is a compare-and-set, so it may run at any time, twice, or beside a
worker that comes back to life at that moment.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from celery.exceptions import OperationalError
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Now, RowNumber

from almagest.query import limits
from almagest.query.models import ENDED, NOBODYS, VISITORS, Job, Phase
from almagest.query.uws import claims, dispatch, jobs
from almagest.query.uws.lease import SILENCE_SECONDS

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""How often a job may be begun: a query that takes its worker down with it must not take down all of them."""

MESSAGE_SECONDS = 30.0
"""A message that is younger may still be on its way."""

EXPIRED_BATCH = 500

TRIMMED_BATCH = 5000
"""More than workers bring to their end meanwhile."""


def recover() -> None:
    """Give jobs of dead workers back to the queues, or end them, and publish queued jobs whose message was lost."""
    lost = Job.objects.filter(phase=Phase.EXECUTING, alive_at__lt=jobs.older_than(timedelta(seconds=SILENCE_SECONDS)))
    for job in lost:
        _take_back(job)
    for queue in Job.objects.filter(phase=Phase.QUEUED).order_by().values_list("queue", flat=True).distinct():
        _publish_missing(queue)


def expire() -> int:
    """Destroy jobs whose time has come; returns how many."""
    expired = list(Job.objects.filter(destruction_at__lte=Now()).order_by("destruction_at")[:EXPIRED_BATCH])
    for job in expired:
        jobs.destroy(job)
    return len(expired)


def trim() -> int:
    """Forget what has ended of nobody's and of visitors' beyond the newest that are kept of each phase; returns how
    many."""
    forgotten = _forget(_beyond_each_visitors())
    for whose in (NOBODYS, VISITORS):
        for phase, most in limits.ENDED_JOBS.items():
            forgotten += _forget(Job.objects.filter(whose, phase=phase).order_by("-ended_at")[most:])
    return forgotten


def _beyond_each_visitors() -> QuerySet[Job]:
    place = Window(RowNumber(), partition_by=("owner", "phase"), order_by="-ended_at")
    ended = Job.objects.filter(VISITORS, phase__in=ENDED).annotate(place=place)
    return ended.filter(place__gt=limits.ENDED_JOBS_OF_VISITOR)


def _forget(beyond: QuerySet[Job]) -> int:
    keys = list(beyond.values_list("pk", flat=True)[:TRIMMED_BATCH])
    return Job.objects.filter(pk__in=keys).delete()[0]


def _take_back(job: Job) -> None:
    """The first time back into the queue, then ERROR. Its worker, should it live, sees that and cancels the query."""
    attempt = Job.objects.filter(pk=job.pk, phase=Phase.EXECUTING, attempt=job.attempt, alive_at=job.alive_at)
    if job.attempt < ATTEMPTS:
        changed = attempt.update(phase=Phase.QUEUED, published_at=None, started_at=None)
    else:
        message = (
            f"the worker that ran this query was lost, {ATTEMPTS} times; if it happens again, ask for less at once"
        )
        changed = attempt.update(phase=Phase.ERROR, error=message, error_is_transient=True, ended_at=Now(), nbytes=None)
    if changed:
        log.warning("a job lost its worker", extra={"job": str(job.pk), "attempt": job.attempt})


def _publish_missing(queue: str) -> None:
    """Publish what the broker cannot know of: as many messages as it has too few for the jobs that could run now."""
    late = jobs.older_than(timedelta(seconds=MESSAGE_SECONDS))
    suspects = Job.objects.filter(
        Q(published_at__isnull=True) | Q(published_at__lt=late), phase=Phase.QUEUED, queue=queue
    )
    if not suspects.exists():
        return
    try:
        missing = claims.ready(queue) - dispatch.waiting(queue)
    except (OperationalError, OSError) as error:
        log.warning("the broker does not answer", extra={"queue": queue, "reason": str(error)})
        return
    oldest = suspects.order_by(F("published_at").asc(nulls_first=True), "queued_at").values_list("pk", flat=True)
    for job in oldest[: max(missing, 0)]:
        if not dispatch.publish(queue):
            return
        Job.objects.filter(pk=job, phase=Phase.QUEUED).update(published_at=Now())
