"""Who asks an archive for jobs: a user with a password, a visitor's browser, or a program that is nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

import requests

from support.archive import Archive
from support.waiting import eventually

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
INFO = "{urn:almagest:job}"
ENDS = ("COMPLETED", "ERROR", "ABORTED", "ARCHIVED")


@dataclass(frozen=True)
class Asker:
    """An HTTP session; jobs are named by their addresses."""

    archive: Archive
    session: requests.Session
    name: str = ""

    @property
    def cookie(self) -> str:
        """Of a visitor who has created something."""
        return str(self.session.cookies["almagest_visitor"])

    def post(self, url: str, **data: str) -> requests.Response:
        return self.session.post(url, data=data, allow_redirects=False, timeout=60)

    def get(self, url: str, **parameters: str) -> requests.Response:
        return self.session.get(url, params=parameters, timeout=60)

    def create(self, adql: str, **parameters: str) -> requests.Response:
        """The answer to the wish for a job."""
        return self.post(f"{self.archive.tap}/async", LANG="ADQL", QUERY=adql, **parameters)

    def submit(self, adql: str, **parameters: str) -> str:
        answer = self.create(adql, **parameters)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def done(self, adql: str, **parameters: str) -> str:
        """A job that is COMPLETED."""
        job = self.submit(adql, PHASE="RUN", **parameters)
        assert self.until(job, *ENDS) == "COMPLETED", self.get(f"{job}/error").text
        return job

    def sync(self, adql: str, **parameters: str) -> requests.Response:
        return self.post(
            f"{self.archive.tap}/sync", **{"LANG": "ADQL", "QUERY": adql, "RESPONSEFORMAT": "csv", **parameters}
        )

    def until(self, job: str, *phases: str, within: float = 60) -> str:
        reached = eventually(
            f"{job} to be {' or '.join(phases)}",
            lambda: phase if (phase := self.get(f"{job}/phase").text) in phases else None,
            within=within,
        )
        assert reached
        return reached

    def document(self, job: str) -> ET.Element:
        answer = self.get(job)
        assert answer.status_code == 200, answer.text
        return ET.fromstring(answer.content)

    def said(self, job: str, name: str) -> str:
        """What the job's document says under one of UWS's names."""
        return self.document(job).findtext(f"{UWS}{name}") or ""

    def info(self, job: str, name: str) -> str:
        """What it says under a name of our own."""
        return self.document(job).findtext(f"{UWS}jobInfo/{INFO}{name}") or ""

    def started(self, job: str) -> datetime:
        return datetime.fromisoformat(self.said(job, "startTime"))

    def listed(self, **filters: str | list[str]) -> list[str]:
        """Addresses in the job list, in its order."""
        answer = self.session.get(f"{self.archive.tap}/async", params=filters, timeout=60)
        assert answer.status_code == 200, answer.text
        href = "{http://www.w3.org/1999/xlink}href"
        return [entry.get(href, "") for entry in ET.fromstring(answer.content)]


@contextmanager
def user(archive: Archive, name: str, *groups: str) -> Iterator[Asker]:
    """A user who logs in with every request."""
    words = [word for group in groups for word in ("--group", group)]
    password = archive.application.console.must("user", "add", name, *words).strip()
    with requests.Session() as session:
        session.auth = (name, password)
        yield Asker(archive, session, name)


@contextmanager
def browser(archive: Archive) -> Iterator[Asker]:
    """An anonymous visitor on a page of the site, whose browser keeps cookies."""
    with requests.Session() as session:
        session.headers["Sec-Fetch-Site"] = "same-origin"
        yield Asker(archive, session)


@contextmanager
def nobody(archive: Archive) -> Iterator[Asker]:
    """A program without credentials."""
    with requests.Session() as session:
        yield Asker(archive, session)
