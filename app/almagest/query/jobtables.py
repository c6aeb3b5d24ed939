"""Result tables as their owners' queries see them: `tap_user.<name>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from django.db import transaction

from almagest.accounts.identity import Identity
from almagest.adql.catalogue import Column, Table
from almagest.query import quotas, request
from almagest.query.errors import InvalidRequestError, WrongPhaseError
from almagest.query.models import Job, Phase

SCHEMA = "tap_user"
"""What queries call the schema of their asker's own tables."""

NAME_BYTES = 63
"""Length of PostgreSQL's identifiers."""

_SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")


def own_tables(identity: Identity, query: str) -> tuple[Table, ...]:
    """Of this identity's finished results those that a query names; the catalogue of what is published lacks them.

    A look into the database only for a query that speaks of `tap_user` at all.
    """
    words = set(re.findall(r"\w+", query.lower()))
    if not identity.owner or SCHEMA not in words:
        return ()
    found = Job.objects.filter(owner=identity.owner, phase=Phase.COMPLETED, table_name__in=words)
    return tuple(_tables(found.defer("parameters")))


def listed(identity: Identity) -> tuple[Table, ...]:
    """All of this identity's finished results, by name."""
    if not identity.owner:
        return ()
    found = Job.objects.filter(owner=identity.owner, phase=Phase.COMPLETED).exclude(table_name="")
    return tuple(_tables(found.defer("parameters").order_by("table_name")))


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
        job.save(update_fields=["table_name"])


def columns(job: Job) -> tuple[Column, ...]:
    """The columns of a COMPLETED job's result."""
    return tuple(Column(**column) for column in job.columns or ())


def column_names(described: Sequence[Column]) -> list[str]:
    """What a result's columns are called in its table: as in the result where the database can, else c1, c2, …"""
    taken = set(_SYSTEM_COLUMNS)
    reserved = {column.name for column in described}
    names = []
    for number, column in enumerate(described, 1):
        chosen = column.name
        if not 0 < len(chosen.encode()) <= NAME_BYTES or chosen in taken:
            chosen = f"c{number}"
            while chosen in taken or chosen in reserved:
                chosen += "_"
        taken.add(chosen)
        names.append(chosen)
    return names


def _tables(jobs: Iterable[Job]) -> Iterator[Table]:
    for job in jobs:
        described = columns(job)
        named = tuple(
            replace(column, name=stored) for column, stored in zip(described, column_names(described), strict=True)
        )
        yield Table(SCHEMA, job.table_name, named, nrows=job.nrows, stored=(job.result_schema, job.result_table))


def _take_name(job: Job, wanted: str) -> None:
    quotas.hold(job.owner)
    if holder := _holder(job, wanted):
        raise InvalidRequestError(
            f"the result of job {holder.pk} is called {wanted}; choose another name, or delete that job"
        )
    job.table_name = wanted


def _holder(job: Job, wanted: str) -> Job | None:
    return Job.objects.filter(owner=job.owner, table_name=wanted).exclude(pk=job.pk).only("pk").first()
