"""`almagest-app migrate`: what it makes, that it can be repeated, and what the readers' roles may not do."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from support.application import Application
from support.services import Services

pytestmark = pytest.mark.integration

READERS = ("almagest_query", "almagest_job")
ROLES = (
    "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolconfig FROM pg_roles ORDER BY 1"
)
RIGHTS = "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"


def test_migrating_again_changes_nothing(application: Application) -> None:
    with application.data() as data:
        before = data.execute(ROLES).fetchall(), data.execute(RIGHTS).fetchall()
        outcome = application.run("migrate")
        assert outcome.code == 0, outcome.err
        assert "No migrations to apply" in outcome.out
        assert (data.execute(ROLES).fetchall(), data.execute(RIGHTS).fetchall()) == before


def test_two_migrations_at_once_both_succeed(application: Application) -> None:
    both = [application.start("migrate"), application.start("migrate")]
    errors = [process.communicate(timeout=110)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors


def test_passwords_never_appear_in_the_output(application: Application, services: Services) -> None:
    outcome = application.run("migrate")
    secrets = {path.read_text() for path in Path(services.environment["ALMAGEST_SECRETS_DIR"]).rglob("*-password")}
    assert not [secret for secret in secrets if secret in outcome.out + outcome.err]


def test_a_changed_password_is_taken_over(application: Application, services: Services, tmp_path: Path) -> None:
    rotated = tmp_path / "secrets"
    shutil.copytree(services.environment["ALMAGEST_SECRETS_DIR"], rotated)
    (rotated / "datadb" / "query-password").write_text("another")
    changed = Application(services, {"ALMAGEST_SECRETS_DIR": str(rotated)})
    try:
        assert changed.run("migrate").code == 0
        with changed.data("almagest_query") as reader:
            assert reader.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            application.data("almagest_query")
    finally:
        assert application.run("migrate").code == 0


def test_a_missing_secret_is_named(services: Services, tmp_path: Path) -> None:
    rotated = tmp_path / "secrets"
    shutil.copytree(services.environment["ALMAGEST_SECRETS_DIR"], rotated)
    (rotated / "datadb" / "job-password").unlink()
    outcome = Application(services, {"ALMAGEST_SECRETS_DIR": str(rotated)}).run("migrate")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert str(rotated / "datadb" / "job-password") in outcome.err


def test_a_database_without_pgsphere_is_refused_with_the_remedy(services: Services, tmp_path: Path) -> None:
    same = services.environment
    wrong = {f"ALMAGEST_DATADB_{key}": same[f"ALMAGEST_APPDB_{key}"] for key in ("HOST", "PORT", "NAME")}
    its = tmp_path / "secrets"
    shutil.copytree(same["ALMAGEST_SECRETS_DIR"], its)
    shutil.copy(its / "appdb/owner-password", its / "datadb/owner-password")
    outcome = Application(services, {**wrong, "ALMAGEST_SECRETS_DIR": str(its)}).run("migrate")
    assert outcome.code == 1
    assert "CREATE EXTENSION pg_sphere" in outcome.err


@pytest.mark.parametrize("role", READERS)
def test_readers_have_their_limits(application: Application, role: str) -> None:
    with application.data(role) as reader:
        settings = (
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "search_path",
            "work_mem",
            "synchronize_seqscans",
        )
        limits = {name: reader.execute(f"SHOW {name}").fetchone() for name in settings}
    assert limits == {
        "statement_timeout": ("1h",),
        "lock_timeout": ("5s",),
        "idle_in_transaction_session_timeout": ("1min",),
        "search_path": ("public",),
        "work_mem": ("32MB",),
        "synchronize_seqscans": ("off",),
    }


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE almagest",
        "CREATE TABLE public.mine (i int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SELECT * FROM almagest.loads",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER SYSTEM SET work_mem = '1GB'",
    ],
)
def test_readers_cannot_reach_beyond_their_tables(application: Application, role: str, statement: str) -> None:
    with application.data(role) as reader:
        reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement)


def test_only_the_web_process_brings_tables_along_and_no_query_does(application: Application) -> None:
    with application.data("almagest_query") as web:
        web.execute("SET default_transaction_read_only = off")
        web.execute("CREATE TEMP TABLE mine (i int)")
        web.execute("SET ROLE almagest_public")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("CREATE TEMP TABLE more (i int)")
    with application.data("almagest_job") as job, pytest.raises(psycopg.errors.InsufficientPrivilege):
        job.execute("CREATE TEMP TABLE mine (i int)")


def test_queries_read_what_jobs_wrote_and_nobody_else_writes_results(application: Application) -> None:
    with application.data("almagest_job") as job, application.data("almagest_query") as query:
        job.execute("CREATE TABLE results.probe AS SELECT 1 AS one")
        try:
            assert query.execute("SELECT one FROM results.probe").fetchone() == (1,)
            query.execute("SET default_transaction_read_only = off")
            for statement in ("INSERT INTO results.probe VALUES (2)", "CREATE TABLE results.other (i int)"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    query.execute(statement)
        finally:
            with application.data() as owner:
                owner.execute("DROP TABLE results.probe")


def test_the_query_role_is_read_only_by_default(application: Application) -> None:
    with application.data("almagest_query") as query:
        assert query.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
