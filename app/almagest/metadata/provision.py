"""The data database's roles, schemas and rights. Idempotent: `almagest-app migrate` runs it at every release.

Rights are what holds a query in: it runs as a role that may read what its asker may (`almagest.metadata.roles`), and
the login roles under which it comes read nothing as themselves.
The limits that are set on the roles are defaults for a connection that forgets its own (a query sets its own, tighter).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.sql import SQL, Identifier, Literal

from almagest.adql import udfs
from almagest.metadata import grants, roles, tap_schema
from almagest.metadata.roles import READERS

log = logging.getLogger(__name__)

LEDGER_SCHEMA = "almagest"
"""Where the application keeps what only it may see: the ledger of loads, and tables that are being loaded."""

Milliseconds = int


class ProvisionError(Exception):
    """The data database lacks something that this application cannot make itself."""


def provision(
    data: Connection[Any], passwords: dict[str, str], connections: dict[str, int], longest_query: float
) -> None:
    """Make roles, schemas and rights as this release needs them.

    data: autocommit connection as the owner. passwords, connections: of each of READERS its password, and how many
    sessions it may have. longest_query: seconds that the slowest queue allows. Raises ProvisionError when pgSphere is
    missing or the owner may not create roles.
    """
    _check_extension(data)
    _check_owner(data)
    with data.transaction():
        data.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.provision'))")
        for role in READERS:
            _role(data, role, passwords[role], connections[role])
            for name, value in _limits(role, longest_query):
                setting = SQL("ALTER ROLE {} SET {} = {}").format(Identifier(role), Identifier(name), Literal(value))
                data.execute(setting)
            _limit_temporary_files(data, role)
        names = {"database": _database(data), "owner": _owner(data), "most": Literal(udfs.MAX_GATHERED)}
        for statement in _RIGHTS:
            data.execute(SQL(statement).format(**names))
        roles.prepare(data)
        tap_schema.prepare(data)
        grants.prepare(data)


def _check_extension(data: Connection[Any]) -> None:
    if data.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_sphere'").fetchone() is None:
        raise ProvisionError(
            f"the database {data.info.dbname!r} on {data.info.host} has no pgSphere;"
            " as its superuser run: CREATE EXTENSION pg_sphere"
        )


def _check_owner(data: Connection[Any]) -> None:
    allowed = data.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if not (allowed and allowed[0]):
        raise ProvisionError(
            f"the role {data.info.user!r} may not create roles; its superuser can ALTER ROLE … CREATEROLE"
        )


def _role(data: Connection[Any], role: str, password: str, connections: int) -> None:
    """Create the role or give it this password and limit. Only the SCRAM verifier leaves this process: no log can hold
    more."""
    verifier = data.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    exists = data.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = SQL("ALTER" if exists else "CREATE")
    attributes = SQL("LOGIN NOINHERIT CONNECTION LIMIT {} PASSWORD {}").format(Literal(connections), Literal(verifier))
    data.execute(SQL("{} ROLE {} {}").format(verb, Identifier(role), attributes))


def _limits(role: str, longest_query: float) -> Iterator[tuple[LiteralString, str]]:
    yield "statement_timeout", f"{round(longest_query * 1000)}ms"
    yield "lock_timeout", f"{round(roles.LOCK_SECONDS * 1000)}ms"
    yield "idle_in_transaction_session_timeout", "60s"
    yield "client_connection_check_interval", "2s"
    yield "work_mem", f"{roles.SORT_KIBIBYTES}kB"
    yield "search_path", "public"
    # Rows come in the order of the stored result: no other scan leads one astray.
    yield "synchronize_seqscans", "off"
    # Nobody reads what PostgreSQL remarks on a visitor's query, and some queries have a remark for every row.
    yield "client_min_messages", "error"
    if role == "almagest_query":
        yield "default_transaction_read_only", "on"


def _limit_temporary_files(data: Connection[Any], role: str) -> None:
    """Cap a query's spill to disk where the server lets the owner set that (GRANT SET ON PARAMETER temp_file_limit)."""
    row = data.execute("SELECT has_parameter_privilege('temp_file_limit', 'SET')").fetchone()
    if row and row[0]:
        data.execute(SQL("ALTER ROLE {} SET temp_file_limit = '4GB'").format(Identifier(role)))
    else:
        log.info("temp_file_limit is left to the server's configuration", extra={"role": role})


def _owner(data: Connection[Any]) -> sql.Identifier:
    return Identifier(data.info.user)


def _database(data: Connection[Any]) -> sql.Identifier:
    return Identifier(data.info.dbname)


_RIGHTS: tuple[LiteralString, ...] = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO almagest_query, almagest_job",
    # Tables that come with a synchronous query live in its transaction (almagest.query.tables.uploads).
    "GRANT TEMPORARY ON DATABASE {database} TO almagest_query",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    # pgSphere's types and functions live in public.
    "GRANT USAGE ON SCHEMA public TO almagest_query, almagest_job",
    # What the owner creates from here on is nobody's but its own until granted; functions too.
    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC",
    "CREATE SCHEMA IF NOT EXISTS almagest",
    """CREATE TABLE IF NOT EXISTS almagest.loads (
         schema_name text NOT NULL,
         table_name text NOT NULL,
         fingerprint text NOT NULL,
         nrows bigint NOT NULL,
         findings jsonb NOT NULL,
         loaded_at timestamptz NOT NULL DEFAULT now(),
         PRIMARY KEY (schema_name, table_name)
       )""",
    # A ledger of a release before the findings: its tables are loaded again at the next ingest.
    "ALTER TABLE almagest.loads ADD COLUMN IF NOT EXISTS findings jsonb NOT NULL DEFAULT '{{}}'",
    "ALTER TABLE almagest.loads DROP COLUMN IF EXISTS unicode_columns",
    # `almagest-app val` runs where no owner's password is.
    """CREATE OR REPLACE FUNCTION almagest.rows_loaded(schema_name text, table_name text) RETURNS bigint
       LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
       $$ SELECT l.nrows FROM almagest.loads l WHERE l.schema_name = $1 AND l.table_name = $2 $$""",
    "GRANT EXECUTE ON FUNCTION almagest.rows_loaded TO almagest_query",
    """CREATE TABLE IF NOT EXISTS almagest.parts (
         schema_name text NOT NULL,
         table_name text NOT NULL,
         number integer NOT NULL,
         shape text NOT NULL,
         digest text NOT NULL,
         nrows bigint NOT NULL,
         findings jsonb NOT NULL,
         loaded_at timestamptz NOT NULL DEFAULT now(),
         PRIMARY KEY (schema_name, table_name, number)
       )""",
    # Results: jobs write them, the web process reads them, the owner may clear them away.
    "GRANT almagest_job TO {owner} WITH INHERIT TRUE, SET TRUE",
    "CREATE SCHEMA IF NOT EXISTS results",
    "GRANT USAGE, CREATE ON SCHEMA results TO almagest_job",
    "GRANT USAGE ON SCHEMA results TO almagest_query",
    # What a query calls when its result outgrows its owner's room (almagest.query.uws.storing).
    """CREATE OR REPLACE FUNCTION public.over_room() RETURNS boolean LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'the result is larger than its room' USING ERRCODE = 'AL001'; END $$""",
    "GRANT EXECUTE ON FUNCTION public.over_room() TO PUBLIC",
    # What ADQL's aggregate of text becomes (almagest.adql.udfs). Whoever may call it need not be able to call its step.
    """CREATE OR REPLACE FUNCTION public.ivo_string_agg_step(gathered text, one text, delimiter text) RETURNS text
       LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
       BEGIN
         IF one IS NULL THEN
           RETURN gathered;
         END IF;
         IF gathered IS NOT NULL THEN
           one := concat(gathered, delimiter, one);
         END IF;
         IF octet_length(one) > {most} THEN
           RAISE EXCEPTION 'ivo_string_agg gathers at most % bytes in a group', to_char({most}, 'FM999,999')
             USING ERRCODE = 'string_data_right_truncation';
         END IF;
         RETURN one;
       END $$""",
    """CREATE OR REPLACE AGGREGATE public.ivo_string_agg(text, text)
       (SFUNC = public.ivo_string_agg_step, STYPE = text, PARALLEL = SAFE)""",
    "GRANT EXECUTE ON FUNCTION public.ivo_string_agg(text, text) TO PUBLIC",
    # ADQL's MOD of doubles (almagest.adql.functions): PostgreSQL has a remainder of numeric alone, and a cast to it
    # keeps fifteen digits. Long division by halving: no sum, difference or half in it is ever rounded.
    """CREATE OR REPLACE FUNCTION public.adql_mod(x double precision, y double precision) RETURNS double precision
       LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
       DECLARE
         rest double precision := abs(x);
         divisor double precision := abs(y);
         part double precision := divisor;
       BEGIN
         IF y = 0 THEN
           RAISE division_by_zero USING MESSAGE = 'division by zero';
         ELSIF x = 'NaN' OR y = 'NaN' OR rest = 'Infinity' THEN
           RETURN 'NaN';
         ELSIF rest < divisor THEN
           RETURN x;
         END IF;
         WHILE part <= rest - part LOOP
           part := part + part;
         END LOOP;
         LOOP
           IF rest >= part THEN
             rest := rest - part;
           END IF;
           EXIT WHEN part = divisor;
           part := part / 2;
         END LOOP;
         RETURN CASE WHEN x < 0 THEN -rest ELSE rest END;
       END $$""",
    "GRANT EXECUTE ON FUNCTION public.adql_mod(double precision, double precision) TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE almagest_job IN SCHEMA results GRANT SELECT ON TABLES TO almagest_query",
)
