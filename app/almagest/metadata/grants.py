"""Who may read which table and column of the data database: the grants follow the levels of the metadata.

The rights are those of a few roles (`almagest.metadata.roles`): what is public is granted to `almagest_public`, what is
internal to `almagest_internal`, what is private to its groups; inheritance adds them up. A table all of whose columns
have its own audience is granted whole, any other column by column.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from psycopg import Connection
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Column, Table
from almagest.config.environment import environment
from almagest.metadata import catalogue, models, roles, tap_schema
from almagest.metadata.access import Audiences
from almagest.metadata.levels import Audience, Level

Grant = tuple[str, str, str, str | None]
"""Role, schema, table, and a column or None for all of them."""


def synchronise(data: Connection[Any]) -> int:
    """Let every role read exactly what the levels say, and make TAP_SCHEMA tell of it; returns how many rights,
    memberships and tables of TAP_SCHEMA changed.

    data: as the owner or as a login role of READERS. One transaction there, in which revoking comes first; it ends
    before the caller's transaction in the application's database does, so no metadata are in force before their grants.
    Changes follow each other: each sees what those before it committed.
    """
    with transaction.atomic():
        models.Revision.objects.select_for_update().get()
        wanted = {
            "groups": [roles.group(key) for key in Group.objects.order_by("pk").values_list("pk", flat=True)],
            "grants": [dict(zip(("role", "schema", "name", "part"), grant, strict=True)) for grant in wanted_grants()],
            "members": memberships(),
        }
        with data.transaction():
            data.execute("SET TRANSACTION READ WRITE")
            row = data.execute("SELECT almagest.set_grants(%s)", (Jsonb(wanted),)).fetchone()
            told = tap_schema.write(data, *_tap_schema())
    return told + (int(row[0]) if row else 0)


@contextmanager
def steward() -> Iterator[Connection[Any]]:
    """A connection that may change grants, as whichever role this process was given the password of."""
    settings = environment()
    role = "almagest" if settings.has_secret("datadb/owner-password") else "almagest_query"
    with psycopg.connect(settings.datadb_conninfo(role), autocommit=True, application_name="grants") as connection:  # type: ignore[arg-type] # one of two
        yield connection


def wanted_grants() -> Iterator[Grant]:
    """What the levels say now, for tables that may or may not exist."""
    yield from ((roles.PUBLIC, table.schema, table.name, None) for table in tap_schema.TABLES)
    audiences = Audiences("access")
    for table in models.Table.objects.select_related("schema").prefetch_related("columns").order_by("pk"):
        own = audiences.table(table)
        columns = [(column.name, audiences.column(column, own)) for column in table.columns.all()]
        name = (table.schema.name, table.name)
        if all(audience == own for _, audience in columns):
            yield from ((role, *name, None) for role in readers(own))
        else:
            yield from ((role, *name, column) for column, audience in columns for role in readers(audience))


def _tap_schema() -> tuple[Catalogue, tap_schema.Readers]:
    """What TAP_SCHEMA has to hold, and which roles may see what of it."""
    everything, audiences = catalogue.everything()

    def who(table: Table, column: Column | None) -> list[str]:
        return readers(audiences[table.schema, table.name, column.name if column else None])

    return everything, who


def readers(audience: Audience) -> list[str]:
    """The roles that an audience's rights are given to."""
    match audience.level:
        case Level.PUBLIC:
            return [roles.PUBLIC]
        case Level.INTERNAL:
            return [roles.INTERNAL]
        case _:
            return [roles.group(key) for key in sorted(audience.groups)]


def memberships() -> dict[str, list[str]]:
    """Role of each user that belongs to groups → the roles of these."""
    found: dict[str, list[str]] = {}
    members = get_user_model().groups.through.objects.filter(user__is_active=True)
    for user, group in members.order_by("user_id", "group_id").values_list("user_id", "group_id"):
        found.setdefault(Identity(user=user).owner, []).append(roles.group(group))
    return found


def hold(data: Connection[Any]) -> None:
    """Let nobody else change grants until this transaction ends: PostgreSQL refuses the second of two at once."""
    data.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.grants'))")


def carry(data: Connection[Any], schema: str, table: str, successor: str) -> None:
    """Let those who may read a table read the one that takes its place, as far as it has the same columns.

    The caller holds the grants. Nothing happens when there is no such table yet.
    """
    present = "SELECT role, part FROM almagest.present_grants() WHERE schema = %s AND name = %s"
    exists = "SELECT 1 FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s AND NOT attisdropped"
    heir = Identifier(schema, successor)
    for role, part in data.execute(present, (schema, table)).fetchall():
        if part is None:
            data.execute(SQL("GRANT SELECT ON {} TO {}").format(heir, Identifier(role)))
        elif data.execute(exists, (heir.as_string(), part)).fetchone():
            data.execute(SQL("GRANT SELECT ({}) ON {} TO {}").format(Identifier(part), heir, Identifier(role)))


def prepare(data: Connection[Any]) -> None:
    """Make the functions that change grants. data: as the owner, in a transaction, after `roles.prepare`."""
    for statement in _STATEMENTS:
        data.execute(statement)


_STATEMENTS: tuple[LiteralString, ...] = (
    # The login roles are among those looked at because an earlier release gave rights to them.
    """CREATE OR REPLACE FUNCTION almagest.present_grants()
       RETURNS TABLE (role text, schema text, name text, part text)
       LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
         SELECT g.rolname, n.nspname, c.relname, acl.part
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (
           SELECT NULL::name AS part, e.grantee FROM aclexplode(c.relacl) e
           UNION
           SELECT a.attname, e.grantee FROM pg_attribute a, aclexplode(a.attacl) e
           WHERE a.attrelid = c.oid AND NOT a.attisdropped
         ) acl JOIN pg_roles g ON g.oid = acl.grantee
         WHERE pg_get_userbyid(c.relowner) = current_user AND c.relkind IN ('r', 'p', 'v', 'm')
           AND g.rolname ~ '^almagest_(public|internal|g[1-9][0-9]{0,18}|query|job)$'
       $$""",
    """CREATE OR REPLACE FUNCTION almagest.possible_grants(wanted jsonb)
       RETURNS TABLE (role text, schema text, name text, part text)
       LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
         SELECT w.role, w.schema, w.name, w.part
         FROM jsonb_to_recordset(wanted) AS w(role text, schema text, name text, part text)
         JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
         WHERE pg_get_userbyid(c.relowner) = current_user AND c.relkind IN ('r', 'p', 'v', 'm')
           AND w.schema <> 'almagest' AND w.role ~ '^almagest_(public|internal|g[1-9][0-9]{0,18})$'
           AND (w.part IS NULL OR EXISTS (
             SELECT FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attname = w.part AND a.attnum > 0 AND NOT a.attisdropped))
       $$""",
    # Whatever is not wanted goes first, whatever is missing comes then. A right to a whole table takes the rights to
    # its columns with it when it goes, so the columns are looked at after the tables.
    """CREATE OR REPLACE FUNCTION almagest.set_grants(wanted jsonb) RETURNS integer
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       DECLARE
         item record;
         changes integer := 0;
       BEGIN
         PERFORM pg_advisory_xact_lock(hashtext('almagest.grants'));
         FOR item IN SELECT value FROM jsonb_array_elements_text(wanted -> 'groups') LOOP
           PERFORM almagest.require_group(item.value);
         END LOOP;
         FOR item IN
           SELECT p.* FROM almagest.present_grants() p WHERE p.part IS NULL
           EXCEPT SELECT * FROM almagest.possible_grants(wanted -> 'grants')
         LOOP
           EXECUTE format('REVOKE ALL ON %I.%I FROM %I', item.schema, item.name, item.role);
           changes := changes + 1;
         END LOOP;
         FOR item IN
           SELECT p.* FROM almagest.present_grants() p WHERE p.part IS NOT NULL
           EXCEPT SELECT * FROM almagest.possible_grants(wanted -> 'grants')
         LOOP
           EXECUTE format('REVOKE ALL (%I) ON %I.%I FROM %I', item.part, item.schema, item.name, item.role);
           changes := changes + 1;
         END LOOP;
         FOR item IN
           SELECT u.rolname AS account, coalesce(w.groups, '{}') AS groups
           FROM pg_roles u
           LEFT JOIN (
             SELECT m.key, ARRAY(SELECT jsonb_array_elements_text(m.value) ORDER BY 1) AS groups
             FROM jsonb_each(wanted -> 'members') m
           ) w ON w.key = u.rolname
           LEFT JOIN (
             SELECT m.member, array_agg(g.rolname::text ORDER BY g.rolname::text) AS groups
             FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE g.rolname ~ '^almagest_g[1-9][0-9]*$' AND m.inherit_option GROUP BY m.member
           ) p ON p.member = u.oid
           WHERE u.rolname ~ '^almagest_u[1-9][0-9]*$' AND coalesce(w.groups, '{}') <> coalesce(p.groups, '{}')
         LOOP
           changes := changes + almagest.bind_member(item.account, item.groups);
         END LOOP;
         FOR item IN
           SELECT * FROM almagest.possible_grants(wanted -> 'grants')
           EXCEPT SELECT * FROM almagest.present_grants()
         LOOP
           IF item.part IS NULL THEN
             EXECUTE format('GRANT SELECT ON %I.%I TO %I', item.schema, item.name, item.role);
           ELSE
             EXECUTE format('GRANT SELECT (%I) ON %I.%I TO %I', item.part, item.schema, item.name, item.role);
           END IF;
           changes := changes + 1;
         END LOOP;
         PERFORM almagest.set_usage();
         RETURN changes;
       END $$""",
    # A schema is open to the roles that may read something in it.
    """CREATE OR REPLACE FUNCTION almagest.set_usage() RETURNS void
       LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
       DECLARE
         item record;
       BEGIN
         FOR item IN
           SELECT g.rolname AS role, n.nspname AS schema
           FROM pg_namespace n, aclexplode(n.nspacl) e JOIN pg_roles g ON g.oid = e.grantee
           WHERE pg_get_userbyid(n.nspowner) = current_user AND n.nspname <> 'almagest' AND n.nspname <> 'results'
             AND g.rolname ~ '^almagest_(public|internal|g[1-9][0-9]{0,18}|query|job)$'
           EXCEPT SELECT role, schema FROM almagest.present_grants()
         LOOP
           EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', item.schema, item.role);
         END LOOP;
         FOR item IN
           SELECT DISTINCT role, schema FROM almagest.present_grants()
           EXCEPT
           SELECT g.rolname, n.nspname
           FROM pg_namespace n, aclexplode(n.nspacl) e JOIN pg_roles g ON g.oid = e.grantee
         LOOP
           EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', item.schema, item.role);
         END LOOP;
       END $$""",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA almagest FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION almagest.set_grants TO almagest_query, almagest_job",
)
