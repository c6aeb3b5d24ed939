"""Who may read which table of the data database: the readers' grants and TAP_SCHEMA follow `Table.published`."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from almagest.metadata import catalogue, models, tap_schema

READERS = ("almagest_query", "almagest_job")
"""The roles under which visitors' queries run."""

Names = set[tuple[str, str]]

_READABLE = """
    SELECT DISTINCT n.nspname, c.relname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS granted
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname <> 'results'
      AND granted.grantee = %s::regrole AND granted.privilege_type = 'SELECT'
"""
_EXISTING = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND pg_get_userbyid(c.relowner) = current_user
"""


def published() -> Names:
    """(schema, table) of every table that everybody may read."""
    return set(models.Table.objects.filter(published=True).values_list("schema__name", "name")) | tap_schema.names()


def synchronise(data: Connection[Any]) -> int:
    """Give the readers SELECT on exactly the published tables that exist, and make TAP_SCHEMA tell of them; returns how
    many of these things changed.

    data: as the owner. One transaction. A schema's USAGE comes with its first published table and stays: it shows
    nothing but that the schema exists.
    """
    changes = 0
    with data.transaction():
        hold(data)
        existing: Names = set(data.execute(_EXISTING).fetchall())
        wanted = published() & existing
        for role in READERS:
            readable: Names = set(data.execute(_READABLE, (role,)).fetchall())
            for schema, table in sorted(wanted - readable):
                grant(data, schema, table, role)
            for schema, table in sorted(readable - wanted):
                statement = SQL("REVOKE ALL ON {} FROM {}").format(Identifier(schema, table), Identifier(role))
                data.execute(statement)
            changes += len(wanted ^ readable)
        changes += tap_schema.write(data, catalogue.everything(), lambda _table, _column: READERS)
    return changes


def hold(data: Connection[Any]) -> None:
    """Let nobody else change grants until this transaction ends: PostgreSQL refuses the second of two at once."""
    data.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.grants'))")


def grant(data: Connection[Any], schema: str, table: str, role: str) -> None:
    """Let one role read one table. The caller holds the grants."""
    data.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), Identifier(role)))
    data.execute(SQL("GRANT SELECT ON {} TO {}").format(Identifier(schema, table), Identifier(role)))
