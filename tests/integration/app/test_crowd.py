"""A web process whose slots for large answers are taken by slow readers: what it refuses, and what it still answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import SplitResult, urlencode, urlsplit

import pytest
import requests

from support import wire
from support.archive import Archive
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LARGE = "SELECT * FROM gaiadr3.bright"
SMALL = "SELECT TOP 1000 * FROM gaiadr3.bright"
TAKEN = 12 << 20
"""Bytes that a slow reader takes before it stops reading: enough for its answer to count as large."""

READERS = 2
"""As many large answers as a process with THREADS sends at once."""

THREADS = "5"


@pytest.fixture(scope="module")
def few(archive: Archive) -> Iterator[Archive]:
    """The archive with another web process, which has three slots, two of them for what takes long."""
    with archive.application.serving(ALMAGEST_WEB_THREADS=THREADS) as url:
        yield replace(archive, url=url)


@contextmanager
def slow_readers(archive: Archive, response_format: str = "csv", taken: int = TAKEN) -> Iterator[None]:
    """Clients that stopped in the middle of a large answer. taken: bytes that each reads before."""
    address = urlsplit(archive.tap)
    body = urlencode({"LANG": "ADQL", "QUERY": LARGE, "RESPONSEFORMAT": response_format})
    head = (
        f"POST {address.path}/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    )
    sent = f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()
    with ExitStack() as stack:
        for _ in range(READERS):
            stack.enter_context(eventually("a slot for a reader", lambda: _slow_reader(address, sent, taken)))
        yield


def _slow_reader(address: SplitResult, sent: bytes, wanted: int) -> socket.socket | None:
    """None while those of an earlier test have not given their slots back."""
    reader = socket.socket()
    # The kernel would take the whole of the answer for whoever reads fast at first.
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    reader.settimeout(60)
    reader.connect((address.hostname, address.port))
    reader.sendall(sent)
    taken = 0
    while taken < wanted and (piece := reader.recv(1 << 16)):
        taken += len(piece)
    if taken < wanted:
        reader.close()
        return None
    return reader


@pytest.fixture
def crowded(few: Archive) -> Iterator[Archive]:
    with slow_readers(few):
        yield few


def assert_told_to_come_back(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text[:500]
    assert int(answer.headers["Retry-After"]) > 0
    value, text = wire.status(answer.content)
    assert value == "ERROR"
    assert "as many large answers as this service sends at once are on their way" in text


@pytest.mark.parametrize("response_format", ["votable", "csv", "fits", "parquet"])
def test_a_large_answer_is_refused_before_its_first_byte(crowded: Archive, response_format: str) -> None:
    assert_told_to_come_back(crowded.query(LARGE, RESPONSEFORMAT=response_format))


@pytest.mark.parametrize(
    "query",
    [
        SMALL,
        "SELECT COUNT(*) FROM gaiadr3.bright",
        "SELECT TOP 5 * FROM gaiadr3.bright ORDER BY ra",
        "SELECT * FROM gaiadr3.bright WHERE DISTANCE(ra, dec, 56.75, 24.12) < 1",
        "SELECT ROUND(ra) AS r, COUNT(*) AS n FROM gaiadr3.bright GROUP BY ROUND(ra)",
        "SELECT TAP_SCHEMA.tables.table_name FROM TAP_SCHEMA.tables",
    ],
)
def test_small_ones_are_answered(crowded: Archive, query: str) -> None:
    answer = crowded.query(query)
    assert answer.status_code == 200, answer.text
    assert wire.status(answer.content)[0] == "OK"


def test_a_limit_makes_a_large_answer_a_small_one(crowded: Archive) -> None:
    answer = crowded.query(LARGE, MAXREC="1000")
    assert (answer.status_code, wire.status(answer.content)[0]) == (200, "OVERFLOW")
    assert crowded.query(LARGE, MAXREC="0").status_code == 200


def test_a_query_that_fails_is_its_authors_mistake(crowded: Archive) -> None:
    answer = crowded.query("SELECT 1 / 0 AS x FROM gaiadr3.bright")
    assert answer.status_code == 400
    assert "division by zero" in wire.status(answer.content)[1]


@pytest.mark.parametrize(("query", "status"), [("SELECT * FROM TAP_UPLOAD.t", 200), (f"{LARGE}, TAP_UPLOAD.t", 503)])
def test_a_query_that_brings_a_table_is_no_exception(crowded: Archive, query: str, status: int) -> None:
    data = {"LANG": "ADQL", "QUERY": query, "UPLOAD": "t,param:t"}
    files = {"t": ("t.csv", b"a\n1\n", "text/csv")}
    answer = requests.post(f"{crowded.tap}/sync", data=data, files=files, timeout=60)
    assert answer.status_code == status, answer.text[:500]


def test_a_stored_result_is_refused_but_its_beginning_is_sent(archive: Archive, few: Archive) -> None:
    job = archive.submit(LARGE, PHASE="RUN")
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    result = f"{few.tap}/async/{job.rpartition('/')[2]}/results/result"
    whole = requests.get(result, timeout=100)
    with slow_readers(few):
        for headers in ({}, {"Range": "bytes=20000000-"}, {"Range": "bytes=-100"}):
            assert_told_to_come_back(requests.get(result, headers=headers, timeout=100))
        beginning = requests.get(result, headers={"Range": "bytes=0-99"}, timeout=100)
        assert beginning.status_code == 206
        assert beginning.content == whole.content[:100]
        assert requests.head(result, timeout=100).status_code == 200
    eventually("the result to be sent again", lambda: requests.get(result, timeout=100).content == whole.content)


def test_readers_of_what_was_counted_before_it_was_sent_are_as_many(few: Archive) -> None:
    with slow_readers(few, "fits", taken=1 << 16):
        for response_format in ("fits", "votable"):
            assert_told_to_come_back(few.query(LARGE, RESPONSEFORMAT=response_format))
        assert few.query(SMALL).status_code == 200


def test_who_waits_for_jobs_keeps_no_large_answer_away(few: Archive) -> None:
    jobs = [f"{few.tap}/async/{few.submit(SMALL).rpartition('/')[2]}" for _ in range(READERS)]
    with ThreadPoolExecutor(READERS) as pool:
        waiting = [pool.submit(requests.get, job, params={"WAIT": "20"}, timeout=60) for job in jobs]
        answers = [few.query(LARGE) for _ in range(3)]
        for job in jobs:
            assert requests.delete(job, timeout=60, allow_redirects=False).status_code == 303
        wait(waiting)
    assert [wire.status(answer.content)[0] for answer in answers] == ["OK"] * 3


def test_when_the_readers_are_gone_large_answers_are_sent_again(few: Archive) -> None:
    with slow_readers(few):
        assert_told_to_come_back(few.query(LARGE))
    answer = eventually("a slot", lambda: found if (found := few.query(LARGE)).status_code == 200 else None)
    assert wire.status(answer.content)[0] == "OK"
