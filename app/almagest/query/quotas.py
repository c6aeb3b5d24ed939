"""What one owner may have at once, and has: bytes and rows of stored results, jobs under way.

An owner is who `Identity.owner` says; the askers without one share the allowance `nobody`, and are told nothing about
one another's jobs.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Q, QuerySet, Sum

from almagest.query import limits
from almagest.query.errors import QuotaError
from almagest.query.limits import Allowance
from almagest.query.models import Job, Phase, Quota, UserTable

UNDER_WAY = (Phase.QUEUED, Phase.EXECUTING)
NAMED = 3
"""Jobs that a refusal names."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be stored; 0 where the allowance is used up."""

    nbytes: int
    nrows: int


def allowance(owner: str, user: int | None) -> Allowance:
    """What this owner may have. user: its account, if it has one.

    A user gets the most generous of what users get and what their groups get, unless there is a quota of their own.
    """
    kind = Quota.Kind.NOBODY if not owner else Quota.Kind.GUEST if user is None else Quota.Kind.USER
    told = Q(kind=kind, name="")
    if user is not None:
        names = get_user_model().objects.filter(pk=user).values("username")
        told |= Q(kind=Quota.Kind.USER, name__in=names)
        told |= Q(kind=Quota.Kind.GROUP, name__in=Group.objects.filter(user=user).values("name"))
    default, own, groups = limits.ALLOWANCES[kind], None, []
    for quota in Quota.objects.filter(told):
        if quota.kind == Quota.Kind.GROUP:
            groups.append(quota)
        elif quota.name:
            own = quota
        else:
            default = changed(default, quota)
    generous = _most([default, *(changed(default, quota) for quota in groups)])
    return changed(generous, own) if own else generous


def changed(base: Allowance, quota: Quota) -> Allowance:
    """The allowance with the numbers that the quota sets."""
    told = {field.name: getattr(quota, field.name) for field in fields(Allowance)}
    return replace(base, **{name: value for name, value in told.items() if value is not None})


def used(owner: str) -> Room:
    """What this owner's stored results, and the tables that the owner keeps, take."""
    stored: list[QuerySet[Any]] = [Job.objects.filter(owner=owner, nbytes__isnull=False)]
    if owner:
        stored.append(UserTable.objects.filter(owner=owner))
    totals = [each.aggregate(bytes=Sum("nbytes"), rows=Sum("nrows")) for each in stored]
    return Room(sum(int(total["bytes"] or 0) for total in totals), sum(int(total["rows"] or 0) for total in totals))


def room(job: Job) -> Room:
    """What this job's result may take."""
    allowed, taken = allowance(job.owner, job.user_id), used(job.owner)
    return Room(max(0, allowed.nbytes - taken.nbytes), max(0, allowed.nrows - taken.nrows))


def check_room(owner: str, allowed: Allowance) -> None:
    """Raise QuotaError when this owner's results fill what they may take."""
    taken = used(owner)
    if taken.nbytes >= allowed.nbytes:
        raise QuotaError(f"results take {size(taken.nbytes)} of the {size(allowed.nbytes)} allowed; {_advice(owner)}")
    if taken.nrows >= allowed.nrows:
        raise QuotaError(f"results have {taken.nrows:,} of the {allowed.nrows:,} rows allowed; {_advice(owner)}")


def check_fits(owner: str, user: int | None, nbytes: int, nrows: int) -> None:
    """Raise QuotaError when so much more is more than this owner has room for."""
    allowed, taken = allowance(owner, user), used(owner)
    if taken.nbytes + nbytes > allowed.nbytes or taken.nrows + nrows > allowed.nrows:
        left = size(max(0, allowed.nbytes - taken.nbytes))
        raise QuotaError(f"the table takes {size(nbytes)}, and there is room for {left}; {_advice(owner)}")


def check_active(owner: str, allowed: Allowance) -> None:
    """Raise QuotaError when this owner has more jobs under way than allowed, the one just queued included.

    Call it in the transaction that queued the job: of two at once the second waits here until the first is counted.
    The many that share the empty owner do not wait for one another, and may pass their limit by as many.
    """
    hold(owner)
    active = Job.objects.filter(owner=owner, phase__in=UNDER_WAY).count()
    if active > allowed.active:
        raise QuotaError(
            f"{allowed.active:,} jobs are waiting or running, as many as allowed at once;"
            " wait for one to end, or abort or delete one"
        )


def check_pending(owner: str, allowed: Allowance) -> None:
    """Raise QuotaError when this owner has more jobs PENDING than allowed, the one just created included.

    Call it in the transaction that created the job; of two at once as `check_active`.
    """
    hold(owner)
    if Job.objects.filter(owner=owner, phase=Phase.PENDING).count() > allowed.pending:
        raise QuotaError(
            f"{allowed.pending:,} jobs were created and never started, as many as allowed at once;"
            " run or delete one, or create the next with PHASE=RUN"
        )


def hold(owner: str) -> None:
    """Let nobody else count or name what this owner has until the end of the transaction."""
    if owner:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (owner,))


def beyond(job: Job) -> QuotaError:
    """The error of a job whose result does not fit any more."""
    allowed = allowance(job.owner, job.user_id)
    return QuotaError(
        f"the result would pass the {size(allowed.nbytes)} or {allowed.nrows:,} rows that results may take together;"
        f" ask for less, or {_advice(job.owner)}"
    )


def size(nbytes: int) -> str:
    """Bytes as a person reads them, in powers of 1024."""
    value, units = float(nbytes), ["TiB", "GiB", "MiB", "KiB"]
    unit = "bytes"
    while value >= 1024 and units:
        value, unit = value / 1024, units.pop()
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def _advice(owner: str) -> str:
    if not owner:
        return "delete your jobs that are no longer needed, or log in to have room of your own"
    largest = Job.objects.filter(owner=owner, nbytes__isnull=False).order_by("-nbytes")[:NAMED]
    named = ", ".join(f"{job.pk} ({size(job.nbytes or 0)})" for job in largest)
    return f"delete jobs that are no longer needed; the largest: {named}" if named else "delete jobs"


def _most(allowances: list[Allowance]) -> Allowance:
    return Allowance(
        **{field.name: max(getattr(each, field.name) for each in allowances) for field in fields(Allowance)}
    )
