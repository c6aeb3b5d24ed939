"""The whole control loop: observe → validate → build → plan → apply → status."""

from __future__ import annotations

from datetime import datetime

from almagest_operator.apply.engine import Applied
from almagest_operator.cluster import Cluster, seen_status
from almagest_operator.desired import build
from almagest_operator.model.archive import Archive
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.release import ArchiveRelease
from almagest_operator.observe.store import Key
from almagest_operator.plan import GONE, SETTLED, Outcome, Step, owners, plan, rest
from almagest_operator.status.summary import first_sight, invalid, status

AT_ONCE = Outcome(requeue_after=0)
IN_A_MINUTE = Outcome(requeue_after=60, failed=True)
WITH_BACKOFF = Outcome(failed=True)


async def reconcile(key: Key, cluster: Cluster, now: datetime) -> Outcome:
    """Bring one archive one step nearer to its spec; safe to run at any time, any number of times."""
    observed = cluster.observe(key)  # from indexes, no I/O
    if observed.archive is None:
        return GONE
    metadata, before = observed.archive["metadata"], seen_status(observed.archive)
    if "deletionTimestamp" in metadata:
        return SETTLED  # its children go by their owner references
    owned = owners(observed.archive, observed.children)  # pure; the deletion policy counts whatever else the spec says
    try:
        archive = Archive.parse(observed.archive)
        release = ArchiveRelease.parse(observed.release) if observed.release else None
        desired = build(archive, release, observed.facts)  # pure
    except InvalidSpec as error:
        applied = await cluster.apply(observed, Step(owners=owned))
        await cluster.report(observed, invalid(before, error, applied, metadata["generation"], now), now)
        return _after(applied, SETTLED)  # until the spec changes, or the release that it names
    if not before.conditions:
        await cluster.report(observed, first_sight(archive, now), now)
        return AT_ONCE
    step = plan(desired.resources, desired.secrets, observed.children, observed.look, owned)  # pure: what now, and why
    if archive.spec.lifecycle.paused:
        step = rest(step)
    applied = await cluster.apply(observed, step)  # server-side, only what differs
    await cluster.report(observed, status(archive, desired, step, applied, observed, now), now)
    return _after(applied, step.outcome)


def _after(applied: Applied, done: Outcome) -> Outcome:
    """When to come again. done: when every write was carried out."""
    if applied.passing:
        return WITH_BACKOFF
    return IN_A_MINUTE if applied.refused else done
