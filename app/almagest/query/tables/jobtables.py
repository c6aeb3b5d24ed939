"""Tables as their owners' queries see them, `tap_user.<name>`: results, and those that users keep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.db import transaction

from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Schema, Table
from almagest.query import quotas, request
from almagest.query.errors import InvalidRequestError, WrongPhaseError
from almagest.query.models import Job, Phase, UserTable
from almagest.query.tables import columns

SCHEMA = "tap_user"
"""What queries call the schema of their asker's own tables."""

ASKED_FOR = 1000
"""Words of a query that the database may be asked for; one of 100 kB has fifty times as many."""


def own_tables(identity: Identity, query: str | None = None) -> tuple[Table, ...]:
    """This identity's finished results and the tables that a user keeps, by name; they are not published.

    query: only those that it names; a query that does not speak of `tap_user` costs no look into the database.
    """
    words = None if query is None else set(re.findall(r"\w+", query.lower()))
    if not identity.owner or (words is not None and SCHEMA not in words):
        return ()
    results = Job.objects.filter(owner=identity.owner, phase=Phase.COMPLETED).exclude(table_name="")
    tables = UserTable.objects.filter(owner=identity.owner, nbytes__isnull=False)
    if words is not None:
        if len(words) > ASKED_FOR:
            words &= {*results.values_list("table_name", flat=True), *tables.values_list("name", flat=True)}
        results, tables = results.filter(table_name__in=words), tables.filter(name__in=words)
    own = (*_tables(results.defer("parameters")), *map(_user_table, tables))
    return tuple(sorted(own, key=lambda table: table.name))


def own_catalogue(identity: Identity) -> Catalogue:
    """The same as the one schema that this identity has to itself, for those who list or describe it."""
    about = Schema(SCHEMA, description="Your own tables: results of your jobs, and those that you keep here.")
    return Catalogue(own_tables(identity), [about])


def _user_table(row: UserTable) -> Table:
    return Table(SCHEMA, row.name, columns.read(row.columns), nrows=row.nrows, stored=(row.owner, row.stored_name))


def name(job: Job) -> None:
    """Give an owner's job its table's name: TABLE_NAME, or one made of its id. Nobody's tables have no names.

    Call it in the transaction that saves the job. Raises InvalidRequestError when another job's table has the name.
    """
    if job.owner and (wanted := job.parameters.get("TABLE_NAME")):
        _take_name(job, request.table_name(wanted))
    elif job.owner:
        short = f"job_{job.pk.hex[:8]}"
        job.table_name = f"job_{job.pk.hex}" if _holder(job, short) else short


def rename(job: Job, wanted: str) -> None:
    """Let its owner's queries find the result as `tap_user.<wanted>`.

    Raises InvalidRequestError when that is no identifier or another job's table has it, WrongPhaseError when the job
    has no table.
    """
    if not job.table_name:
        raise WrongPhaseError(f"job {job.pk} has no table that could be renamed")
    with transaction.atomic():
        _take_name(job, request.table_name(wanted))
        # A job that was deleted meanwhile stays so.
        Job.objects.filter(pk=job.pk).update(table_name=job.table_name)


def _tables(jobs: Iterable[Job]) -> Iterator[Table]:
    for job in jobs:
        described = columns.read(job.columns)
        named = tuple(
            replace(column, name=stored) for column, stored in zip(described, columns.names(described), strict=True)
        )
        yield Table(SCHEMA, job.table_name, named, nrows=job.nrows, stored=(job.result_schema, job.result_table))


def _take_name(job: Job, wanted: str) -> None:
    quotas.hold(job.owner)
    if holder := _holder(job, wanted):
        raise InvalidRequestError(
            f"the result of job {holder.pk} is called {wanted}; choose another name, or delete that job"
        )
    if UserTable.objects.filter(owner=job.owner, name=wanted).exists():
        raise InvalidRequestError(f"a table that you keep is called {wanted}; choose another name, or drop that table")
    job.table_name = wanted


def _holder(job: Job, wanted: str) -> Job | None:
    return Job.objects.filter(owner=job.owner, table_name=wanted).exclude(pk=job.pk).only("pk").first()
