"""Many clients at once, over bare sockets: http.client would spend more than the service on a short answer."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

from load.bench.client import BenchError, ask

READ = 1 << 20
LAST = b"\r\n0\r\n\r\n"
"""How a chunked body ends. Of lines that end in CR LF only one that is nothing but `0` could look alike."""


class Wire:
    """One connection at a time that asks and reads whole answers, as little as HTTP/1.1 allows."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 80)
        self._open()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and raw answer, head and all."""
        self.socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._read()
        head, _, body = received.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            while not body.endswith(LAST):
                body += self._read()
        else:
            length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += self._read()
        if b"\r\nconnection: close" in lower:  # nginx, after a thousand answers
            self.close()
            self._open()
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        self.socket.close()

    def _open(self) -> None:
        self.socket = socket.create_connection(self._server, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _read(self) -> bytes:
        data = self.socket.recv(READ)
        if not data:
            raise BenchError("the service closed the connection in the middle of an answer")
        return data


def storm(url: str, requests: list[bytes], clients: int, seconds: float) -> list[float]:
    """Seconds of every answer that so many clients got in that time. Raises BenchError unless all are 200."""
    times: list[float] = []
    failures: list[str] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        wire = Wire(url)
        at = number * 7919
        try:
            while time.perf_counter() < until and not failures:
                began = time.perf_counter()
                at += 1
                status, body = wire.ask(requests[at % len(requests)])
                if status == 200:
                    times.append(time.perf_counter() - began)
                else:
                    failures.append(f"HTTP {status}: {body[:200]!r}")
        except (BenchError, OSError) as error:
            failures.append(str(error))
        finally:
            wire.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise BenchError(failures[0])
    return times


def counted_csv(tap: str, query: str, most: int) -> int:
    """Rows of a large answer, thrown away as they come: all, or about as many as come in the time of a sync query
    (HTTP's frame has lines too). most: how many there are.

    Raises BenchError when the answer breaks off.
    """
    wire = Wire(tap)
    try:
        wire.socket.sendall(ask(tap, query, MAXREC="10000000"))
        lines, last = 0, b""
        while not last.endswith(LAST):
            data = wire.socket.recv(READ)
            if not data:
                raise BenchError("the service closed the connection in the middle of an answer")
            lines += data.count(b"\r\n")
            last = (last + data)[-len(LAST) :]
    finally:
        wire.close()
    return min(lines, most)
