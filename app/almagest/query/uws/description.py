"""A job as it is told: one value, which TAP writes as XML and the REST API as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from almagest import formats
from almagest.catalogue import Column, written
from almagest.query import request
from almagest.query.errors import QueryError
from almagest.query.models import Job, Phase
from almagest.query.tables import columns, jobtables


@dataclass(frozen=True, slots=True)
class Description:
    """All that is said of a job.

    owner: user name, empty for an anonymous one; duration: seconds that it may run; place: in its queue, from 1, while
    it waits there and somebody looked; parameters: TAP's, as sent; table: under which its owner's queries find the
    result, as they write it, empty without one; rows, nbytes: of the result, None while there is none; overflow:
    whether a limit cut it; columns: of the result, None while there is none; tables: that it was read from, as queries
    write them; media_type: of the result in the format that was asked for, None while there is none; error: message and
    whether it is transient.
    """

    id: str
    owner: str
    phase: str
    run_id: str
    created: datetime
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    destruction: datetime
    duration: int
    queue: str
    place: int | None
    parameters: Mapping[str, str]
    table: str
    rows: int | None
    nbytes: int | None
    overflow: bool
    columns: tuple[Column, ...] | None
    tables: tuple[str, ...]
    media_type: str | None
    error: tuple[str, bool] | None

    @property
    def query(self) -> str:
        """As sent."""
        return self.parameters.get("QUERY", "")

    @property
    def language(self) -> str:
        """Its name without a version, or as sent where it is unknown."""
        sent = self.parameters.get("LANG", "")
        return request.language(sent) or sent

    @property
    def maxrec(self) -> int | None:
        """Rows that it gives at most."""
        try:
            return request.row_limit(self.parameters)
        except QueryError:
            return None


def describe(job: Job, place: int | None = None) -> Description:
    """All that is said of a job. place: of `claims.places`, which costs two queries more, for those who tell it."""
    done = job.phase == Phase.COMPLETED
    return Description(
        id=str(job.pk),
        owner=job.user.get_username() if job.user else "",
        phase=job.phase,
        run_id=job.run_id,
        created=job.created_at,
        queued=job.queued_at,
        started=job.started_at,
        ended=job.ended_at,
        destruction=job.destruction_at,
        duration=job.execution_duration,
        queue=job.queue,
        place=place,
        parameters=job.parameters,
        table=f"{jobtables.SCHEMA}.{written(job.table_name)}" if job.table_name else "",
        rows=job.nrows,
        nbytes=job.nbytes,
        overflow=job.overflow,
        columns=columns.read(job.columns) if done else None,
        tables=tuple(f"{written(schema)}.{written(name)}" for schema, name in job.tables),
        media_type=formats.negotiate(request.response_format(job.parameters)).media_type if done else None,
        error=(job.error, job.error_is_transient) if job.phase == Phase.ERROR else None,
    )
