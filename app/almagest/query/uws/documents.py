"""A job as the documents of UWS 1.1 §2.2 say it."""

from __future__ import annotations

from almagest import formats
from almagest.query import request
from almagest.query.models import Job, Phase
from almagest.query.tables import jobtables
from almagest.vo import uws


def describe(job: Job, url: str) -> uws.JobDocument:
    """All that is said of a job. url: its own, absolute, without a final slash."""
    return uws.JobDocument(
        id=str(job.pk),
        url=url,
        owner=job.user.get_username() if job.user else "",
        phase=job.phase,
        created=job.created_at,
        destruction=job.destruction_at,
        duration=job.execution_duration,
        started=job.started_at,
        ended=job.ended_at,
        run_id=job.run_id,
        parameters=job.parameters,
        result=_media_type(job) if job.phase == Phase.COMPLETED else None,
        size=job.nbytes,
        error=(job.error, job.error_is_transient) if job.phase == Phase.ERROR else None,
        info=_info(job),
    )


def entry(job: Job, url: str, owner: str) -> uws.JobDocument:
    """As much of a job as a list says. url: as in `describe`; owner: user name, empty for an anonymous one."""
    return uws.JobDocument(
        id=str(job.pk),
        url=url,
        owner=owner,
        phase=job.phase,
        created=job.created_at,
        destruction=job.destruction_at,
        duration=job.execution_duration,
        run_id=job.run_id,
    )


def _media_type(job: Job) -> str:
    return formats.negotiate(request.response_format(job.parameters)).media_type


def _info(job: Job) -> dict[str, str]:
    """What UWS has no place for: which queue, and what became of the result."""
    table = f"{jobtables.SCHEMA}.{job.table_name}" if job.table_name else ""
    told = {"queue": job.queue, "table": table, "rows": job.nrows, "bytes": job.nbytes}
    return {name: str(value) for name, value in told.items() if value not in (None, "")}
