"""Clearing away what nobody owns: the result tables of jobs that were deleted, or that a dying worker left behind.

And the opposite: jobs whose result PostgreSQL emptied when it recovered from a crash, because such tables are unlogged.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from almagest.config.environment import environment
from almagest.query import jobs
from almagest.query.datadb import Connection
from almagest.query.models import SHARED_SCHEMA, WITHOUT_RESULT, Job, Phase

log = logging.getLogger(__name__)

BATCH = 200
"""Tables that one sweep drops at most; the next minute brings the next sweep."""

_TABLES = """
    SELECT n.nspname, c.relname, pg_relation_size(c.oid) = 0
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relname LIKE 'job\\_%%' AND (n.nspname = %s OR n.nspname LIKE 'almagest\\_%%')
"""
_JOB_TABLE = re.compile(r"job_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table that looks like a job's result. empty: without a single page."""

    schema: str
    name: str
    job: uuid.UUID
    empty: bool


def sweep() -> int:
    """Drop result tables whose job is gone or has no result; returns how many.

    The tables are listed before the jobs are: a table is always younger than its job, so one without a job stays so.
    """
    with psycopg.connect(
        environment().datadb_conninfo("almagest_job"), autocommit=True, application_name="sweep"
    ) as connection:
        tables = list(_tables(connection))
        alive = dict(Job.objects.filter(pk__in=[table.job for table in tables]).values_list("pk", "phase"))
        for table in tables:
            if table.empty and alive.get(table.job) == Phase.COMPLETED and jobs.lose(table.job):
                log.warning("a result was lost in a crash of the data database", extra={"job": str(table.job)})
        orphans = [table for table in tables if alive.get(table.job, Phase.ARCHIVED) in WITHOUT_RESULT]
        return sum(_drop(connection, table) for table in orphans[:BATCH])


def _tables(connection: Connection) -> Iterator[ResultTable]:
    for schema, name, empty in connection.execute(_TABLES, (SHARED_SCHEMA,)):
        if found := _JOB_TABLE.fullmatch(name):
            yield ResultTable(schema, name, uuid.UUID(found[1]), empty)


def _drop(connection: Connection, table: ResultTable) -> bool:
    """Drop one table, unless somebody still reads it."""
    try:
        connection.execute("SET lock_timeout = '200ms'")
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table.schema, table.name)))
    except psycopg.errors.LockNotAvailable:
        log.info("a deleted result is still being read", extra={"table": table.name})
        return False
    return True
