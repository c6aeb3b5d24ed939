"""HEAD says what GET would say before its first row, and runs nothing (RFC 9110 §9.3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from support.application import Application
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 3 hip FROM hipparcos.main"}
CONE = {"RA": "10", "DEC": "20", "SR": "1"}
LINKS = {"ID": "1", "TABLE": "hipparcos.main"}

DEAR = [
    ("/tap/sync", QUERY),
    ("/tap/sync", {**QUERY, "RESPONSEFORMAT": "csv_gzip"}),
    ("/tap/sync", {**QUERY, "RESPONSEFORMAT": "fits"}),
    ("/tap/sync", {**QUERY, "UPLOAD": "t,http://192.0.2.1/never"}),
    ("/conesearch/hipparcos.main", CONE),
    ("/conesearch/hipparcos.main", {**CONE, "RESPONSEFORMAT": "votable/td"}),
    ("/datalink/links", LINKS),
]
WRONG = [
    ("/tap/sync", {**QUERY, "QUERY": "SELECT nothing FROM hipparcos.main"}, 400),
    ("/tap/sync", {**QUERY, "MAXREC": "x"}, 400),
    ("/tap/sync", {**QUERY, "LANG": "C"}, 400),
    ("/conesearch/no.table", CONE, 404),
    ("/datalink/links", {**LINKS, "RESPONSEFORMAT": "csv"}, 400),
]
SAID = ("Content-Type", "Content-Disposition", "Content-Encoding", "Access-Control-Allow-Origin")


@pytest.fixture
def locked(application: Application) -> Iterator[None]:
    """The table cannot be read."""
    with application.data() as owner, owner.transaction():
        owner.execute("LOCK TABLE hipparcos.main IN ACCESS EXCLUSIVE MODE")
        yield


def test_the_table_is_locked_for_who_reads_it(archive: Archive, locked: None) -> None:
    assert requests.get(f"{archive.url}/tap/sync", params=QUERY, timeout=60).status_code != 200


@pytest.mark.parametrize(("path", "parameters"), DEAR)
def test_nothing_is_read_or_fetched(archive: Archive, locked: None, path: str, parameters: dict[str, str]) -> None:
    answer = requests.head(f"{archive.url}{path}", params=parameters, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(("path", "parameters"), [pair for pair in DEAR if "UPLOAD" not in pair[1]])
def test_the_headers_are_those_of_the_answer(archive: Archive, path: str, parameters: dict[str, str]) -> None:
    told, answer = (
        requests.request(method, f"{archive.url}{path}", params=parameters, timeout=60) for method in ("HEAD", "GET")
    )
    assert answer.status_code == 200
    assert {name: told.headers.get(name) for name in SAID} == {name: answer.headers.get(name) for name in SAID}


@pytest.mark.parametrize(("path", "parameters", "status"), WRONG)
def test_what_is_wrong_before_anything_runs_is_said(
    archive: Archive, path: str, parameters: dict[str, str], status: int
) -> None:
    for method in ("HEAD", "GET"):
        assert requests.request(method, f"{archive.url}{path}", params=parameters, timeout=60).status_code == status


def test_it_does_not_wait(archive: Archive) -> None:
    job = archive.submit(QUERY["QUERY"])
    # A GET would take limits.WAIT_SECONDS.
    assert requests.head(job, params={"WAIT": "-1"}, timeout=20).status_code == 200
