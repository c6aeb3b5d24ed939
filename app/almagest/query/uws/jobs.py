"""The life of a job: UWS 1.1 §2.1.3 as compare-and-set steps on one row.

Every change of phase is one `UPDATE … WHERE phase = …`, so of two that want to change it at once exactly one does, and
each caller learns which. Nothing is decided from a phase that was read earlier.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Func, JSONField, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Left, Now
from django.utils import timezone

from almagest.accounts.identity import Identity
from almagest.adql import Translation
from almagest.config.environment import queues
from almagest.query import limits, quotas, request, slots
from almagest.query.errors import ForbiddenError, NoSuchJobError, WrongPhaseError
from almagest.query.models import ACTIVE, Job, Phase
from almagest.query.tables import columns, jobtables
from almagest.query.uws import dispatch

Parameters = request.Parameters

LOST = "the result was lost when the data database restarted; run the query again"


def create(identity: Identity, parameters: Parameters, wishes: request.Wishes = request.Wishes()) -> Job:
    """A new PENDING job, or a QUEUED one where it is to start at once. Nothing about the query is checked: that happens
    when it runs (TAP 1.1 §2.7). What is wished is granted as far as the archive allows.

    Raises QuotaError when its owner, or all visitors together, have used up what they may have, InvalidRequestError for
    a TABLE_NAME that is taken.
    """
    owner, now = identity.owner, timezone.now()
    wanted = int(queues()[0].timeout) if wishes.duration is None else wishes.duration
    duration = limits.duration(wanted, queues())
    within = quotas.budgets(owner, identity.user)
    quotas.check_room(within)
    job = Job(
        owner=owner,
        user_id=identity.user,
        parameters=dict(parameters),
        run_id=parameters.get("RUNID", ""),
        execution_duration=duration,
        queue=limits.queue_for(duration, queues()).name,
        created_at=Now(),
        destruction_at=limits.destruction(wishes.destruction or now + limits.RETENTION, now),
    )
    if wishes.start:
        job.phase, job.queued_at, job.published_at = Phase.QUEUED, now, now
    with transaction.atomic():
        jobtables.name(job)
        job.save(force_insert=True)
        if wishes.start:
            quotas.check_active(within)
        else:
            quotas.check_pending(within)
    if wishes.start:
        _publish(job)
    return job


def find(job_id: uuid.UUID, identity: Identity) -> Job:
    """The job, if it is this identity's, or an anonymous one, which whoever knows its address may have.

    Raises NoSuchJobError, also for one whose destruction time has come, if no record of it is kept.
    """
    own = Job.objects.select_related("user").filter(Q(user=None) | Q(user=identity.user), pk=job_id)
    job = own.first()
    if job is not None and job.destruction_at <= timezone.now():
        destroy(job)
        job = own.first()
    if job is None:
        raise NoSuchJobError(f"there is no job {job_id}; it never existed, or it was deleted")
    return job


def may_change(job: Job, identity: Identity) -> bool:
    """Whether the job is this identity's; whoever is nobody shares those of nobody."""
    return job.owner == identity.owner


def own(job_id: uuid.UUID, identity: Identity) -> Job:
    """The job, for one of its owner's wishes. Raises NoSuchJobError as `find`, ForbiddenError for a visitor's job that
    somebody was shown."""
    job = find(job_id, identity)
    if not may_change(job, identity):
        raise ForbiddenError("this job is somebody else's, who lets you read it; run it again to have one of your own")
    return job


def listed(identity: Identity, phases: Collection[str], after: datetime | None, last: int | None) -> list[Job]:
    """This identity's jobs, the newest first, without their parameters and columns (UWS 1.1 §2.2.2.1).

    phases: any of these, if there are any; without them no ARCHIVED ones; after: created later than that; last: so many
    at most, and never more than limits.LISTED_JOBS. Nobody has none.
    """
    if not identity.owner:
        return []
    own = Job.objects.filter(owner=identity.owner, destruction_at__gt=Now()).defer("parameters", "columns")
    own = own.filter(phase__in=phases) if phases else own.exclude(phase=Phase.ARCHIVED)
    if after is not None:
        own = own.filter(created_at__gt=after)
    return list(own.order_by("-created_at")[: min(last or limits.LISTED_JOBS, limits.LISTED_JOBS)])


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list. jobs: with `told`, the beginning of their query, in place of parameters and columns; more:
    whether there are older ones."""

    jobs: Sequence[Job]
    more: bool


def page(
    identity: Identity,
    phases: Collection[str],
    *,
    run_id: str | None = None,
    text: str = "",
    before: tuple[datetime, uuid.UUID] | None = None,
    most: int,
) -> Page:
    """This identity's jobs, the newest first, `most` at most.

    phases: as in `listed`; run_id: of this group, if one is named; text: that stands in their run id, query or table's
    name, in any letter case; before: creation time and id of the job after which to go on.
    """
    if not identity.owner:
        return Page([], more=False)
    query = KeyTextTransform("QUERY", "parameters")
    own = Job.objects.filter(owner=identity.owner, destruction_at__gt=Now()).defer("parameters", "columns", "uploads")
    own = own.filter(phase__in=phases) if phases else own.exclude(phase=Phase.ARCHIVED)
    if run_id is not None:
        own = own.filter(run_id=run_id)
    if text:
        own = own.annotate(whole=query).filter(
            Q(whole__icontains=text) | Q(run_id__icontains=text) | Q(table_name__icontains=text)
        )
    if before is not None:
        created, last = before
        own = own.filter(Q(created_at__lt=created) | Q(created_at=created, pk__lt=last))
    others = Func(
        "parameters", Value("QUERY"), template="(%(expressions)s)", arg_joiner=" - ", output_field=JSONField()
    )
    own = own.annotate(told=Left(Coalesce(query, Value("")), limits.LISTED_CHARACTERS), others=others)
    found = list(own.order_by("-created_at", "-pk")[: most + 1])
    return Page(found[:most], more=len(found) > most)


def change(job: Job, *, run_id: str | None, name: str | None, destruction: datetime | None) -> None:
    """Change what is told of these, all or nothing: the group, whatever the phase; the name of the result's table; when
    the job is to be forgotten, as far as the archive allows. None leaves as it is.

    Raises NoSuchJobError when the job was deleted, InvalidRequestError for a name that is none or taken,
    WrongPhaseError when there is no table.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job.pk).first()
        if row is None:
            raise NoSuchJobError(f"job {job.pk} was deleted")
        if run_id is not None:
            row.run_id, row.parameters = run_id, {**row.parameters, "RUNID": run_id}
            row.save(update_fields=["run_id", "parameters"])
        if destruction is not None:
            set_destruction(row, destruction)
        if name is not None:
            jobtables.rename(row, name)


def set_parameters(job: Job, parameters: Parameters) -> None:
    """Replace these parameters of a PENDING job, keeping the others.

    Raises WrongPhaseError when it is no longer so, InvalidRequestError for a TABLE_NAME that is taken.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job.pk, phase=Phase.PENDING).first()
        if row is None:
            raise _wrong_phase(job, "its parameters can be changed only while it is PENDING")
        row.parameters = {**row.parameters, **parameters}
        row.run_id = row.parameters.get("RUNID", "")
        if "TABLE_NAME" in parameters:
            jobtables.name(row)
        row.save(update_fields=["parameters", "run_id", "table_name"])


def set_destruction(job: Job, wanted: datetime) -> None:
    """Let the job live until then, or as long as the archive allows."""
    Job.objects.filter(pk=job.pk).update(destruction_at=limits.destruction(wanted, timezone.now()))


def set_duration(job: Job, seconds: int) -> None:
    """Let a PENDING job run so long, or as long as the slowest queue allows.

    Raises WrongPhaseError once it is queued.
    """
    granted = limits.duration(seconds, queues())
    queue = limits.queue_for(granted, queues()).name
    changed = Job.objects.filter(pk=job.pk, phase=Phase.PENDING).update(execution_duration=granted, queue=queue)
    if not changed:
        raise _wrong_phase(job, "its execution duration can be changed only while it is PENDING")


def run(job: Job) -> None:
    """PENDING → QUEUED, and a message to its queue. A job that was already run stays as it is (a second RUN runs
    nothing twice). Raises WrongPhaseError when it was aborted, QuotaError when its owner has too many under way."""
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, phase=Phase.PENDING).update(
            phase=Phase.QUEUED, queued_at=Now(), published_at=Now()
        )
        if changed:
            quotas.check_active(quotas.budgets(job.owner, job.user_id))
    if changed:
        _publish(job)
    elif current(job) in (Phase.ABORTED, Phase.ARCHIVED):
        raise _wrong_phase(job, "create a new one")


def _publish(job: Job) -> None:
    """Tell the workers of it. A message that was not taken is for the scheduler to send, which looks for its like."""
    if not dispatch.publish(job.queue):
        Job.objects.filter(pk=job.pk, phase=Phase.QUEUED).update(published_at=None)


def abort(job: Job) -> None:
    """Any active phase → ABORTED. The worker that runs it is told at once and cancels the query.

    Raises WrongPhaseError when the job had finished before.
    """
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, phase__in=ACTIVE).update(phase=Phase.ABORTED, ended_at=Now(), nbytes=None):
            if current(job) == Phase.ABORTED:
                return
            raise _wrong_phase(job, "it has already ended")
        notify(job.pk)


def delete(job: Job) -> None:
    """Forget the job, ending it first. Its result table goes with the next sweep (`almagest.query.uws.sweep`)."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).delete()
        notify(job.pk)


def destroy(job: Job) -> None:
    """What its destruction time brings: of a user's job the record is kept for a while, of any other nothing."""
    if job.user_id is None or job.phase in (Phase.PENDING, Phase.ARCHIVED):
        delete(job)
        return
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).exclude(phase=Phase.ARCHIVED).update(
            phase=Phase.ARCHIVED,
            ended_at=Coalesce("ended_at", Now()),
            destruction_at=Now() + limits.ARCHIVE_RETENTION,
            table_name="",
            columns=None,
            nbytes=None,
        )
        notify(job.pk)


def wait(job: Job, seconds: float, phase: str | None) -> Job:
    """The job when its phase is no longer `phase` (default: the present one), or after so many seconds.

    seconds: below 0 for as long as the service allows. Returns at once for a finished job (UWS 1.1 §2.2.1.1).
    """
    awaited = job.phase if phase is None else phase
    return _waited(job, seconds, lambda now: now == awaited)


def wait_for_end(job: Job, seconds: float) -> Job:
    """The job when it has ended, or after so many seconds, as `wait`."""
    return _waited(job, seconds, lambda _: True)


def _waited(job: Job, seconds: float, goes_on: Callable[[str], bool]) -> Job:
    """The job when it has ended or its phase lets it not go on any more, or after so many seconds."""
    limit = limits.WAIT_SECONDS if seconds < 0 else min(seconds, limits.WAIT_SECONDS)
    with slots.waiter() as patient:
        deadline = time.monotonic() + (limit if patient else min(limit, limits.CROWDED_WAIT_SECONDS))
        pause = 0.005
        phase_now = job.phase
        while goes_on(phase_now) and phase_now in ACTIVE and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 1.3, 0.5)
            phase_now = current(job) or ""
    return refreshed(job)


def complete(job: Job, translation: Translation, *, nrows: int, nbytes: int, overflow: bool) -> bool:
    """EXECUTING → COMPLETED by the attempt that `job` is; False when it lost the right to say so."""
    described = columns.write(translation.columns)
    read = sorted(translation.tables)
    return _end(
        job, phase=Phase.COMPLETED, columns=described, tables=read, nrows=nrows, nbytes=nbytes, overflow=overflow
    )


def fail(job: Job, message: str, *, transient: bool = False) -> bool:
    """EXECUTING → ERROR by the attempt that `job` is. transient: the same query may succeed later."""
    return _end(job, phase=Phase.ERROR, error=message, error_is_transient=transient, nbytes=None)


def lose(job_id: uuid.UUID) -> bool:
    """COMPLETED → ERROR of a job whose result is gone without anybody's will; False when there was none to lose."""
    lost = Job.objects.filter(pk=job_id, phase=Phase.COMPLETED, nrows__gt=0)
    return bool(lost.update(phase=Phase.ERROR, error=LOST, error_is_transient=True, columns=None, nbytes=None))


def hand_back(job: Job, *, begun: bool = False) -> bool:
    """EXECUTING → QUEUED by the attempt that `job` is; the scheduler sends it out again. begun: whether it counts as an
    attempt (`almagest.query.uws.recovery.ATTEMPTS`)."""
    changed = _attempt(job).update(
        phase=Phase.QUEUED,
        attempt=F("attempt") - (0 if begun else 1),
        started_at=None,
        alive_at=None,
        published_at=None,
    )
    return bool(changed)


def current(job: Job) -> str | None:
    """The job's phase in the database, None when it was deleted."""
    return Job.objects.filter(pk=job.pk).values_list("phase", flat=True).first()


def notify(job_id: uuid.UUID) -> None:
    """Wake the worker that runs this job, if any, so that it looks whether it still should."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", (channel(job_id),))


def channel(job_id: uuid.UUID) -> str:
    """The notification channel of the job in the application's database."""
    return f"job_{job_id.hex}"


def parse_id(text: str) -> uuid.UUID:
    """A job id from an address. Raises NoSuchJobError for anything that `str(uuid)` would not have written."""
    try:
        parsed = uuid.UUID(text)
    except ValueError as error:
        raise NoSuchJobError("there is no such job") from error
    if str(parsed) != text:
        raise NoSuchJobError("there is no such job")
    return parsed


def older_than(age: timedelta) -> Any:
    """A database expression: the moment `age` ago, by the database's clock."""
    return Now() - age


def refreshed(job: Job) -> Job:
    """The job as its row is now. Raises NoSuchJobError when it was deleted."""
    found = Job.objects.select_related("user").filter(pk=job.pk).first()
    if found is None:
        raise NoSuchJobError(f"job {job.pk} was deleted")
    return found


def _end(job: Job, **values: Any) -> bool:
    return bool(_attempt(job).update(ended_at=Now(), **values))


def _attempt(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, phase=Phase.EXECUTING, attempt=job.attempt)


def _wrong_phase(job: Job, rule: str) -> WrongPhaseError | NoSuchJobError:
    phase = current(job)
    if phase is None:
        return NoSuchJobError(f"job {job.pk} was deleted")
    return WrongPhaseError(f"job {job.pk} is {phase}: {rule}")
