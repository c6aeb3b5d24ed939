"""What one owner may have at once, and has: bytes and rows of stored results, jobs under way.

`Identity.owner` names the owner. Askers without one share the allowance `nobody` and hear nothing of one another's
jobs. A visitor has an allowance of their own and shares a second one with all visitors, because a client becomes a new
visitor by coming without a cookie.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Q, QuerySet, Sum

from almagest.accounts.identity import ALL_VISITORS, Identity, is_visitor
from almagest.query import limits
from almagest.query.errors import QuotaError
from almagest.query.limits import Allowance
from almagest.query.models import VISITORS, Job, Phase, Quota, UserTable

UNDER_WAY = (Phase.QUEUED, Phase.EXECUTING)
NAMED = 3
"""Jobs that a refusal names."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is stored, or may still be; 0 where the allowance is used up."""

    nbytes: int
    nrows: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What one asker has. nbytes, nrows: of results and tables; active: jobs that wait or run."""

    nbytes: int
    nrows: int
    active: int


@dataclass(frozen=True, slots=True)
class Budget:
    """An allowance, and whose jobs count against it: one owner's, or those of all visitors together.

    holder: the owner's name, or `ALL_VISITORS`.
    """

    holder: str
    allowed: Allowance

    @property
    def jobs(self) -> Q:
        """The jobs that count."""
        return VISITORS if self.holder == ALL_VISITORS else Q(owner=self.holder)

    @property
    def whose(self) -> str:
        """Said after what is used up, where it is not the asker's alone."""
        return " of all visitors together" if self.holder == ALL_VISITORS else ""

    def used(self) -> Room:
        """What the stored results, and the tables that a user keeps, take."""
        stored: list[QuerySet[Any]] = [Job.objects.filter(self.jobs, nbytes__isnull=False)]
        if self.holder not in ("", ALL_VISITORS):
            stored.append(UserTable.objects.filter(owner=self.holder))
        totals = [each.aggregate(bytes=Sum("nbytes"), rows=Sum("nrows")) for each in stored]
        return Room(sum(int(total["bytes"] or 0) for total in totals), sum(int(total["rows"] or 0) for total in totals))

    def left(self) -> Room:
        """What may still be stored."""
        taken = self.used()
        return Room(max(0, self.allowed.nbytes - taken.nbytes), max(0, self.allowed.nrows - taken.nrows))


def budgets(owner: str, user: int | None) -> tuple[Budget, ...]:
    """What this owner has to keep within: their own, and a visitor that of all visitors too. user: as `allowance`."""
    own = Budget(owner, allowance(owner, user))
    return (own, of_visitors()) if is_visitor(owner) else (own,)


def of_visitors() -> Budget:
    """What all visitors have to keep within together."""
    told = Quota.objects.filter(kind=Quota.Kind.GUESTS, name="").first()
    default = limits.ALLOWANCES[Quota.Kind.GUESTS]
    return Budget(ALL_VISITORS, changed(default, told) if told else default)


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


def taken(identity: Identity) -> Taken:
    """What an asker has; nothing of those who cannot be told from one another."""
    if not identity.owner:
        return Taken(0, 0, 0)
    budget = Budget(identity.owner, allowed(identity))
    stored, active = budget.used(), Job.objects.filter(budget.jobs, phase__in=UNDER_WAY).count()
    return Taken(stored.nbytes, stored.nrows, active)


def allowed(identity: Identity) -> Allowance:
    """What an asker may have: who is nobody yet is a visitor with the first thing that they create."""
    return allowance(identity.owner or ALL_VISITORS, identity.user)


def changed(base: Allowance, quota: Quota) -> Allowance:
    """The allowance with the numbers that the quota sets."""
    told = {field.name: getattr(quota, field.name) for field in fields(Allowance)}
    return replace(base, **{name: value for name, value in told.items() if value is not None})


def room(job: Job) -> Room:
    """What this job's result may take."""
    left = [budget.left() for budget in budgets(job.owner, job.user_id)]
    return Room(min(each.nbytes for each in left), min(each.nrows for each in left))


def check_room(within: Iterable[Budget]) -> None:
    """Raise QuotaError when results fill what they may take."""
    for budget in within:
        taken, allowed = budget.used(), budget.allowed
        if taken.nbytes >= allowed.nbytes:
            told = f"take {size(taken.nbytes)} of the {size(allowed.nbytes)} allowed"
        elif taken.nrows >= allowed.nrows:
            told = f"have {taken.nrows:,} of the {allowed.nrows:,} rows allowed"
        else:
            continue
        raise QuotaError(f"results{budget.whose} {told}; {_advice(budget)}")


def check_fits(owner: str, user: int | None, nbytes: int) -> None:
    """Raise QuotaError when so much more is more than this owner has room for, or the rows that are counted already are
    more than they may have."""
    for budget in budgets(owner, user):
        taken, allowed = budget.used(), budget.allowed
        if taken.nbytes + nbytes > allowed.nbytes:
            left = size(max(0, allowed.nbytes - taken.nbytes))
            raise QuotaError(
                f"the table takes {size(nbytes)}, and there is room for {left}{budget.whose}; {_advice(budget)}"
            )
        if taken.nrows > allowed.nrows:
            raise QuotaError(
                f"with this table there are {taken.nrows:,} of the {allowed.nrows:,} rows allowed{budget.whose};"
                f" {_advice(budget)}"
            )


def check_active(within: Iterable[Budget]) -> None:
    """Raise QuotaError when more jobs are under way than allowed, the one just queued included.

    Call it in the transaction that queued the job: of two of one owner at once the second waits here until the first is
    counted. The many that share the empty owner, or the visitors' budget, do not wait for one another, and may pass
    their limit by as many.
    """
    for budget in within:
        if _exceed(budget, budget.allowed.active, UNDER_WAY):
            raise QuotaError(
                f"{budget.allowed.active:,} jobs{budget.whose} are waiting or running, as many as allowed at once;"
                " wait for one to end, or abort or delete one"
            )


def check_pending(within: Iterable[Budget]) -> None:
    """Raise QuotaError when more jobs are PENDING than allowed, the one just created included.

    Call it in the transaction that created the job; of two at once as `check_active`.
    """
    for budget in within:
        if _exceed(budget, budget.allowed.pending, (Phase.PENDING,)):
            raise QuotaError(
                f"{budget.allowed.pending:,} jobs{budget.whose} were created and never started, as many as allowed at"
                " once; run or delete one, or create the next with PHASE=RUN"
            )


def _exceed(budget: Budget, number: int, phases: Collection[Phase]) -> bool:
    if budget.holder != ALL_VISITORS:
        hold(budget.holder)
    return Job.objects.filter(budget.jobs, phase__in=phases)[: number + 1].count() > number


def hold(owner: str) -> None:
    """Let nobody else count or name what this owner has until the end of the transaction."""
    if owner:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (owner,))


def beyond(job: Job) -> QuotaError:
    """The error of a job whose result does not fit any more."""
    budget = min(budgets(job.owner, job.user_id), key=lambda each: each.left().nbytes)
    allowed = budget.allowed
    return QuotaError(
        f"the result would pass the {size(allowed.nbytes)} or {allowed.nrows:,} rows that results{budget.whose} may"
        f" take together; ask for less, or {_advice(budget)}"
    )


def size(nbytes: int) -> str:
    """Bytes as a person reads them, in powers of 1024."""
    value, units = float(nbytes), ["TiB", "GiB", "MiB", "KiB"]
    unit = "bytes"
    while value >= 1024 and units:
        value, unit = value / 1024, units.pop()
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def _advice(budget: Budget) -> str:
    if budget.holder in ("", ALL_VISITORS):
        return "delete your jobs that are no longer needed, or log in to have room of your own"
    largest = Job.objects.filter(budget.jobs, nbytes__isnull=False).order_by("-nbytes")[:NAMED]
    named = ", ".join(f"{job.pk} ({size(job.nbytes or 0)})" for job in largest)
    return f"delete jobs that are no longer needed; the largest: {named}" if named else "delete jobs"


def _most(allowances: list[Allowance]) -> Allowance:
    return Allowance(
        **{field.name: max(getattr(each, field.name) for each in allowances) for field in fields(Allowance)}
    )
