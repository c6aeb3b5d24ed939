"""The life of a job: UWS 1.1 §2.1.3 as compare-and-set steps on one row.

Every change of phase is one `UPDATE … WHERE phase = …`, so of two that want to change it at once exactly one does, and
each caller learns which. Nothing is decided from a phase that was read earlier.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from almagest.adql.catalogue import Column
from almagest.config.environment import queues
from almagest.query import dispatch, limits, request, slots
from almagest.query.errors import NoSuchJobError, WrongPhaseError
from almagest.query.models import ACTIVE, Job, Phase

Parameters = request.Parameters


def create(parameters: Parameters) -> Job:
    """A new PENDING job. Nothing about the query is checked: that happens when it runs (TAP 1.1 §2.7)."""
    duration = int(queues()[0].timeout)
    return Job.objects.create(
        parameters=dict(parameters),
        run_id=parameters.get("RUNID", ""),
        execution_duration=duration,
        queue=limits.queue_for(duration, queues()).name,
        created_at=Now(),
        destruction_at=timezone.now() + limits.RETENTION,
    )


def find(job_id: uuid.UUID) -> Job:
    """The job. Raises NoSuchJobError, also for one whose destruction time has come."""
    try:
        return Job.objects.get(pk=job_id, destruction_at__gt=Now())
    except Job.DoesNotExist as error:
        raise NoSuchJobError(f"there is no job {job_id}; it never existed, or it was deleted") from error


def set_parameters(job: Job, parameters: Parameters) -> None:
    """Replace these parameters of a PENDING job, keeping the others. Raises WrongPhaseError when it is no longer so."""
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job.pk, phase=Phase.PENDING).first()
        if row is None:
            raise _wrong_phase(job, "its parameters can be changed only while it is PENDING")
        row.parameters = {**row.parameters, **parameters}
        row.run_id = row.parameters.get("RUNID", "")
        row.save(update_fields=["parameters", "run_id"])


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
    nothing twice). Raises WrongPhaseError when it was aborted."""
    changed = Job.objects.filter(pk=job.pk, phase=Phase.PENDING).update(
        phase=Phase.QUEUED, queued_at=Now(), published_at=Now()
    )
    if changed:
        dispatch.publish(job.pk, job.queue)
    elif current(job) == Phase.ABORTED:
        raise _wrong_phase(job, "it was aborted; create a new one")


def abort(job: Job) -> None:
    """Any active phase → ABORTED. The worker that runs it is told at once and cancels the query.

    Raises WrongPhaseError when the job had finished before.
    """
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, phase__in=ACTIVE).update(phase=Phase.ABORTED, ended_at=Now()):
            if current(job) == Phase.ABORTED:
                return
            raise _wrong_phase(job, "it has already ended")
        notify(job.pk)


def delete(job: Job) -> None:
    """Forget the job, ending it first. Its result table goes with the next sweep (`almagest.query.sweep`)."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).delete()
        notify(job.pk)


def wait(job: Job, seconds: float, phase: str | None) -> Job:
    """The job when its phase is no longer `phase` (default: the present one), or after so many seconds.

    seconds: below 0 for as long as the service allows. Returns at once for a finished job (UWS 1.1 §2.2.1.1).
    """
    limit = limits.WAIT_SECONDS if seconds < 0 else min(seconds, limits.WAIT_SECONDS)
    awaited = job.phase if phase is None else phase
    with slots.slot(0) as free:
        deadline = time.monotonic() + (limit if free else min(limit, limits.CROWDED_WAIT_SECONDS))
        pause = 0.01
        while job.phase == awaited and not job.finished and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 1.3, 0.5)
            job = find(job.pk)
    return job


def claim(job_id: uuid.UUID) -> Job | None:
    """QUEUED → EXECUTING for one more attempt; the job as it is then, or None when somebody else was first."""
    changed = Job.objects.filter(pk=job_id, phase=Phase.QUEUED).update(
        phase=Phase.EXECUTING, attempt=F("attempt") + 1, started_at=Now(), alive_at=Now()
    )
    return Job.objects.filter(pk=job_id).first() if changed else None


def complete(job: Job, columns: Sequence[Column], nrows: int, *, overflow: bool) -> bool:
    """EXECUTING → COMPLETED by the attempt that `job` is; False when it lost the right to say so."""
    described = [asdict(column) for column in columns]
    return _end(job, phase=Phase.COMPLETED, columns=described, nrows=nrows, overflow=overflow)


def fail(job: Job, message: str, *, transient: bool = False) -> bool:
    """EXECUTING → ERROR by the attempt that `job` is. transient: the same query may succeed later."""
    return _end(job, phase=Phase.ERROR, error=message, error_is_transient=transient)


def hand_back(job: Job) -> bool:
    """EXECUTING → QUEUED by the attempt that `job` is, as if it had never begun; the scheduler sends it out again."""
    changed = _attempt(job).update(
        phase=Phase.QUEUED, attempt=F("attempt") - 1, started_at=None, alive_at=None, published_at=None
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


def columns(job: Job) -> tuple[Column, ...]:
    """The columns of a COMPLETED job's result."""
    return tuple(Column(**column) for column in job.columns or ())


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


def _end(job: Job, **values: Any) -> bool:
    return bool(_attempt(job).update(ended_at=Now(), **values))


def _attempt(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, phase=Phase.EXECUTING, attempt=job.attempt)


def _wrong_phase(job: Job, rule: str) -> WrongPhaseError | NoSuchJobError:
    phase = current(job)
    if phase is None:
        return NoSuchJobError(f"job {job.pk} was deleted")
    return WrongPhaseError(f"job {job.pk} is {phase}: {rule}")
