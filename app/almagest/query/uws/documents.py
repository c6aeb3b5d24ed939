"""A job as the documents of UWS 1.1 §2.2 say it."""

from __future__ import annotations

from almagest.query.models import Job
from almagest.query.uws.description import Description
from almagest.vo import uws


def document(described: Description, url: str) -> uws.JobDocument:
    """The job's own document. url: its own, absolute, without a final slash."""
    return uws.JobDocument(
        id=described.id,
        url=url,
        owner=described.owner,
        phase=described.phase,
        created=described.created,
        destruction=described.destruction,
        duration=described.duration,
        started=described.started,
        ended=described.ended,
        run_id=described.run_id,
        parameters=described.parameters,
        result=described.media_type,
        size=described.nbytes,
        error=described.error,
        info=_info(described),
    )


def entry(job: Job, url: str, owner: str) -> uws.JobDocument:
    """As much of a job as a list says. url: as in `document`; owner: user name, empty for an anonymous one."""
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


def _info(described: Description) -> dict[str, str]:
    """What UWS has no place for: which queue and the place in it, and what became of the result."""
    told = {
        "queue": described.queue,
        "place": described.place,
        "table": described.table,
        "rows": described.rows,
        "bytes": described.nbytes,
    }
    return {name: str(value) for name, value in told.items() if value not in (None, "")}
