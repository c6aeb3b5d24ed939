"""Clearing away what nobody owns: the result tables of jobs that were deleted, or that a dying worker left behind, the
roles and schemas of users who were removed, and those of visitors who have nothing here any more.

And the opposite: jobs whose result PostgreSQL emptied when it recovered from a crash, because such tables are unlogged.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice

import psycopg
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from psycopg import sql

from almagest.config.environment import environment
from almagest.metadata import roles
from almagest.query.datadb import Connection
from almagest.query.models import ACTIVE, SHARED_SCHEMA, WITHOUT_RESULT, Job, Phase, Sweep, UserTable
from almagest.query.tables import usertables
from almagest.query.uws import dispatch, jobs

log = logging.getLogger(__name__)

EARLY_SECONDS = 2.0
"""How much sooner than expected the order for a sweep may come: the one before it may have waited longer."""

BATCH = 200
"""Tables that one sweep drops at most; the next one comes soon."""

VISITORS = 25
"""Visitors whose accounts one sweep closes at most: among thousands each takes 25 ms, which jobs wait for."""
_TABLES = """
    SELECT n.nspname, c.relname, pg_relation_size(c.oid) = 0
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relname ~ '^(job|upload|table)_' AND (n.nspname = %s OR n.nspname LIKE 'almagest\\_%%')
"""
_ACCOUNTS = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^almagest_u[1-9][0-9]{0,18}$'"
_IDLE = """
    SELECT nspname FROM pg_namespace n
    WHERE nspname ~ '^almagest_s[0-9a-f]{32}$' AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
"""
_JOB_TABLE = re.compile(r"(job|upload|table)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:_\d+)?")


class Kind(StrEnum):
    """What a table is, by the beginning of its name."""

    RESULT = "job"
    UPLOAD = "upload"
    USER = "table"


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table that looks like one of ours. job: key of its row, a UserTable's where a user keeps it; empty: without a
    single page."""

    schema: str
    name: str
    job: uuid.UUID
    empty: bool
    kind: Kind

    @property
    def may_be_lost(self) -> bool:
        """Whether it is a result that a crash emptied, if it should have rows."""
        return self.empty and self.kind is Kind.RESULT

    def is_orphan(self, phase: str) -> bool:
        """Whether a job in this phase, ARCHIVED when it is gone, needs it no more."""
        return phase not in ACTIVE if self.kind is Kind.UPLOAD else phase in WITHOUT_RESULT


def begin() -> bool:
    """Whether the next sweep is due, and the caller's to do: of all workers that ask, one hears so."""
    least = timedelta(seconds=dispatch.SWEEP_SECONDS - EARLY_SECONDS)
    last = Sweep.objects.filter(begun_at__lte=jobs.older_than(least))
    return bool(last.update(begun_at=Now()))


def sweep() -> int:
    """Drop tables whose job is gone, has no result or needs them no more, or whose user dropped them; returns how many.

    The tables are listed before the rows are: a table is always younger than its row, so one without a row stays so.
    """
    usertables.forget_unfinished()
    with psycopg.connect(
        environment().datadb_conninfo("almagest_job"), autocommit=True, application_name="sweep"
    ) as connection:
        tables = list(_tables(connection))
        alive = dict(Job.objects.filter(pk__in=[table.job for table in tables]).values_list("pk", "phase"))
        users = set(UserTable.objects.filter(pk__in=[table.job for table in tables]).values_list("pk", flat=True))
        for table in tables:
            if table.may_be_lost and alive.get(table.job) == Phase.COMPLETED and jobs.lose(table.job):
                log.warning("a result was lost in a crash of the data database", extra={"job": str(table.job)})
        orphans = [
            table
            for table in tables
            if table.job not in users and table.is_orphan(alive.get(table.job, Phase.ARCHIVED))
        ]
        dropped = sum(_drop(connection, table) for table in orphans[:BATCH])
        connection.execute("SET lock_timeout = '200ms'")
        _close_accounts(connection, {table.schema for table in tables})
        _close_visitors(connection)
        return dropped


def _close_accounts(connection: Connection, in_use: Collection[str]) -> None:
    """Take the roles and schemas of users who are gone away; those that still had tables wait for the next sweep.

    A schema is always younger than its user, and no user's number is given twice.
    """
    owners = [str(owner) for (owner,) in connection.execute(_ACCOUNTS) if owner not in in_use]
    numbers = {int(owner.removeprefix("almagest_u")): owner for owner in owners}
    known = set(get_user_model().objects.filter(pk__in=numbers).values_list("pk", flat=True))
    for number in numbers.keys() - known:
        try:
            roles.close_account(connection, numbers[number])
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist):
            log.info("a removed user's query still runs", extra={"account": numbers[number]})


def _close_visitors(connection: Connection) -> None:
    """Close the accounts of visitors without a table and a job.

    A visitor may come back at any moment, because they keep their cookie; `almagest.query.datadb` then opens the
    account again. A visitor whose role is in use, or who has a table by now, is left alone.
    """
    idle = [visitor for (visitor,) in connection.execute(_IDLE)]
    closed = 0
    for visitor in islice(_without_jobs(idle), VISITORS):
        try:
            closed += roles.close_idle(connection, visitor)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist):
            log.info("a visitor's account is still in use", extra={"account": visitor})
    if closed:
        log.info("closed accounts of visitors", extra={"accounts": closed})


def _without_jobs(visitors: list[str]) -> Iterator[str]:
    for start in range(0, len(visitors), BATCH):
        some = visitors[start : start + BATCH]
        known = set(Job.objects.filter(owner__in=some).order_by().values_list("owner", flat=True).distinct())
        yield from (visitor for visitor in some if visitor not in known)


def _tables(connection: Connection) -> Iterator[ResultTable]:
    for schema, name, empty in connection.execute(_TABLES, (SHARED_SCHEMA,)):
        if found := _JOB_TABLE.fullmatch(name):
            yield ResultTable(schema, name, uuid.UUID(found[2]), empty, Kind(found[1]))


def _drop(connection: Connection, table: ResultTable) -> bool:
    """Drop one table, unless somebody still reads it."""
    try:
        with connection.transaction():
            if table.schema != SHARED_SCHEMA:
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(table.schema)))
            connection.execute("SET LOCAL lock_timeout = '200ms'")
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table.schema, table.name)))
    except psycopg.errors.LockNotAvailable:
        log.info("a deleted result is still being read", extra={"table": table.name})
        return False
    except psycopg.errors.InvalidParameterValue:
        log.info("another sweep closed the account of a table", extra={"table": table.name})
        return False
    return True
