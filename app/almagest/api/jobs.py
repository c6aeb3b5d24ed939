"""`/api/v1/jobs…`: queries that run after the request that asks for them; every rule lives in `query.uws`."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from almagest.accounts.identity import Identity
from almagest.api.address import api_url, job_page
from almagest.api.authentication import asker, creator
from almagest.api.columns import Column, column
from almagest.api.face import Route, Sent, Told, body, operation, parameters
from almagest.query import limits, models
from almagest.query import request as query
from almagest.query.errors import InvalidFieldsError
from almagest.query.uws import claims, jobs, submission
from almagest.query.uws.description import Description, describe

PAGE = 50
"""Jobs of a list, unless its request says otherwise."""

Phase = Literal["PENDING", "QUEUED", "EXECUTING", "COMPLETED", "ERROR", "ABORTED", "ARCHIVED"]
Seconds = Annotated[float, Field(ge=0, le=limits.WAIT_SECONDS)]


class Error(Told):
    """Why a job failed. transient: whether the same query may succeed later."""

    detail: str
    transient: bool


class ListedJob(Told):
    """A job, as a list tells it.

    url: its page, from the site's address on; duration: seconds that it may run; place: in its queue, from 1, while it
    waits there; query: in a list its first 1,000 characters; maxrec: rows that it gives at most; table: the name under
    which its owner's queries find the result; overflow: whether a limit cut the result; tables: that it was read from;
    mine: whether whoever asks may change it.
    """

    id: str
    url: str
    phase: Phase
    run_id: str
    created: datetime
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    destruction: datetime
    duration: int
    queue: str
    place: int | None
    query: str
    language: str
    maxrec: int | None
    table: str
    rows: int | None
    bytes: int | None
    overflow: bool
    tables: list[str]
    error: Error | None
    mine: bool


class Job(ListedJob):
    """A job. columns: of its result, null while there is none."""

    columns: list[Column] | None


class Jobs(Told):
    """A part of a list. next: the `after` of the next part, null when there is none."""

    jobs: list[ListedJob]
    next: str | None


class NewJob(Sent):
    """A query to run."""

    query: Annotated[str, Field(max_length=limits.QUERY_CHARACTERS)]
    language: Annotated[str, Field(max_length=20)] = "ADQL"
    maxrec: Annotated[int | None, Field(ge=0, description="rows of the result at most")] = None
    run_id: Annotated[str, Field(max_length=limits.RUN_ID_CHARACTERS)] = ""
    table_name: Annotated[str | None, Field(max_length=200)] = None
    queue: Annotated[str | None, Field(max_length=63, description="a name of `queues` of /site")] = None
    wait: Annotated[float, Field(ge=0, le=10, description="seconds to wait for its end")] = 0


class Filters(Sent):
    """Which jobs of the asker's to list, the newest first; without a phase all but ARCHIVED ones."""

    phase: Annotated[str | None, Field(max_length=100, description="phases, joined by commas")] = None
    run_id: Annotated[str | None, Field(max_length=limits.RUN_ID_CHARACTERS)] = None
    q: Annotated[str, Field(max_length=200, description="text in run id, query or name of the table")] = ""
    after: Annotated[str | None, Field(max_length=200, description="`next` of the part before")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = PAGE


class Wait(Sent):
    """Whether to wait for the job. wait: seconds; phase: answer when it has another one than this."""

    wait: Seconds = 0
    phase: Phase | None = None


class JobChanges(Sent):
    """What to change; what is missing stays as it is. name: of the result, behind `tap_user.`."""

    run_id: Annotated[str | None, Field(max_length=limits.RUN_ID_CHARACTERS)] = None
    name: Annotated[str | None, Field(max_length=200)] = None
    destruction: Annotated[str | None, Field(max_length=40, description="ISO 8601, UTC unless it says otherwise")] = (
        None
    )


class JobsRoute(Route):
    """`/jobs`."""

    @operation("listJobs", asked=Filters, answers={200: Jobs}, tag="jobs")
    def get(self, request: Request) -> Response:
        """The asker's jobs, the newest first."""
        wanted, identity = parameters(request, Filters), asker(request)
        page = jobs.page(
            identity,
            _phases(wanted.phase),
            run_id=wanted.run_id,
            text=_text("q", wanted.q),
            before=_cursor(wanted.after),
            most=wanted.limit,
        )
        places = claims.places(page.jobs)
        told = [_listed(row, places.get(row.pk)) for row in page.jobs]
        return Response(Jobs(jobs=told, next=_after(page.jobs[-1]) if page.more else None))

    @operation("createJob", sent=NewJob, answers={201: Job}, tag="jobs")
    def post(self, request: Request) -> Response:
        """Check a query and run it; the job, when it has ended or `wait` seconds are over."""
        wanted, identity = body(request, NewJob), creator(request)
        row = submission.run(
            identity,
            {
                "LANG": wanted.language,
                "QUERY": wanted.query,
                "RUNID": wanted.run_id,
                **({"MAXREC": str(wanted.maxrec)} if wanted.maxrec is not None else {}),
                **({"TABLE_NAME": wanted.table_name} if wanted.table_name else {}),
            },
            wanted.queue,
        )
        return _created(jobs.wait_for_end(row, wanted.wait) if wanted.wait else row, identity)


class JobRoute(Route):
    """`/jobs/<id>`."""

    @operation("job", asked=Wait, answers={200: Job}, tag="jobs")
    def get(self, request: Request, job_id: str) -> Response:
        """A job, after a while when asked. A user's is found by its owner, an anonymous one by whoever has its id."""
        wanted, identity = parameters(request, Wait), asker(request)
        row = jobs.find(jobs.parse_id(job_id), identity)
        return Response(_job(jobs.wait(row, wanted.wait, wanted.phase) if wanted.wait else row, identity))

    @operation("changeJob", sent=JobChanges, answers={200: Job}, tag="jobs")
    def patch(self, request: Request, job_id: str) -> Response:
        """Rename a job's group or result, or let it live longer or shorter."""
        wanted, identity = body(request, JobChanges), asker(request)
        row = jobs.own(jobs.parse_id(job_id), identity)
        jobs.change(
            row,
            run_id=None if wanted.run_id is None else _text("run_id", wanted.run_id),
            name=wanted.name,
            destruction=query.parse_time("destruction", wanted.destruction) if wanted.destruction else None,
        )
        return Response(_job(jobs.refreshed(row), identity))

    @operation("deleteJob", answers={204: None}, tag="jobs")
    def delete(self, request: Request, job_id: str) -> Response:
        """Forget a job and its result, ending it first."""
        jobs.delete(jobs.own(jobs.parse_id(job_id), asker(request)))
        return Response(status=204)


class AbortRoute(Route):
    """`/jobs/<id>/abort`."""

    @operation("abortJob", answers={200: Job}, tag="jobs")
    def post(self, request: Request, job_id: str) -> Response:
        """End a job that has not ended."""
        identity = asker(request)
        row = jobs.own(jobs.parse_id(job_id), identity)
        jobs.abort(row)
        return Response(_job(jobs.refreshed(row), identity))


class RunAgainRoute(Route):
    """`/jobs/<id>/run_again`."""

    @operation("runJobAgain", answers={201: Job}, tag="jobs")
    def post(self, request: Request, job_id: str) -> Response:
        """A new job with the same query, which whoever asks owns."""
        row = jobs.find(jobs.parse_id(job_id), asker(request))
        identity = creator(request)
        return _created(submission.run_again(identity, row), identity)


def _created(row: models.Job, identity: Identity) -> Response:
    return Response(_job(row, identity), status=201, headers={"Location": api_url(f"jobs/{row.pk}")})


def _job(row: models.Job, identity: Identity) -> Job:
    described = describe(row, claims.places([row]).get(row.pk))
    columns = None if described.columns is None else list(map(column, described.columns))
    return Job(**_properties(described, described.query, mine=jobs.may_change(row, identity)), columns=columns)


def _listed(row: models.Job, place: int | None) -> ListedJob:
    """Of a row of `jobs.page`, which is the asker's own."""
    row.parameters, row.columns = row.others, None  # type: ignore[attr-defined] # annotated there
    return ListedJob(**_properties(describe(row, place), row.told, mine=True))  # type: ignore[attr-defined] # as above


def _properties(described: Description, query: str, *, mine: bool) -> dict[str, Any]:
    return {
        "id": described.id,
        "url": job_page(described.id),
        "phase": described.phase,
        "run_id": described.run_id,
        "created": described.created,
        "queued": described.queued,
        "started": described.started,
        "ended": described.ended,
        "destruction": described.destruction,
        "duration": described.duration,
        "queue": described.queue,
        "place": described.place,
        "query": query,
        "language": described.language,
        "maxrec": described.maxrec,
        "table": described.table,
        "rows": described.rows,
        "bytes": described.nbytes,
        "overflow": described.overflow,
        "tables": list(described.tables),
        "error": Error(detail=described.error[0], transient=described.error[1]) if described.error else None,
        "mine": mine,
    }


def _phases(joined: str | None) -> set[str]:
    named = {phase.strip().upper() for phase in (joined or "").split(",") if phase.strip()}
    if not named <= set(models.Phase.values):
        told = f"has to be some of {', '.join(models.Phase.values)}, joined by commas"
        raise InvalidFieldsError(f"phase {told}", {"phase": [told]})
    return named


def _text(name: str, value: str) -> str:
    """The value, which PostgreSQL can hold. Raises InvalidFieldsError."""
    if "\0" in value:
        raise InvalidFieldsError(f"{name} contains a NUL character", {name: ["it contains a NUL character"]})
    return value


def _after(row: models.Job) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()} {row.pk}".encode()).decode()


def _cursor(after: str | None) -> tuple[datetime, uuid.UUID] | None:
    """What `_after` wrote. Raises InvalidFieldsError."""
    if after is None:
        return None
    try:
        created, _, key = base64.b64decode(after, altchars=b"-_", validate=True).decode("ascii").partition(" ")
        return datetime.fromisoformat(created).astimezone(UTC), uuid.UUID(key)
    except (ValueError, OverflowError) as error:
        told = "has to be the `next` of an answer"
        raise InvalidFieldsError(f"after {told}", {"after": [told]}) from error
