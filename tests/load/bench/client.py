"""A client as thin as Python allows, so that what is timed is the service: one kept connection, bytes in and out."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"
READ = 1 << 18


def get(url: str) -> bytes:
    """The bytes of a request for a document."""
    parts = urlsplit(url)
    return f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


def ask(tap: str, query: str, **parameters: str) -> bytes:
    """The bytes of a request to `/sync` for CSV."""
    parts = urlsplit(tap)
    body = urlencode({"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv", **parameters})
    return (
        f"POST {parts.path}/sync HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class BenchError(Exception):
    """An answer that is not what was asked for: an error, never a time."""


@dataclass(frozen=True)
class Answer:
    """An answer read to its end. first, total: seconds from the request to the first and the last byte of the body."""

    status: int
    location: str
    chunks: list[bytes] = field(repr=False)
    first: float
    total: float

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks))


class Client:
    """Requests to one TAP service over one connection."""

    def __init__(self, tap: str) -> None:
        self.tap = tap
        parts = urlsplit(tap)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=900)

    def request(self, method: str, url: str, body: bytes | None = None, media_type: str = FORM) -> Answer:
        """The answer, redirects not followed; a connection that the service closed meanwhile is opened again."""
        try:
            return self._request(method, url, body, media_type)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            return self._request(method, url, body, media_type)

    def post(self, url: str, **parameters: str) -> Answer:
        return self.request("POST", url, urlencode(parameters).encode())

    def sync(self, query: str, form: str = "csv", **parameters: str) -> Answer:
        """The answer of `/tap/sync`. Raises BenchError when it is not 200."""
        sent = {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": form, **parameters}
        answer = self.post(f"{self.tap}/sync", **sent)
        if answer.status != 200:
            raise BenchError(f"HTTP {answer.status} for {query[:80]!r} as {form}: {answer.body[:300]!r}")
        return answer

    def close(self) -> None:
        self._connection.close()

    def _request(self, method: str, url: str, body: bytes | None, media_type: str) -> Answer:
        parts = urlsplit(url)
        headers = {"Content-Type": media_type} if body is not None else {}
        began = time.perf_counter()
        self._connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
        response = self._connection.getresponse()
        chunks: list[bytes] = []
        first = 0.0
        while chunk := response.read1(READ):
            first = first or time.perf_counter() - began
            chunks.append(chunk)
        response.close()
        total = time.perf_counter() - began
        return Answer(response.status, response.getheader("Location", ""), chunks, first or total, total)
