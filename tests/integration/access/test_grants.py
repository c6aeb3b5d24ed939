"""The rights in the data database: they follow the levels of the metadata, and the database itself keeps them."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from support.access import Access
from support.application import Application
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def access(application: Application) -> Access:
    """Two users of two groups, and the tables `vault.open`, `vault.members`, `vault.secret` with three columns each."""
    return Access.prepared(application)


def test_each_role_reads_what_its_level_admits(access: Access) -> None:
    access.level("vault.members", "internal")
    access.level("vault.secret", "private", "readers")
    reader, other = access.account("rita"), access.account("otto")
    may = {
        "almagest_public": {"open"},
        "almagest_internal": {"open", "members"},
        other: {"open", "members"},
        reader: {"open", "members", "secret"},
    }
    assert {role: access.readable(role) for role in may} == may


def test_a_column_can_be_more_private_than_its_table(access: Access) -> None:
    access.level("vault.open", "public")
    access.level("vault.open.note", "private", "readers")
    try:
        with access.application.data(access.account("otto")) as data:
            assert data.execute("SELECT id, size FROM vault.open").fetchall() == [(1, 2.5)]
            assert data.execute("SELECT count(*) FROM vault.open").fetchone() == (1,)
            for statement in ("SELECT note FROM vault.open", "SELECT * FROM vault.open", "SELECT o FROM vault.open o"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    data.execute(statement)
        with access.application.data(access.account("rita")) as data:
            assert data.execute("SELECT * FROM vault.open").fetchall() == [(1, 2.5, "a note")]
    finally:
        access.level("vault.open.note", "public")
    with access.application.data("almagest_public") as data:
        assert data.execute("SELECT note FROM vault.open").fetchone() == ("a note",)


def test_a_private_schema_closes_everything_in_it(access: Access) -> None:
    access.level("vault", "private", "readers")
    try:
        assert access.readable("almagest_public") == set()
        assert access.readable(access.account("rita")) >= {"open"}
    finally:
        access.level("vault", "public")
    assert "open" in access.readable("almagest_public")


def test_leaving_a_group_takes_its_rights_at_once(access: Access) -> None:
    access.level("vault.secret", "private", "readers")
    role = access.account("rita")
    assert "secret" in access.readable(role)
    access.leave("rita", "readers")
    try:
        assert "secret" not in access.readable(role)
    finally:
        access.join("rita", "readers")
    assert "secret" in access.readable(role)


def test_grants_by_hand_are_taken_back(access: Access, application: Application) -> None:
    access.level("vault.secret", "private")
    with application.data() as owner:
        owner.execute("GRANT SELECT ON vault.secret TO almagest_public, almagest_query")
        owner.execute("GRANT SELECT (note) ON vault.secret TO almagest_internal")
    access.synchronise()
    assert "secret" not in access.readable("almagest_internal")
    with application.data("almagest_query") as query, pytest.raises(psycopg.errors.InsufficientPrivilege):
        query.execute("SELECT count(*) FROM vault.secret")


def test_synchronising_again_changes_nothing(access: Access) -> None:
    access.synchronise()
    assert access.synchronise() == 0


@pytest.mark.parametrize("role", ["almagest_query", "almagest_job"])
def test_a_process_without_the_owners_password_can_synchronise(access: Access, role: str) -> None:
    access.level("vault.secret", "private", "readers")

    def mends() -> bool:
        """Whether this role took the right away; an archive's own sweep may have been there before."""
        with access.application.data() as owner:
            owner.execute("GRANT SELECT ON vault.secret TO almagest_public")
        changed = access.synchronise(role)
        assert "secret" not in access.readable("almagest_public")
        return changed == 1

    eventually(f"{role} to mend the rights", mends)


@pytest.mark.parametrize("role", ["almagest_query", "almagest_job"])
def test_the_login_roles_read_nothing_private_as_themselves(
    access: Access, application: Application, role: str
) -> None:
    access.level("vault.secret", "private", "readers")
    access.level("vault.members", "internal")
    with application.data(role) as data:
        for table in ("secret", "members"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                data.execute(f"SELECT * FROM vault.{table}")


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE almagest",
        "SET ROLE postgres",
        "CREATE TABLE public.mine (i int)",
        "CREATE TABLE vault.mine (i int)",
        "CREATE SCHEMA mine",
        "CREATE TEMP TABLE mine (i int)",
        "CREATE ROLE mine",
        "CREATE FUNCTION {schema}.f() RETURNS int LANGUAGE c AS 'x'",
        "INSERT INTO vault.open VALUES (2, 1, 'x')",
        "DELETE FROM vault.open",
        "TRUNCATE vault.open",
        "SELECT * FROM vault.open FOR UPDATE",
        "BEGIN; LOCK TABLE vault.open IN ACCESS EXCLUSIVE MODE",
        "SELECT * FROM {other}.kept",
        "DROP TABLE {other}.kept",
        "CREATE TABLE {other}.mine (i int)",
        "ALTER TABLE vault.open OWNER TO {role}",
        "GRANT almagest_g1 TO {role}",
        "SELECT almagest.set_grants('{{}}')",
        "SELECT almagest.open_account('{role}', ARRAY['almagest_g1'])",
        "SELECT almagest.close_account('{role}')",
        "SELECT almagest.close_idle('almagest_s00000000000000000000000000000000')",
        "SELECT almagest.hold_visitor('{role}')",
        "SELECT almagest.bind_member('{role}', ARRAY['almagest_g1'])",
        "SELECT * FROM almagest.loads",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'almagest_job'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "ALTER ROLE {role} SUPERUSER",
        "CREATE EXTENSION dblink",
    ],
)
def test_an_account_cannot_reach_beyond_its_rights(access: Access, statement: str) -> None:
    role, other = access.account("otto"), access.account("rita")
    with access.application.data(other) as data:
        data.execute(f"CREATE TABLE IF NOT EXISTS {other}.kept AS SELECT 1 AS one")
    told = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject)
    with access.application.data(role) as data, pytest.raises(told):
        data.execute(statement.format(role=role, schema=role, other=other))


@pytest.mark.parametrize(
    "account", ["almagest", "postgres", "almagest_g1", "almagest_u0", "almagest_u1; DROP", "public"]
)
def test_only_accounts_are_opened(access: Access, account: str) -> None:
    with access.application.data("almagest_job") as data, pytest.raises(psycopg.errors.InvalidParameterValue):
        data.execute("SELECT almagest.open_account(%s, '{}')", (account,))


@pytest.mark.parametrize("group", ["almagest", "almagest_job", "pg_read_all_data", "almagest_u1", "almagest_g1 "])
def test_only_groups_are_granted(access: Access, group: str) -> None:
    role = access.account("otto")
    with access.application.data("almagest_job") as data, pytest.raises(psycopg.errors.InvalidParameterValue):
        data.execute("SELECT almagest.open_account(%s, %s)", (role, [group]))


def test_a_right_to_a_table_of_the_application_is_never_granted(access: Access) -> None:
    wanted: dict[str, Any] = {"groups": [], "members": {}, "grants": []}
    for schema, name in (("almagest", "loads"), ("pg_catalog", "pg_authid")):
        wanted["grants"].append({"role": "almagest_public", "schema": schema, "name": name, "part": None})
    with access.application.data("almagest_job") as data:
        data.execute("SELECT almagest.set_grants(%s)", (json.dumps(wanted),))
    with access.application.data("almagest_public") as data, pytest.raises(psycopg.errors.InsufficientPrivilege):
        data.execute("SELECT * FROM almagest.loads")
    access.synchronise()


def test_nobodys_results_are_written_by_a_role_that_can_do_nothing_else(application: Application) -> None:
    with application.data("almagest_guest") as guest, application.data("almagest_query") as query:
        guest.execute("CREATE TABLE results.guests AS SELECT 1 AS one")
        assert query.execute("SELECT one FROM results.guests").fetchone() == (1,)
        for statement in ("SELECT almagest.set_grants('{}')", "CREATE SCHEMA mine", "CREATE TABLE public.mine (i int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                guest.execute(statement)
    with application.data("almagest_job") as job:
        job.execute("DROP TABLE results.guests")


def test_a_closed_account_leaves_nothing(access: Access, application: Application) -> None:
    visitor = "almagest_s" + "0" * 32
    with application.data("almagest_job") as data:
        data.execute("SELECT almagest.open_account(%s, '{}')", (visitor,))
        with application.data(visitor) as own:
            own.execute(f"CREATE TABLE {visitor}.kept AS SELECT 1 AS one")
        data.execute("SELECT almagest.close_account(%s)", (visitor,))
        assert data.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (visitor,)).fetchone() is None
        assert data.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (visitor,)).fetchone() is None
