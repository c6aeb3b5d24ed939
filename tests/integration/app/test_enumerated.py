"""Every parameter that takes one of a few values: each of them is taken, nothing else is, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import chain
from xml.etree import ElementTree as ET

import pytest
import requests

from almagest.vo import uws
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 hip FROM hipparcos.main"}
CONE = {"RA": "10", "DEC": "20", "SR": "0"}
LINKS = {"ID": "1", "TABLE": "hipparcos.main"}
LIMIT = 60

Pairs = list[tuple[str, str | bytes]]


def _job(archive: Archive) -> str:
    return archive.submit(QUERY["QUERY"])


@dataclass(frozen=True)
class Enumerated:
    """A parameter of a resource. path: below the site, or what makes the resource; right: its values, None for those
    that the archive's capabilities announce; rest: what else the request needs."""

    name: str
    path: str | Callable[[Archive], str]
    right: Collection[str] | None
    rest: dict[str, str] = field(default_factory=dict)
    method: str = "GET"

    def ask(self, archive: Archive, value: str | bytes) -> requests.Response:
        url = f"{archive.url}{self.path}" if isinstance(self.path, str) else self.path(archive)
        pairs: Pairs = [*((name, one) for name, one in self.rest.items() if name != self.name), (self.name, value)]
        return self.send(url, pairs)

    def send(self, url: str, pairs: Pairs) -> requests.Response:
        where = {"params": pairs} if self.method == "GET" else {"data": pairs}
        return requests.request(self.method, url, timeout=LIMIT, allow_redirects=False, **where)  # type: ignore[arg-type]


def part(name: str) -> Callable[[Archive], str]:
    return lambda archive: f"{_job(archive)}/{name}".rstrip("/")


PARAMETERS = [
    Enumerated("LANG", "/tap/sync", None, QUERY),
    Enumerated("RESPONSEFORMAT", "/tap/sync", None, QUERY),
    Enumerated("FORMAT", "/tap/sync", None, QUERY),
    Enumerated("REQUEST", "/tap/sync", ["doQuery", "DOQUERY"], QUERY, "POST"),
    Enumerated("PHASE", "/tap/async", sorted(uws.PHASES)),
    Enumerated("PHASE", "/tap/async", ["RUN"], QUERY, "POST"),
    Enumerated("PHASE", part("phase"), ["RUN", "ABORT"], {}, "POST"),
    Enumerated("PHASE", part(""), sorted(uws.PHASES), {"WAIT": "0"}),
    Enumerated("ACTION", part(""), ["DELETE"], {}, "POST"),
    Enumerated("detail", "/tap/tables", ["min", "max"]),
    Enumerated("VERB", "/conesearch/hipparcos.main", ["1", "2", "3"], CONE),
    Enumerated("RESPONSEFORMAT", "/conesearch/hipparcos.main", None, CONE),
    Enumerated("RESPONSEFORMAT", "/datalink/links", ["votable", "text/xml", "application/x-votable+xml"], LINKS),
]
WRONG: list[str | bytes] = [
    "doEvil", "getCapabilities", "RUN;ABORT", "RUNNING", "0", "4", "01", "-1", "min max", "min,max", "csv votable",
    "ADQL-9.9", "adql'", "votable/td2", "x" * 300, "１", "ＲＵＮ", "mın", "doQuery\u0345", "\ufffd", "RUN\0",
    b"\xe9", b"RUN\xff", b"\xed\xa0\x80", b"csv\xc0\xaf", b"\xef\xbf",
]  # fmt: skip
"""Wrong for each of them: misspelt, several at once, alike in other scripts, and no text at all."""


def announced(archive: Archive, name: str) -> list[str]:
    root = ET.fromstring(requests.get(f"{archive.tap}/capabilities", timeout=LIMIT).content)
    if name == "LANG":
        found = [
            [one.findtext("name") or "", *(f"{one.findtext('name')}-{v.text}" for v in one.findall("version"))]
            for one in root.iter("language")
        ]
        return [value for value in chain(*found) if value != "PostgreSQL-17"]
    formats = root.iter("outputFormat")
    return list(
        chain(*([one.findtext("mime") or "", *(a.text or "" for a in one.findall("alias"))] for one in formats))
    )


def refused(answer: requests.Response) -> bool:
    """Clients of cone searches read why one failed only from what HTTP calls a success."""
    return answer.status_code == 400 or (answer.status_code == 200 and 'name="Error"' in answer.text)


def named(one: Enumerated) -> str:
    return f"{one.method} {one.path if isinstance(one.path, str) else 'a job'} {one.name}"


@pytest.mark.parametrize("parameter", PARAMETERS, ids=named)
def test_what_is_enumerated_is_taken(archive: Archive, parameter: Enumerated) -> None:
    right = announced(archive, parameter.name) if parameter.right is None else parameter.right
    assert right
    for value in right:
        answer = parameter.ask(archive, value)
        assert answer.status_code in (200, 303), (value, answer.text[:300])
        assert not refused(answer), (value, answer.text[:300])


@pytest.mark.parametrize("parameter", PARAMETERS, ids=named)
def test_what_is_not_enumerated_is_refused(archive: Archive, parameter: Enumerated) -> None:
    for value in WRONG:
        answer = parameter.ask(archive, value)
        assert refused(answer), (value, answer.status_code, answer.text[:300])
        assert "\ufffd" not in answer.text or value == "\ufffd"


# A list may be of several phases (UWS 1.1 §2.2.2.1).
SINGLE = [one for one in PARAMETERS if (one.name, one.path, one.method) != ("PHASE", "/tap/async", "GET")]


@pytest.mark.parametrize("parameter", SINGLE, ids=named)
def test_two_different_values_are_refused_where_one_may_come(archive: Archive, parameter: Enumerated) -> None:
    right = announced(archive, parameter.name) if parameter.right is None else [*parameter.right]
    other = right[-1] if len(right) > 1 else "x"
    url = f"{archive.url}{parameter.path}" if isinstance(parameter.path, str) else parameter.path(archive)
    rest: Pairs = [(name, value) for name, value in parameter.rest.items() if name != parameter.name]
    answer = parameter.send(url, [*rest, (parameter.name, right[0]), (parameter.name.swapcase(), other)])
    assert refused(answer), (right[0], other, answer.status_code, answer.text[:300])
