"""Made-up requests to everything that takes parameters: none makes the server fail, hang or tell of its inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

LIMIT = 30
"""Seconds after which an answer counts as a hang."""

INSIDE = re.compile(r"Traceback \(most recent|psycopg|site-packages|sqlglot|/app/almagest|django\.|DETAIL:|LINE \d+:")

bounded = settings(max_examples=120, deadline=None, derandomize=True, database=None)

ODD = [
    "", " ", "\0", "0", "-0", "1", "-1", "1e999", "-1e-999", "NaN", "nan", "inf", "-Infinity", "0x1F", "1_000", "٣",
    "１", "9" * 25, "9" * 5000, "1.", ".5", "+1", "1,2", "1 2", "[1,2]", "{}", "null", "None", "true", "[]", "'", '"',
    "''", "\\", "%", "%s", "%00", "%zz", "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd", "file:///etc/passwd",
    "]]>", "http://169.254.169.254/", "<script>alert(1)</script>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
    "a\r\nSet-Cookie: x=y", "\ufeff", "\ufffe", "\u202e", "\U0001f52d", "é" * 300, "x" * 70_000, "1 OR 1=1", "P1D",
    "; DROP TABLE hipparcos.main", "0) UNION SELECT usename FROM pg_user --", "pg_sleep(9)", "2000-01-01", "PENDING",
    "2000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+99:99", "-4713-01-01", "2024-02-30", "COMPLETED",
]  # fmt: skip
NO_TEXT = [
    b"\xe9",
    b"\xff\xfe",
    b"SELECT \xe9",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"1\x80",
    b"\xef\xbf",
]
"""What is no UTF-8: Latin-1, a byte order mark, a surrogate, an overlong sign, one beyond Unicode, and what is cut."""

VALUES = st.sampled_from(ODD) | st.text(max_size=40)
BYTES = st.sampled_from(NO_TEXT) | st.binary(max_size=12)

GRAMMAR = """
SELECT TOP 3 DISTINCT ALL * hip ra dec name FROM hipparcos.main openngc.objects AS t WHERE AND OR NOT NULL IS IN LIKE
BETWEEN EXISTS CASE WHEN THEN ELSE END CAST COALESCE UNION EXCEPT INTERSECT GROUP_BY ORDER_BY HAVING OFFSET WITH JOIN
ON USING POINT CIRCLE BOX POLYGON CONTAINS INTERSECTS DISTANCE AREA COORD1 CENTROID IN_UNIT ivo_hasword COUNT MAX ( ) ,
. ; = <> < >= + - / || :: 'text' 'deg' "hip" "" '' 1 0 2.5 1e308 1e999 0xFF pg_sleep pg_catalog.pg_class INTERVAL
ARRAY[1] $1 ? @ # ~ ^ ` -- /* */
"""
WORDS = st.sampled_from([word.replace("_BY", " BY") for word in GRAMMAR.split()])
QUERIES = st.lists(WORDS, min_size=1, max_size=25).map(" ".join) | st.lists(WORDS, max_size=12).map(
    lambda words: "SELECT TOP 3 hip FROM hipparcos.main WHERE " + " ".join(words)
)
KNOWN = {
    "LANG": ["ADQL", "ADQL-2.1", "PostgreSQL"],
    "QUERY": ["SELECT TOP 1 hip FROM hipparcos.main"],
    "RESPONSEFORMAT": ["votable", "csv", "tsv", "fits", "json", "application/x-votable+xml;serialization=binary"],
    "FORMAT": ["votable", "text/xml"],
    "MAXREC": ["0", "2"],
    "UPLOAD": ["", "", "", "t,param:t", "t,http://127.0.0.1:1/", "t,param:t;u,param:u", ";", ",", "t,param:"],
    "RA": ["10.68", "359.9"],
    "DEC": ["41.27", "-90"],
    "SR": ["0", "0.1", "90"],
    "VERB": ["1", "3"],
    "ID": ["1", "ivo://127.0.0.1/~?hipparcos.main/1", "ivo://127.0.0.1/~?openngc.objects/NGC0224"],
    "TABLE": ["hipparcos.main", "openngc.objects"],
    "REQUEST": ["doQuery"],
    "PHASE": ["RUN", "ABORT", "PENDING"],
    "ACTION": ["DELETE"],
    "DESTRUCTION": ["2030-01-01T00:00:00Z"],
    "EXECUTIONDURATION": ["10"],
    "WAIT": ["0"],
    "LAST": ["1"],
    "AFTER": ["2020-01-01T00:00:00Z"],
    "detail": ["min", "max"],
}
"""Values that are right, so that what stands beside them is reached too."""

FEW = {"WAIT": st.sampled_from(["", "0", "-0", "x", "1e3", "0.5", "9" * 25 + "x", "\0"])}
"""Where a value that is right may rightly take long."""

TAP = ("LANG", "QUERY", "RESPONSEFORMAT", "FORMAT", "MAXREC", "RUNID", "UPLOAD", "REQUEST", "VERSION", "TABLE_NAME")
UWS = (*TAP, "PHASE", "ACTION", "DESTRUCTION", "EXECUTIONDURATION", "LAST", "AFTER", "WAIT")
CONE = ("RA", "DEC", "SR", "VERB", "MAXREC", "RESPONSEFORMAT", "TIME", "RUNID")
LINKS = ("ID", "ID", "ID", "TABLE", "RESPONSEFORMAT", "MAXREC", "RUNID")

HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Accept-Encoding", "Authorization", "Cookie", "Range", "If-None-Match"]),
    st.sampled_from(
        ["", "*/*;q=x", "text/html", "gzip;q=0", "Basic", "Basic eDp5", "Basic ////", "Bearer x", "sessionid=x",
         "bytes=0-", "bytes=9-1,-", '"x"', "\xff\xfe", "Token " + "a" * 3000]
    ),
    max_size=2,
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One made-up request."""

    method: str
    pairs: Sequence[tuple[str, str | bytes]]
    encoding: str
    headers: dict[str, str] = field(default_factory=dict)

    def to(self, url: str) -> requests.Response:
        """The answer, which is neither a failure nor a hang, and says nothing of the server's inside."""
        answer = requests.request(
            self.method, url, headers=self.headers, allow_redirects=False, timeout=LIMIT, **self._body()
        )
        assert answer.status_code < 500, (answer.status_code, answer.text[:500])
        assert not INSIDE.search(answer.text), answer.text[:500]
        assert "Set-Cookie" not in answer.headers or "x=y" not in answer.headers["Set-Cookie"]
        if answer.content and "xml" in answer.headers.get("Content-Type", ""):
            ET.fromstring(answer.content)
        return answer

    def read_by(self, url: str) -> requests.Response:
        """The answer of a resource that reads all its parameters: what is no text is refused, whatever it is called."""
        answer = self.to(url)
        # A body of no type is no form, and nobody reads it.
        unread = self.encoding == "raw" and self.method == "POST"
        if not unread and not all(map(_is_text, chain(*self.pairs))):
            # A cone search says so in a document that HTTP calls a success; wrong credentials come first.
            assert answer.status_code in (400, 401, 413, 429) or 'name="Error"' in answer.text, answer.text[:500]
            assert self.method == "HEAD" or "UTF-8" in answer.text or answer.status_code != 400
        return answer

    def _body(self) -> dict[str, Any]:
        if self.method in ("GET", "HEAD", "DELETE"):
            return {"params": self.pairs}
        if self.encoding == "form":
            return {"data": self.pairs}
        if self.encoding == "multipart":
            return {"files": [(name, (None, _bytes(value))) for name, value in self.pairs]}
        return {"data": b"&".join(b"%s=%s" % (_bytes(name), _bytes(value)) for name, value in self.pairs)}


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace")


def _is_text(value: str | bytes) -> bool:
    try:
        _bytes(value).decode()
    except UnicodeDecodeError:
        return False
    return True


def requests_of(*names: str, methods: tuple[str, ...] = ("GET", "POST")) -> st.SearchStrategy[Sent]:
    """Requests with some of these parameters, right or odd, in any order and letter case, some of them twice."""
    sent = st.tuples(*(st.lists(_pair(name), max_size=1) for name in names)).map(lambda lists: [*chain(*lists)])
    twice = st.lists(st.sampled_from(names).flatmap(_pair), max_size=1)
    pairs = st.tuples(sent, twice).flatmap(lambda both: st.permutations(both[0] + both[1]))
    return st.builds(Sent, st.sampled_from(methods), pairs, st.sampled_from(["form", "multipart", "raw"]), HEADERS)


def _pair(name: str) -> st.SearchStrategy[tuple[str, str | bytes]]:
    spelled = st.sampled_from([name, name, name.lower(), name.title()])
    values = FEW.get(name, QUERIES | VALUES if name == "QUERY" else VALUES)
    right = st.sampled_from(KNOWN.get(name, [""]))
    return st.tuples(spelled, st.one_of(right, right, right, right, values, values, BYTES))


@bounded
@given(sent=requests_of(*TAP))
def test_synchronous_queries(archive: Archive, sent: Sent) -> None:
    sent.read_by(f"{archive.tap}/sync")


@bounded
@given(query=QUERIES, response_format=st.sampled_from(KNOWN["RESPONSEFORMAT"]))
def test_queries_that_look_like_some(archive: Archive, query: str, response_format: str) -> None:
    pairs = [("LANG", "ADQL"), ("QUERY", query), ("RESPONSEFORMAT", response_format)]
    Sent("POST", pairs, "form").to(f"{archive.tap}/sync")


@bounded
@given(sent=requests_of(*UWS, methods=("GET", "POST", "HEAD")))
def test_job_lists_and_new_jobs(archive: Archive, sent: Sent) -> None:
    sent.read_by(f"{archive.tap}/async")


PARTS = (
    "",
    "phase",
    "parameters",
    "executionduration",
    "destruction",
    "quote",
    "owner",
    "results",
    "error",
    "results/result",
)


@bounded
@given(sent=requests_of(*UWS, methods=("GET", "POST", "POST", "HEAD", "DELETE")), part=st.sampled_from(PARTS))
def test_parts_of_a_job(archive: Archive, sent: Sent, part: str) -> None:
    job = archive.submit("SELECT TOP 1 hip FROM hipparcos.main")
    sent.to(f"{job}/{part}".rstrip("/"))
    requests.delete(job, timeout=LIMIT, allow_redirects=False)


@bounded
@given(sent=requests_of(*CONE), table=st.sampled_from(["hipparcos.main", "openngc.objects", "gaiadr3.bright"]))
def test_cone_searches(archive: Archive, sent: Sent, table: str) -> None:
    sent.read_by(f"{archive.url}/conesearch/{table}")


@bounded
@given(name=st.sampled_from(["RA", "DEC", "SR", "VERB", "MAXREC", "RESPONSEFORMAT", "RUNID"]), value=VALUES)
def test_one_odd_parameter_of_a_cone_search(archive: Archive, name: str, value: str) -> None:
    right = {"RA": "10", "DEC": "20", "SR": "0.1", "MAXREC": "5"}
    Sent("GET", [*(right | {name: value}).items()], "form").to(f"{archive.url}/conesearch/hipparcos.main")


@bounded
@given(sent=requests_of(*LINKS))
def test_links(archive: Archive, sent: Sent) -> None:
    sent.read_by(f"{archive.url}/datalink/links")


@bounded
@given(username=VALUES | BYTES, password=VALUES | BYTES, encoding=st.sampled_from(["form", "multipart", "raw"]))
def test_logins(archive: Archive, username: str | bytes, password: str | bytes, encoding: str) -> None:
    answer = Sent("POST", [("username", username), ("password", password)], encoding).to(f"{archive.url}/auth/login")
    assert answer.status_code in (400, 401, 429)


ORIGINS = ["http://[", "null", "", "https://evil.example", "http://[::1", "//", "http://x:99999999"]


@pytest.mark.parametrize("name", ["Origin", "Referer"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_odd_origins(archive: Archive, name: str, origin: str) -> None:
    for path in ("/auth/login", "/auth/logout", "/tap/async"):
        headers = {name: origin, "Cookie": "almagest_session=" + "a" * 32}
        Sent("POST", [("username", "x"), ("password", "x")], "form", headers).to(f"{archive.url}{path}")


@bounded
@given(prefix=st.sampled_from(["", "ivo://127.0.0.1/~?", "ivo://127.0.0.1/~?hipparcos.main/"]), identifier=VALUES)
def test_odd_identifiers_each_get_a_row(archive: Archive, prefix: str, identifier: str) -> None:
    pairs = [("ID", prefix + identifier), ("ID", "ivo://127.0.0.1/~?openngc.objects/NGC0224")]
    answer = Sent("POST", pairs, "form").to(f"{archive.url}/datalink/links")
    assert answer.status_code == 200
    assert "NGC0224" in answer.text


ROOTS = (
    "/tap/tables/", "/tap/async/", "/tap/", "/conesearch/", "/conesearch/hipparcos.main/", "/datalink/", "/tables/",
    "/tap/async/00000000-0000-0000-0000-000000000000/", "/",
)  # fmt: skip


@bounded
@given(
    root=st.sampled_from(ROOTS),
    rest=VALUES.map(lambda text: quote(text[:2000], safe="/"))
    | st.sampled_from(["%ff%fe", "%c0%ae", "//", "%2f%2f", "%0d%0aX: y"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
)  # fmt: skip
def test_addresses(archive: Archive, root: str, rest: str, method: str) -> None:
    Sent(method, [], "form").to(f"{archive.url}{root}{rest}")


BODIES = [
    b'--x\r\nContent-Disposition: form-data; name="ID"\r\n\r\n+2AA-\\ud800\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="SR"\r\n\r\n1\r\n',
    b'--x\r\nContent-Disposition: form-data; name="ID"; filename="../x"\r\n\r\n1\r\n--x--',
    b'--x\r\nContent-Disposition: form-data; name="ID"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
    b"--x\r\n\r\n",
    b"ID=%ff%fe&QUERY=%ff&RA=%00",
]
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
CONTENT_TYPES = [
    "", "text/xml", FORM, f"{FORM}; charset=utf-7", f"{FORM}; charset=utf-16", MULTIPART, f"{MULTIPART}; boundary=x",
    f"{MULTIPART}; boundary=x; charset=utf-7", f"{MULTIPART}; boundary=x; charset=unicode_escape",
    f"{MULTIPART}; boundary=x; charset=nonsense", f"{MULTIPART}; boundary={'x' * 300}",
]  # fmt: skip


@bounded
@given(
    path=st.sampled_from(["/tap/sync", "/tap/async", "/conesearch/hipparcos.main", "/datalink/links"]),
    content_type=st.sampled_from(CONTENT_TYPES),
    body=st.binary(max_size=200) | st.sampled_from(BODIES),
)
def test_bodies(archive: Archive, path: str, content_type: str, body: bytes) -> None:
    headers = {"Content-Type": content_type}
    answer = requests.post(f"{archive.url}{path}", body, headers=headers, timeout=LIMIT, allow_redirects=False)
    assert answer.status_code < 500, (answer.status_code, answer.text[:500])
    assert not INSIDE.search(answer.text)
