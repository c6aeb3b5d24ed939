"""Giving a job its parameters, and with them the tables that its query brings along.

The tables are stored when they come, because the worker that will run the query, perhaps much later, sees neither the
request nor its parts. They are `upload_<job>_<n>` beside where the result will be, unlogged as it is, and go with the
next sweep after the job has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from django.db import transaction
from psycopg import sql

from almagest.accounts.identity import Identity
from almagest.catalogue import Table
from almagest.config.environment import queues
from almagest.query import datadb, limits, quotas, request
from almagest.query.answers import sync
from almagest.query.errors import InvalidFieldsError, InvalidRequestError, ResultLostError, TooLargeError
from almagest.query.failures import explain
from almagest.query.models import Job
from almagest.query.tables import columns, uploads
from almagest.query.uws import jobs


def create(
    identity: Identity,
    parameters: request.Parameters,
    parts: uploads.Parts = uploads.NO_PARTS,
    wishes: request.Wishes = request.Wishes(),
) -> Job:
    """A new job with its tables, PENDING, or QUEUED where it is to start at once. Whatever it raises, there is no job
    then. Raises QueryError."""
    asked = request.uploads(parameters)
    if not asked:
        return jobs.create(identity, parameters, wishes)
    with uploads.received(asked, parts) as tables:
        # It starts when its tables are there.
        job = jobs.create(identity, parameters, replace(wishes, start=False))
        try:
            _keep(job, tables, {})
            if wishes.start:
                jobs.run(job)
        except BaseException:
            jobs.delete(job)
            raise
    return job


def run(identity: Identity, parameters: request.Parameters, queue: str | None = None) -> Job:
    """A new job that is QUEUED, of a query that was looked at first: whoever waits for it hears at once what is wrong.

    queue: the time class to run in, by name; None for the first. Raises QueryError, WrongQueryError with its place.
    """
    duration = None
    if queue is not None:
        timeouts = {known.name: known.timeout for known in queues()}
        if queue not in timeouts:
            raise InvalidFieldsError(
                f"there is no queue {queue[:40]!r}; there are {', '.join(timeouts)}",
                {"queue": [f"has to be one of {', '.join(timeouts)}"]},
            )
        duration = int(timeouts[queue])
    # Of the limits of each parameter `collect` knows.
    checked = request.collect(parameters.items())
    sync.check(identity, checked)
    return create(identity, checked, wishes=request.Wishes(start=True, duration=duration))


def run_again(identity: Identity, job: Job) -> Job:
    """A new job with the same query and limits, QUEUED, for this identity.

    Raises InvalidRequestError for one that came with files, which are gone.
    """
    if any(upload.uri.startswith("param:") for upload in request.uploads(job.parameters)):
        raise InvalidRequestError("the query came with files, which were not kept; send it again together with them")
    parameters = {name: value for name, value in job.parameters.items() if name != "TABLE_NAME"}
    wishes = request.Wishes(start=True, duration=job.execution_duration)
    request.check(parameters)
    return create(identity, parameters, wishes=wishes)


def add(job: Job, parameters: request.Parameters, parts: uploads.Parts = uploads.NO_PARTS) -> None:
    """Give a PENDING job more parameters, and more tables, or others under the same names.

    Raises WrongPhaseError when it is no longer PENDING, and what is wrong with a table.
    """
    asked = request.uploads(parameters)
    if not asked:
        jobs.set_parameters(job, parameters)
        return
    named = {upload.name.lower(): upload for upload in (*request.uploads(job.parameters), *asked)}
    together = ";".join(f"{upload.name},{upload.uri}" for upload in named.values())
    with uploads.received(asked, parts) as tables:
        _keep(job, tables, {**parameters, "UPLOAD": together})


def tables(job: Job) -> tuple[Table, ...]:
    """The tables that the job's query may name beside those that are published."""
    return tuple(
        Table(
            uploads.SCHEMA,
            upload["name"],
            columns.read(upload["columns"]),
            nrows=upload["nrows"],
            stored=(job.result_schema, upload["table"]),
        )
        for upload in job.uploads
    )


def check_uploads(connection: datadb.Connection, job: Job) -> None:
    """Raise ResultLostError when a table has lost its rows, as unlogged ones do in a crash of the database.

    connection: of `datadb.writer`.
    """
    for table in tables(job):
        if table.nrows and table.stored and not _has_rows(connection, job, sql.Identifier(*table.stored)):
            message = f"the uploaded table {table.name} was lost when the data database restarted; send the job again"
            raise ResultLostError(message)


def _has_rows(connection: datadb.Connection, job: Job, place: sql.Identifier) -> bool:
    try:
        with connection.transaction():
            if job.owner:
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(job.owner)))
            row = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(place)).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidParameterValue):
        # There is no such table, or no such role that could have one.
        return False
    return bool(row and row[0])


def _keep(job: Job, received: Sequence[uploads.Received], parameters: request.Parameters) -> None:
    """Store the tables, then tell the job of them and of the parameters, if it is still PENDING.

    A table that replaces another leaves that to the sweep. What they take counts as the job's until it ends.
    """
    first = _reserve(job, len(received))
    names = [f"upload_{job.pk}_{first + number}" for number in range(len(received))]
    try:
        with datadb.uploader(job.keeper) as connection:
            nbytes = sum(
                uploads.store(connection, table, job.result_schema, name)
                for table, name in zip(received, names, strict=True)
            )
            quotas.check_fits(job.owner, job.user_id, nbytes)
    except psycopg.Error as error:
        raise explain(error, uploads.ADVICE) from error
    described = [_described(table, name) for table, name in zip(received, names, strict=True)]
    replaced = {table.name.lower() for table in received}
    with transaction.atomic():
        jobs.set_parameters(job, parameters)
        row = Job.objects.get(pk=job.pk)
        row.uploads = [upload for upload in row.uploads if upload["name"].lower() not in replaced] + described
        row.nbytes = (row.nbytes or 0) + nbytes
        row.save(update_fields=["uploads", "nbytes"])


def _reserve(job: Job, number: int) -> int:
    """The first of so many numbers for the job's tables, each given once."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        first = int(row.uploaded)
        if first + number > 2 * limits.UPLOAD_TABLES:
            raise TooLargeError(f"the job was sent more than {2 * limits.UPLOAD_TABLES} tables; create another one")
        row.uploaded = first + number
        row.save(update_fields=["uploaded"])
    return first


def _described(table: uploads.Received, name: str) -> Mapping[str, Any]:
    return {"name": table.name, "columns": columns.write(table.columns), "nrows": table.nrows, "table": name}
