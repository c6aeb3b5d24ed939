"""The REST API and who asks it: guest, user, another user and a stranger with a link, over every route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from support.access import Access
from support.archive import Archive
from support.askers import Asker, browser, nobody, user

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

STARS = "SELECT TOP 5 hip FROM hipparcos.main"
OF_A_JOB = [
    ("GET", "", None),
    ("PATCH", "", {"run_id": "taken"}),
    ("POST", "/abort", {}),
    ("POST", "/run_again", {}),
    ("DELETE", "", None),
]


@pytest.fixture(scope="module")
def ada(archive: Archive) -> Iterator[Asker]:
    with user(archive, "ada-of-the-api") as asker:
        yield asker


@pytest.fixture(scope="module")
def bob(archive: Archive) -> Iterator[Asker]:
    with user(archive, "bob-of-the-api") as asker:
        yield asker


def ask(asker: Asker, method: str, path: str, **named: Any) -> requests.Response:
    return asker.session.request(method, f"{asker.archive.url}/api/v1/{path}", timeout=60, **named)


def job_of(asker: Asker) -> str:
    answer = ask(asker, "POST", "jobs", json={"query": STARS, "wait": 10})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize(("method", "rest", "body"), OF_A_JOB)
def test_a_users_job_does_not_exist_for_others(
    archive: Archive, ada: Asker, bob: Asker, method: str, rest: str, body: Any
) -> None:
    job = job_of(ada)
    with browser(archive) as visitor, nobody(archive) as program:
        for asker in (bob, visitor, program):
            answer = ask(asker, method, f"jobs/{job}{rest}", json=body)
            assert answer.status_code == 404, answer.text
            assert "hip" not in answer.text
    assert ask(ada, "GET", f"jobs/{job}").json()["run_id"] == ""


def test_its_owner_may_do_all_of_it(ada: Asker) -> None:
    job = job_of(ada)
    for method, rest, body in OF_A_JOB:
        answer = ask(ada, method, f"jobs/{job}{rest}", json=body)
        # A job that has ended cannot be aborted.
        assert answer.status_code in ((403,) if rest == "/abort" else (200, 201, 204)), answer.text


@pytest.mark.parametrize(
    ("method", "rest", "body"), [entry for entry in OF_A_JOB if entry[1] != "/run_again" and entry[0] != "GET"]
)
def test_a_visitors_job_is_read_by_whoever_has_its_link_and_changed_by_the_visitor(
    archive: Archive, bob: Asker, method: str, rest: str, body: Any
) -> None:
    with browser(archive) as visitor, browser(archive) as stranger, nobody(archive) as program:
        job = job_of(visitor)
        for asker in (bob, stranger, program):
            assert ask(asker, "GET", f"jobs/{job}").json()["mine"] is False
            assert ask(asker, method, f"jobs/{job}{rest}", json=body).status_code == 403
        assert ask(visitor, "GET", f"jobs/{job}").json()["mine"] is True


def test_a_list_has_ones_own_jobs_only(archive: Archive, ada: Asker, bob: Asker) -> None:
    job = job_of(ada)
    with browser(archive) as visitor, nobody(archive) as program:
        assert job in [each["id"] for each in ask(ada, "GET", "jobs").json()["jobs"]]
        for asker in (bob, visitor, program):
            assert job not in ask(asker, "GET", "jobs").text


def test_a_first_job_makes_a_visitor_and_the_answer_is_theirs(archive: Archive) -> None:
    with browser(archive) as visitor:
        assert ask(visitor, "GET", "me").headers.get("Set-Cookie") is None
        answer = ask(visitor, "POST", "jobs", json={"query": STARS, "wait": 10})
        assert answer.json()["mine"] is True
        assert visitor.cookie
        assert ask(visitor, "GET", f"jobs/{answer.json()['id']}").json()["mine"] is True
        assert ask(visitor, "GET", "me").json()["quotas"]["rows"]["used"] == 5


def test_another_sites_page_may_not_use_a_session(archive: Archive, ada: Asker) -> None:
    with requests.Session() as session:
        login = session.post(
            f"{archive.url}/auth/login",
            data={"username": ada.name, "password": ada.session.auth[1]},  # type: ignore[index] # a pair
            headers={"Sec-Fetch-Site": "same-origin"},
            timeout=60,
        )
        assert login.status_code == 200
        for site, status in (("same-origin", 201), ("cross-site", 403), ("same-site", 403)):
            answer = session.post(
                f"{archive.url}/api/v1/jobs", json={"query": STARS}, headers={"Sec-Fetch-Site": site}, timeout=60
            )
            assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture(scope="module")
def vault(archive: Archive) -> Access:
    """Where `secret` is known to the members of `readers` alone, and `members` to everybody, who may not read it."""
    prepared = Access.prepared(archive.application)
    prepared.level("vault.secret", "private", "readers", of="both")
    prepared.level("vault.members", "internal")
    prepared.synchronise()
    return prepared


def test_everything_that_lists_tables_hides_what_is_secret(archive: Archive, vault: Access) -> None:
    with nobody(archive) as program, nobody(archive) as rita:
        rita.session.auth = ("rita", vault.passwords["rita"])
        for path in ("schemas", "search?q=secret"):
            assert "vault.secret" not in ask(program, "GET", path).text
            assert "vault.secret" in ask(rita, "GET", path).text
        for path in ("tables/vault.secret", "tables/vault.secret/sample"):
            assert ask(program, "GET", path).status_code == 404
            assert ask(rita, "GET", path).status_code == 200
        query = {"query": "SELECT * FROM vault.secret"}
        told = ask(program, "POST", "check", json=query).json()
        assert told["valid"] is False
        assert "no table" in told["problem"]["detail"]
        assert told["plan"] is None
        assert ask(program, "POST", "jobs", json=query).status_code == 400
        assert ask(rita, "POST", "check", json=query).json()["plan"]["rows"] >= 1


def test_what_one_may_know_of_but_not_read_is_told_so(archive: Archive, vault: Access) -> None:
    with nobody(archive) as program:
        assert ask(program, "GET", "tables/vault.members").json()["readable"] is False
        assert ask(program, "GET", "tables/vault.members/sample").status_code == 403
        query = {"query": "SELECT *\nFROM vault.members"}
        told = ask(program, "POST", "check", json=query).json()
        assert told["problem"]["position"] == {"line": 2, "column": 6, "length": 13}
        assert "Log in" in told["problem"]["detail"]
        assert ask(program, "POST", "jobs", json=query).status_code == 403
