"""The stored results of jobs: tables `job_<id>` of the data database, in their owner's schema or in `results`."""

from __future__ import annotations

from psycopg import sql

from almagest import formats
from almagest.accounts.identity import Identity
from almagest.metadata import catalogue
from almagest.query import request
from almagest.query.answers.answer import Source, check_columns
from almagest.query.answers.downloads import Document
from almagest.query.answers.origin import about
from almagest.query.errors import NoSuchJobError
from almagest.query.models import Job, Phase
from almagest.query.tables import columns

DOWNLOAD_SECONDS = 3600.0
"""Seconds that PostgreSQL may take to send a stored result; a slow client needs them, not the query."""


def stored(job: Job, path: str, response_format: str | None = None) -> Document:
    """The result of a COMPLETED job as a file in the format that it asked for, or in another one.

    path: of the service whose job it is, from the site's address on.

    Raises NoSuchJobError when there is no result, InvalidRequestError for an unknown format, and TooLargeError for one
    that cannot hold it. To open it raises ResultLostError when a crash of the data database emptied it: results are
    unlogged, four times as fast to write.
    """
    require(job)
    described = columns.read(job.columns)
    wanted = request.response_format({"RESPONSEFORMAT": response_format} if response_format else job.parameters)
    source = Source(
        sql=sql.SQL("SELECT {} FROM {}")
        .format(sql.SQL(", ").join(map(sql.Identifier, columns.names(described))), table(job))
        .as_string(),
        columns=described,
        rows=job.nrows or 0,
        seconds=DOWNLOAD_SECONDS,
        advice="Fetch the result over a faster connection, or in parts.",
        overflow=job.overflow,
        count=job.nrows,
        identity=reader(job),
        lost=lost(job),
    )
    chosen = formats.negotiate(wanted)
    check_columns(chosen, source.columns)
    return Document(source, chosen, told(job, path))


def table(job: Job) -> sql.Identifier:
    """The name of a job's result table."""
    return sql.Identifier(job.result_schema, job.result_table)


def require(job: Job) -> None:
    """Raise NoSuchJobError unless the job has a result."""
    if job.phase != Phase.COMPLETED or job.nrows is None:
        raise NoSuchJobError(f"job {job.pk} is {job.phase} and has no result")


def lost(job: Job) -> str:
    """What to say when its result is gone without anybody's will."""
    return f"the result of job {job.pk} was lost when the data database restarted; run the query again"


def reader(job: Job) -> Identity | None:
    """Whose rights reach the result: its owner's; the login role reads those of nobody."""
    return job.keeper if job.owner else None


def told(job: Job, path: str) -> formats.About:
    """What the document tells about itself: of the day when the job was made, so that it is the same at every download
    for as long as the metadata are."""
    return about(
        catalogue.holdings(job.keeper),
        job.parameters.get("QUERY", ""),
        [(schema, name) for schema, name in job.tables],
        columns.read(job.columns),
        path=path,
        requested=job.created_at,
    )
