"""The roles of the data database that queries run under, and the functions that make and bind them.

    almagest_public ◁ almagest_internal ◁ almagest_u<id> ▷ almagest_g<id> …
    almagest_public ◁ almagest_s<hash>
    almagest_public ◁ almagest_guest

◁: is a member and inherits. None of them can log in, and none can become another. The login roles `almagest_query` and
`almagest_job` read nothing as themselves: they may become any of the above, for one transaction at a time.

What has to write to the catalogue of the database — an account's role, a reader's right — is done by functions that
belong to the database's owner. Only the login roles may call them, as themselves; a query runs as someone else by then.
"""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

READERS = ("almagest_query", "almagest_job")
"""The login roles under which visitors' queries come."""

PUBLIC = "almagest_public"
"""Whoever asks."""

INTERNAL = "almagest_internal"
"""Whoever is logged in."""

GUEST = "almagest_guest"
"""Nobody's jobs: reads what is public and writes into the schema `results`."""

SORT_KIBIBYTES = 32 * 2**10
"""Memory that PostgreSQL takes for one sort or hash table of a visitor's query before it goes to disk."""

LOCK_SECONDS = 5.0
"""Seconds that a visitor's query waits for a table that is being replaced."""


def group(key: int) -> str:
    """The role of a group's members."""
    return f"almagest_g{key}"


def holding(role: str) -> str | None:
    """The statement before `SET ROLE` with which a login role keeps a visitor's role from being closed until its
    transaction ends; None for other roles. It fails as `SET ROLE` does when there is no such role.
    """
    if not role.startswith("almagest_s"):
        return None
    return SQL("SELECT almagest.hold_visitor({})").format(Literal(role)).as_string()


def prepare(data: Connection[Any]) -> None:
    """Make the roles that every archive has, and the functions. data: as the owner, in a transaction."""
    for role in (PUBLIC, INTERNAL, GUEST):
        if data.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
            data.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(role)))
    for statement in _STATEMENTS:
        data.execute(statement)
    _pass_on(data)


def open_account(data: Connection[Any], owner: str, groups: list[str]) -> None:
    """Let there be the role and the schema of an owner, who is a member of exactly these groups' roles.

    data: as a login role of READERS or as the owner, outside a transaction.
    """
    with data.transaction():
        data.execute("SET TRANSACTION READ WRITE")
        data.execute("SELECT almagest.open_account(%s, %s)", (owner, groups))


def close_account(data: Connection[Any], owner: str) -> None:
    """Drop the role of an owner and everything that belongs to it. data: as for `open_account`."""
    with data.transaction():
        data.execute("SET TRANSACTION READ WRITE")
        data.execute("SELECT almagest.close_account(%s)", (owner,))


def close_idle(data: Connection[Any], visitor: str) -> bool:
    """Drop the role and the schema of a visitor, unless something is in the schema or the role is in use; returns
    whether they are gone. Whoever needs them again opens them again. data: as `almagest_job` or as the owner.
    """
    with data.transaction():
        row = data.execute("SELECT almagest.close_idle(%s)", (visitor,)).fetchone()
    return bool(row and row[0])


def _pass_on(data: Connection[Any]) -> None:
    """Let the login roles, as themselves, call what the server closed to all others (images/postgres/closed.sql)."""
    closed = """
        SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(p.proacl) AS granted
        WHERE p.proowner = 10 AND granted.grantee = current_user::regrole AND granted.is_grantable
    """
    for (function,) in data.execute(closed).fetchall():
        # PostgreSQL wrote this name, arguments included, so that it can be read back.
        data.execute(SQL("GRANT EXECUTE ON FUNCTION {} TO almagest_query, almagest_job").format(SQL(function)))


_STATEMENTS: tuple[LiteralString, ...] = (
    "GRANT almagest_public TO almagest_internal WITH INHERIT TRUE, SET FALSE",
    "GRANT almagest_public, almagest_internal TO almagest_query, almagest_job WITH INHERIT FALSE, SET TRUE",
    # Nobody's results: the login roles read them, and that of the jobs drops them.
    "GRANT almagest_public TO almagest_guest WITH INHERIT TRUE, SET FALSE",
    "GRANT almagest_guest TO almagest_job WITH INHERIT TRUE, SET TRUE",
    # The web process writes what such a job brings along.
    "GRANT almagest_guest TO almagest_query WITH INHERIT FALSE, SET TRUE",
    "GRANT almagest_guest TO CURRENT_USER WITH INHERIT TRUE, SET TRUE",
    "GRANT USAGE, CREATE ON SCHEMA results TO almagest_guest",
    "ALTER DEFAULT PRIVILEGES FOR ROLE almagest_guest IN SCHEMA results GRANT SELECT ON TABLES TO almagest_query",
    # pgSphere's types and functions live in public.
    "GRANT USAGE ON SCHEMA public TO almagest_public",
    "GRANT USAGE ON SCHEMA almagest TO almagest_query, almagest_job",
    """CREATE OR REPLACE FUNCTION almagest.open_account(account text, groups text[]) RETURNS void
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         IF account !~ '^almagest_(u[1-9][0-9]{0,18}|s[0-9a-f]{32})$' THEN
           RAISE EXCEPTION 'no name of an account: %', account USING ERRCODE = 'invalid_parameter_value';
         END IF;
         PERFORM pg_advisory_xact_lock(hashtext('almagest.grants'));
         IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = account) THEN
           EXECUTE format('CREATE ROLE %I NOLOGIN', account);
           EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', account, current_user);
           EXECUTE format('GRANT %I TO almagest_query, almagest_job WITH INHERIT FALSE, SET TRUE', account);
           EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE',
             CASE substr(account, 10, 1) WHEN 'u' THEN 'almagest_internal' ELSE 'almagest_public' END, account);
         END IF;
         EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', account, account);
         PERFORM almagest.bind_member(account, groups);
       END $$""",
    # Not for the login roles: it is called by the other functions, which hold the grants.
    """CREATE OR REPLACE FUNCTION almagest.bind_member(account text, groups text[]) RETURNS integer
       LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
       DECLARE
         other text;
         changes integer := 0;
       BEGIN
         FOR other IN
           SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
           WHERE m.member = account::regrole AND g.rolname ~ '^almagest_g[1-9][0-9]*$' AND g.rolname <> ALL (groups)
         LOOP
           EXECUTE format('REVOKE %I FROM %I', other, account);
           changes := changes + 1;
         END LOOP;
         FOREACH other IN ARRAY groups LOOP
           PERFORM almagest.require_group(other);
           IF account !~ '^almagest_u' THEN
             RAISE EXCEPTION 'only users are members of groups, not %', account;
           END IF;
           IF NOT EXISTS (SELECT FROM pg_auth_members
                          WHERE member = account::regrole AND roleid = other::regrole AND inherit_option) THEN
             EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE', other, account);
             changes := changes + 1;
           END IF;
         END LOOP;
         RETURN changes;
       END $$""",
    """CREATE OR REPLACE FUNCTION almagest.require_group(name text) RETURNS void
       LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         IF name !~ '^almagest_g[1-9][0-9]{0,18}$' THEN
           RAISE EXCEPTION 'no name of a group: %', name USING ERRCODE = 'invalid_parameter_value';
         END IF;
         IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
           EXECUTE format('CREATE ROLE %I NOLOGIN', name);
         END IF;
       END $$""",
    """CREATE OR REPLACE FUNCTION almagest.close_account(account text) RETURNS void
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         IF account !~ '^almagest_(u[1-9][0-9]{0,18}|s[0-9a-f]{32})$' THEN
           RAISE EXCEPTION 'no name of an account: %', account USING ERRCODE = 'invalid_parameter_value';
         END IF;
         PERFORM pg_advisory_xact_lock(hashtext('almagest.grants'));
         IF EXISTS (SELECT FROM pg_roles WHERE rolname = account) THEN
           EXECUTE format('DROP OWNED BY %I CASCADE', account);
           EXECUTE format('DROP ROLE %I', account);
         END IF;
       END $$""",
    # A session hears of roles that were dropped when it begins a transaction or first reads a table in it, and not when
    # it has waited for such a lock: without the look, SET ROLE would take a role that is no more.
    """CREATE OR REPLACE FUNCTION almagest.hold_visitor(visitor text) RETURNS void
       LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         PERFORM pg_advisory_xact_lock_shared(hashtextextended(visitor, 1));
         IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = visitor) THEN
           RAISE EXCEPTION 'no account of a visitor: %', visitor USING ERRCODE = 'invalid_parameter_value';
         END IF;
       END $$""",
    # What is in the schema is looked at in a statement of its own: one that began before the lock was had would not see
    # the table of whoever held it until then.
    """CREATE OR REPLACE FUNCTION almagest.close_idle(visitor text) RETURNS boolean
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         IF visitor !~ '^almagest_s[0-9a-f]{32}$' THEN
           RAISE EXCEPTION 'no name of a visitor: %', visitor USING ERRCODE = 'invalid_parameter_value';
         END IF;
         IF NOT pg_try_advisory_xact_lock(hashtextextended(visitor, 1)) THEN
           RETURN false;
         END IF;
         IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = visitor) THEN
           RETURN false;
         END IF;
         PERFORM almagest.close_account(visitor);
         RETURN true;
       END $$""",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA almagest FROM PUBLIC",
    """GRANT EXECUTE ON FUNCTION almagest.open_account, almagest.close_account, almagest.hold_visitor
       TO almagest_query, almagest_job""",
    "GRANT EXECUTE ON FUNCTION almagest.close_idle TO almagest_job",
)
