"""Visitors' accounts in the data database: closed when nothing of theirs is left, opened again when they come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import requests

from almagest.accounts.identity import Identity
from support import wire
from support.application import Application
from support.archive import Archive
from support.askers import Asker, browser
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

COUNT = "SELECT COUNT(*) AS n FROM openngc.objects"
FEW = "SELECT hip FROM hipparcos.main WHERE hip < 10"
LONG = "SELECT COUNT(*) AS n FROM hipparcos.main AS a, hipparcos.main AS b WHERE a.ra < b.ra"


@pytest.fixture
def visitor(archive: Archive) -> Iterator[Asker]:
    with browser(archive) as asker:
        yield asker


def account(asker: Asker) -> str:
    """The visitor's role in the data database."""
    return Identity(session=asker.cookie.partition(":")[0]).owner


def accounts(application: Application) -> set[str]:
    """Roles and schemas of visitors."""
    with application.data() as data:
        rows = data.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^almagest_s[0-9a-f]'"
            " UNION SELECT nspname FROM pg_namespace WHERE nspname ~ '^almagest_s[0-9a-f]'"
        )
        return {name for (name,) in rows}


def close(application: Application, name: str) -> bool:
    with application.data("almagest_job") as data:
        return bool(data.execute("SELECT almagest.close_idle(%s)", (name,)).fetchall()[0][0])


def swept(application: Application, visitors: int = 50) -> None:
    code = f"from almagest.query.uws import sweep; sweep.VISITORS = {visitors}; sweep.sweep()"
    done = application.run("shell", "-v", "0", "-c", code)
    assert done.code == 0, done.err


def forget(asker: Asker, job: str) -> None:
    assert asker.session.delete(job, allow_redirects=False, timeout=30).status_code == 303


def test_an_account_goes_with_the_last_thing_in_it(archive: Archive, visitor: Asker) -> None:
    first, second = visitor.done(COUNT), visitor.done(COUNT)
    name = account(visitor)
    forget(visitor, first)
    assert name in accounts(archive.application)
    forget(visitor, second)
    eventually("the account to be closed", lambda: name not in accounts(archive.application), within=120)


def test_an_account_with_a_job_or_a_table_is_kept(visitor: Asker, application: Application) -> None:
    job = visitor.done(COUNT)
    name = account(visitor)
    assert not close(application, name)
    with application.app() as rows:
        rows.execute("UPDATE query_job SET phase = 'ERROR', nbytes = NULL WHERE id = %s", (job.rpartition("/")[2],))
    swept(application)
    with application.data() as data:
        assert not data.execute("SELECT 1 FROM pg_tables WHERE schemaname = %s", (name,)).fetchall()
    assert name in accounts(application)


def test_a_visitor_who_comes_back_has_everything_again(archive: Archive, visitor: Asker) -> None:
    forget(visitor, visitor.done(COUNT))
    name = account(visitor)
    eventually("the account to be closed", lambda: name not in accounts(archive.application), within=120)
    assert visitor.sync(FEW).status_code == 200
    assert name not in accounts(archive.application)
    visitor.done(FEW, TABLE_NAME="again")
    assert account(visitor) == name
    assert len(wire.csv_rows(visitor.sync("SELECT * FROM tap_user.again").text)) == 9
    assert name in accounts(archive.application)


def test_a_role_in_use_is_not_closed(archive: Archive, visitor: Asker) -> None:
    """A query of a visitor whose account is empty holds on to it until it ends."""
    job = visitor.submit(LONG, PHASE="RUN", EXECUTIONDURATION="20")
    visitor.until(job, "EXECUTING")
    name = account(visitor)
    eventually("the query to run", lambda: held(archive.application, name))
    assert not close(archive.application, name)
    forget(visitor, job)
    eventually("the account to be closed", lambda: close(archive.application, name))
    assert name not in accounts(archive.application)


def held(application: Application, name: str) -> bool | None:
    """Whether a transaction holds on to the account, or waits to do so; None when there is none."""
    with application.data() as data:
        found = data.execute(
            "SELECT granted FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
            " AND (classid::bigint << 32) + objid::bigint = hashtextextended(%s, 1)",
            (name,),
        ).fetchone()
        return bool(found[0]) if found else None


@pytest.mark.parametrize("way", ["job", "query", "upload"])
def test_who_comes_at_the_moment_of_closing_notices_nothing(archive: Archive, visitor: Asker, way: str) -> None:
    """The account is gone, but its closing has not ended yet, when he asks for it."""
    forget(visitor, visitor.done(COUNT, EXECUTIONDURATION="100"))
    assert visitor.sync(FEW).status_code == 200
    name = account(visitor)
    drop(archive.application, name)
    ways: dict[str, Callable[[], object]] = {
        # Not in the queue whose worker sweeps: it has to wait for the closing that this test draws out.
        "job": lambda: visitor.done(FEW, EXECUTIONDURATION="100"),
        "query": lambda: visitor.sync(FEW).raise_for_status(),
        "upload": lambda: upload(visitor).raise_for_status(),
    }
    with ThreadPoolExecutor(1) as pool, archive.application.data("almagest_job") as data:
        data.execute("SELECT almagest.open_account(%s, '{}')", (name,))
        with data.transaction():
            assert data.execute("SELECT almagest.close_idle(%s)", (name,)).fetchone() == (True,)
            asked = pool.submit(ways[way])
            eventually("the visitor to wait", lambda: held(archive.application, name) is False)
        asked.result(timeout=60)


def upload(asker: Asker) -> requests.Response:
    """A job that brings a table."""
    data = {"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.mine", "UPLOAD": "mine,param:mine"}
    files = {"mine": ("mine.csv", b"a\n1\n", "text/csv")}
    return asker.session.post(f"{asker.archive.tap}/async", data=data, files=files, timeout=60)


def test_closing_again_and_again_fails_no_query_and_loses_no_result(archive: Archive, visitor: Asker) -> None:
    """Somebody closes the account whenever that is possible while its visitor works."""
    visitor.submit(FEW)
    name, stop, closed = account(visitor), threading.Event(), []

    def close_always() -> None:
        with archive.application.data("almagest_job") as data:
            while not stop.is_set():
                if name in accounts(archive.application):
                    closed.append(data.execute("SELECT almagest.close_idle(%s)", (name,)).fetchone() == (True,))

    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(close_always)
        try:
            for number in range(12):
                assert visitor.sync(FEW).status_code == 200
                job = visitor.done(FEW, TABLE_NAME=f"again_{number}")
                assert len(wire.csv_rows(visitor.get(f"{job}/results/result", RESPONSEFORMAT="csv").text)) == 9
                assert len(wire.csv_rows(visitor.sync(f"SELECT * FROM tap_user.again_{number}").text)) == 9
                forget(visitor, job)
                drop(archive.application, name)
        finally:
            stop.set()
        closing.result(timeout=60)
    assert closed.count(True) > 3


def drop(application: Application, name: str) -> None:
    """Do at once what the next sweep would do with results of deleted jobs."""
    with application.data("almagest_job") as data, data.transaction():
        data.execute(f"SET LOCAL ROLE {name}")
        for (table,) in data.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)).fetchall():
            data.execute(f'DROP TABLE {name}."{table}"')


@pytest.fixture
def unswept(archive: Archive) -> Iterator[Application]:
    """The application without its scheduler, so that nobody else sweeps."""
    archive.processes["scheduler"].kill()
    swept(archive.application)
    yield archive.application
    archive.start("scheduler")


def test_a_sweep_closes_so_many_and_the_next_one_the_others(unswept: Application) -> None:
    names = {f"almagest_s{number:032x}" for number in range(5)}
    with unswept.data("almagest_job") as data:
        for name in names:
            data.execute("SELECT almagest.open_account(%s, '{}')", (name,))
    left = []
    for _ in range(3):
        swept(unswept, visitors=2)
        left.append(len(accounts(unswept) & names))
    assert left == [3, 1, 0]


@pytest.mark.parametrize("name", ["almagest_u1", "almagest_public", "almagest_s1", "postgres", "almagest_job"])
def test_no_other_account_is_closed_for_being_idle(application: Application, name: str) -> None:
    with application.data("almagest_job") as data, pytest.raises(psycopg.errors.InvalidParameterValue):
        data.execute("SELECT almagest.close_idle(%s)", (name,))
