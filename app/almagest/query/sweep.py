"""Clearing away what nobody owns: the result tables of jobs that were deleted, or that a dying worker left behind."""

from __future__ import annotations

import logging
import re
import uuid

import psycopg
from psycopg import sql

from almagest.config.environment import environment
from almagest.query import results
from almagest.query.models import Job

log = logging.getLogger(__name__)

BATCH = 200
"""Tables that one sweep drops at most; the next minute brings the next sweep."""

_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
_JOB_TABLE = re.compile(r"job_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def sweep() -> int:
    """Drop the tables of `results` whose job is gone; returns how many.

    The tables are listed before the jobs are: a table is always younger than its job, so one without a job stays so.
    """
    with psycopg.connect(
        environment().datadb_conninfo("almagest_job"), autocommit=True, application_name="sweep"
    ) as connection:
        names = [name for (name,) in connection.execute(_TABLES, (results.SCHEMA,))]
        owners = {uuid.UUID(found[1]): name for name in names if (found := _JOB_TABLE.fullmatch(name))}
        alive = set(Job.objects.filter(pk__in=owners).values_list("pk", flat=True))
        orphans = [name for job_id, name in owners.items() if job_id not in alive][:BATCH]
        return sum(_drop(connection, name) for name in orphans)


def _drop(connection: psycopg.Connection[tuple[str]], name: str) -> bool:
    """Drop one table, unless somebody still reads it."""
    try:
        connection.execute("SET lock_timeout = '200ms'")
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(results.SCHEMA, name)))
    except psycopg.errors.LockNotAvailable:
        log.info("a deleted result is still being read", extra={"table": name})
        return False
    return True
