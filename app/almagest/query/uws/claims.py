"""Which job a worker runs next.

A message in a queue means "there is one job more to run", not which: who takes it runs the oldest job of the owner that
has the fewest running, and of several such owners of the one whose last turn was longest ago. So one owner's hundred
jobs do not stand before another's first one, and no owner holds more workers of a queue than its allowance has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from almagest.query import quotas
from almagest.query.models import Job, Phase
from almagest.query.uws import dispatch

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_JOBS = Job._meta.db_table  # noqa: SLF001 - Django's name for it

# Every job is claimed in its turn, while others wait: these take the database less time than the ORM their writing.
_COUNT = f"""
    SELECT owner, count(*) FROM "{_JOBS}" WHERE phase = %s AND queue = %s GROUP BY owner
"""  # noqa: S608 - the table is ours
_TAKE = f"""
    UPDATE "{_JOBS}" SET phase = %s, attempt = attempt + 1, started_at = now(), alive_at = now()
    WHERE id = %s AND phase = %s RETURNING *
"""  # noqa: S608 - as above


def claim(queue: str) -> Job | None:
    """QUEUED → EXECUTING of the job of this queue whose turn it is, for one more attempt; the job as it is then.

    None when none waits, or only such whose owners have as many running as they may.
    """
    with transaction.atomic():
        # One claim of a queue at a time: each counts what the one before it took.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", (queue,))
        running = _running(queue)
        for first in sorted(_firsts(queue), key=lambda job: (running[job.owner], job.served_at, job.queued_at)):
            allowed = quotas.allowance(first.owner, first.user_id).executing
            if running[first.owner] < allowed and (taken := _take(first)):
                return taken
    return None


def call_next(ended: Job) -> None:
    """Send a message in place of one that was taken in vain, because the owner of this job had as many running as
    allowed."""
    waiting = Job.objects.filter(phase=Phase.QUEUED, queue=ended.queue, owner=ended.owner)
    if not waiting.exists():
        return
    running = _running(ended.queue)[ended.owner] + 1
    if running >= quotas.allowance(ended.owner, ended.user_id).executing:
        dispatch.publish(ended.queue)


def ready(queue: str) -> int:
    """How many jobs of this queue could run now if there were workers enough."""
    running = _running(queue)
    waiting = Job.objects.filter(phase=Phase.QUEUED, queue=queue).order_by()
    owners = waiting.values_list("owner", "user").annotate(Count("pk"))
    return sum(
        max(0, min(count, quotas.allowance(owner, user).executing - running[owner])) for owner, user, count in owners
    )


def _running(queue: str) -> Counter[str]:
    """Owners of what runs, how often."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (Phase.EXECUTING, queue))
        return Counter(dict(cursor.fetchall()))


def _firsts(queue: str) -> Iterable[Any]:
    """Each owner's longest waiting job, with `served_at`: when a job of that owner last began in this queue."""
    begun = Job.objects.filter(owner=OuterRef("owner"), queue=queue, started_at__isnull=False)
    last = Subquery(begun.order_by("-started_at").values("started_at")[:1])
    waiting = Job.objects.filter(phase=Phase.QUEUED, queue=queue).order_by("owner", "queued_at").distinct("owner")
    return waiting.only("owner", "user", "queued_at").annotate(served_at=Coalesce(last, NEVER))


def _take(job: Job) -> Job | None:
    return next(iter(Job.objects.raw(_TAKE, (Phase.EXECUTING, job.pk, Phase.QUEUED))), None)
