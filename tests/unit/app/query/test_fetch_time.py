"""A server that UPLOAD points at has its time, for all of its answer: whatever it drips, and wherever."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from almagest.query import limits
from almagest.query.errors import InvalidRequestError
from almagest.query.tables.fetch import fetched

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def server(beginning: bytes, dripped: bytes) -> Iterator[str]:
    """An address that answers with a beginning, and then with the same bytes again and again until nobody listens."""
    gone = threading.Event()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(beginning)
            while not gone.wait(0.02):
                try:
                    connection.sendall(dripped)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/t"
        finally:
            gone.set()
            thread.join()


@pytest.mark.parametrize(
    ("beginning", "dripped"),
    [
        (b"", b""),
        (HEAD + b"X-Slow: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (CHUNKED, b"0"),
        (CHUNKED + b"ffff\r\n", b"x"),
        (HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
    ],
    ids=["silence", "header", "headers", "size of a chunk", "chunk", "body", "body without a length"],
)
def test_an_answer_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch, beginning: bytes, dripped: bytes) -> None:
    monkeypatch.setattr(limits, "FETCH_SECONDS", 0.3)
    with (
        server(beginning, dripped) as url,
        pytest.raises(InvalidRequestError, match=r"took longer than 0\.3 s"),
        fetched(url, 1 << 20, HERE),
    ):
        pass


def test_an_answer_in_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FETCH_SECONDS", 20.0)
    head = HEAD + b"Content-Type: text/csv\r\nContent-Length: 4\r\n\r\n"
    with server(head, b"a\n1\n") as url, fetched(url, 1 << 20, HERE) as (file, media_type):
        assert (file.read(), media_type) == (b"a\n1\n", "text/csv")
