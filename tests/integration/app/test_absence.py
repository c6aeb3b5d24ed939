"""Pages and synchronous queries go on without the cache and without the broker, gone or frozen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
import requests

from support.application import Application, get
from support.relay import Relay
from support.waiting import eventually

pytestmark = pytest.mark.integration

PATIENCE = 60
"""Seconds: more than any of these takes on a busy machine, and less than a thread that waits for ever."""

QUERY = {"LANG": "ADQL", "QUERY": "SELECT COUNT(*) AS n FROM openngc.objects", "FORMAT": "csv"}
ALSO = (
    "/robots.txt",
    "/nothing",
    "/tap/capabilities",
    "/tap/tables",
    "/tap/examples",
    "/tap/async",
    "/conesearch/openngc.objects?RA=10.68&DEC=41.27&SR=0.1",
)
"""What no page links to."""

_visitors = count()


@dataclass
class Site:
    """A web process, and the way to one of its servers that is away."""

    url: str
    away: str
    relay: Relay

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE)

    def pages(self) -> dict[str, int]:
        """Every page that can be reached by links from the home page, and the others, with the status of each; but for
        those that are there to ask."""
        found: dict[str, int] = {}
        waiting = ["/", *ALSO]
        while waiting:
            path = waiting.pop()
            if path in found or path.startswith(("/cms/", "/static/", "/health/", "/tap/availability")):
                continue
            answer = self.get(path)
            found[path] = answer.status_code
            if "html" in answer.headers.get("Content-Type", ""):
                waiting += [
                    link.partition("#")[0].replace("&amp;", "&") for link in re.findall(r'href="(/[^"]*)"', answer.text)
                ]
        return found

    def query(self) -> str:
        return requests.post(f"{self.url}/tap/sync", data=QUERY, timeout=PATIENCE).text

    def submit(self) -> str:
        answer = requests.post(
            f"{self.url}/tap/async", data={**QUERY, "PHASE": "RUN"}, allow_redirects=False, timeout=PATIENCE
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def log_in(self) -> int:
        """With a wrong password, as somebody who never tried before; the status."""
        number = next(_visitors)
        headers = {"X-Real-IP": f"192.0.2.{number % 250}"}
        return requests.get(
            f"{self.url}/tap/async", auth=(f"nobody{number}", "wrong"), headers=headers, timeout=PATIENCE
        ).status_code


@pytest.fixture(scope="module")
def filled(application: Application) -> Application:
    assert application.run("ingest", "--dataset", "openngc.objects").code == 0
    return application


@pytest.fixture(params=["cache frozen", "cache gone", "broker frozen", "broker gone"])
def site(filled: Application, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The server went away while the process had connections to it."""
    away, how = request.param.split()
    there = filled.services.environment
    name = f"ALMAGEST_{away.upper()}"
    relay = Relay(there[f"{name}_HOST"], int(there[f"{name}_PORT"]))
    with filled.serving(**{f"{name}_HOST": "127.0.0.1", f"{name}_PORT": str(relay.port)}) as url:
        found = Site(url, away, relay)
        assert found.log_in() == 401
        found.submit()
        relay.freeze() if how == "frozen" else relay.cut()
        yield found
        relay.mend()


def test_no_page_and_no_query_asks_the_cache_or_the_broker(site: Site) -> None:
    before = site.relay.asked
    pages = site.pages()
    assert {"/", "/data/openngc/objects/", *ALSO} <= pages.keys()
    assert {path: status for path, status in pages.items() if status >= 400} == {"/nothing": 404}
    assert site.query() == "n\r\n14033\r\n"
    assert site.relay.asked == before


def test_whatever_needs_it_goes_on_without(site: Site, filled: Application) -> None:
    """A crowd logs in and submits jobs at once; pages are served to others meanwhile, and no job is forgotten."""
    with ThreadPoolExecutor(40) as crowd:
        jobs = [crowd.submit(site.submit) for _ in range(20)]
        # Each costs a third of a second of a processor.
        logins = [crowd.submit(site.log_in) for _ in range(6)]
        assert site.get("/").status_code == 200
        assert site.query() == "n\r\n14033\r\n"
        assert {login.result() for login in logins} == {401}
        submitted = [job.result() for job in jobs]
    if site.away == "broker":
        with filled.app() as database:
            unsent = "SELECT count(*) FROM query_job WHERE id = ANY(%s::uuid[]) AND published_at IS NULL"
            assert _one(database, unsent, submitted) == len(jobs), "the scheduler looks for these"


def test_it_is_reported_and_the_process_stays_in_service(site: Site) -> None:
    answer = get(f"{site.url}/health/ready")
    assert answer.status == 200
    assert f'"impaired": ["{site.away}"]' in answer.body
    assert f"<vosi:note>{site.away}: " in site.get("/tap/availability").text
    site.relay.mend()
    eventually("nothing to be impaired", lambda: '"impaired": []' in get(f"{site.url}/health/ready").body)


def _one(database: psycopg.Connection[tuple[int]], statement: str, *parameters: object) -> int:
    row = database.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]
