"""Which job a worker runs next.

A message in a queue means "there is one job more to run", not which: who takes it runs the oldest job of the owner that
has the fewest running, and of several such owners of the one whose last turn was longest ago. So one owner's hundred
jobs do not stand before another's first one, and no owner holds more workers of a queue than its allowance has it, nor
do all visitors together.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from almagest.accounts.identity import ALL_VISITORS, is_visitor
from almagest.query import quotas
from almagest.query.models import VISITORS, Job, Phase
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
        firsts = _firsts(queue, visitors=_left_to_visitors(running) > 0)
        for first in sorted(firsts, key=lambda job: (running[job.owner], job.served_at, job.queued_at)):
            allowed = quotas.allowance(first.owner, first.user_id).executing
            if running[first.owner] < allowed and (taken := _take(first)):
                return taken
    return None


def call_next(ended: Job) -> None:
    """Send a message in place of one that was taken in vain, because the owner of this job, or all visitors, had as
    many running as allowed."""
    waiting = Job.objects.filter(phase=Phase.QUEUED, queue=ended.queue)
    if not waiting.filter(VISITORS if is_visitor(ended.owner) else Q(owner=ended.owner)).exists():
        return
    running = _running(ended.queue)
    for budget in quotas.budgets(ended.owner, ended.user_id):
        full = running[budget.holder] + 1 >= budget.allowed.executing
        if full and waiting.filter(budget.jobs).exists():
            dispatch.publish(ended.queue)
            return


def ready(queue: str) -> int:
    """How many jobs of this queue could run now if there were workers enough."""
    running = _running(queue)
    waiting = Job.objects.filter(phase=Phase.QUEUED, queue=queue).order_by()
    found = {True: 0, False: 0}
    for owner, user, count in waiting.values_list("owner", "user").annotate(Count("pk")):
        free = quotas.allowance(owner, user).executing - running[owner]
        found[is_visitor(owner)] += max(0, min(count, free))
    return found[False] + max(0, min(found[True], _left_to_visitors(running)))


def places(jobs: Iterable[Job]) -> dict[uuid.UUID, int]:
    """Of those that are QUEUED, the places in their queues, from 1: whose turn is when, if one worker runs all of
    them. Each owner has one job begun before any has a second one.
    """
    found = {}
    for owner, queue in {(job.owner, job.queue) for job in jobs if job.phase == Phase.QUEUED}:
        waiting = Job.objects.filter(phase=Phase.QUEUED, queue=queue).order_by()
        others = list(
            waiting.exclude(owner=owner)
            .values_list("owner")
            .annotate(Count("pk"), Min("queued_at"))
            .values_list("pk__count", "queued_at__min")
        )
        own = waiting.filter(owner=owner).order_by("queued_at").values_list("pk", "queued_at")
        for number, (key, queued_at) in enumerate(own, 1):
            before = sum(min(count, number if first < queued_at else number - 1) for count, first in others)
            found[key] = before + number
    return found


def _running(queue: str) -> Counter[str]:
    """Owners of what runs, how often; and all visitors together."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (Phase.EXECUTING, queue))
        running = Counter(dict(cursor.fetchall()))
    running[ALL_VISITORS] = sum(count for owner, count in running.items() if is_visitor(owner))
    return running


def _left_to_visitors(running: Counter[str]) -> int:
    """How many more of all visitors' may run."""
    return quotas.of_visitors().allowed.executing - running[ALL_VISITORS]


def _firsts(queue: str, *, visitors: bool) -> Iterable[Any]:
    """Each owner's longest waiting job, with `served_at`: when a job of that owner last began in this queue.

    visitors: whether theirs are among them; they may be many, and all of them have to wait when one has to.
    """
    begun = Job.objects.filter(owner=OuterRef("owner"), queue=queue, started_at__isnull=False)
    last = Subquery(begun.order_by("-started_at").values("started_at")[:1])
    waiting = Job.objects.filter(Q() if visitors else ~VISITORS, phase=Phase.QUEUED, queue=queue)
    firsts = waiting.order_by("owner", "queued_at").distinct("owner")
    return firsts.only("owner", "user", "queued_at").annotate(served_at=Coalesce(last, NEVER))


def _take(job: Job) -> Job | None:
    return next(iter(Job.objects.raw(_TAKE, (Phase.EXECUTING, job.pk, Phase.QUEUED))), None)
