"""What this machine needs for the least of each kind of work, measured in the same run as what is held against it.

A figure says nothing on another machine, a multiple does: the proxy's own answer, an answer of an empty WSGI
application, and a round trip to the database are what every answer is made of, and `\\copy` is what a table is made of.
They are measured in turn with the figures, so that whatever else the machine does slows both.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from load.bench import archive
from load.bench.client import BenchError, Client
from support.waiting import eventually

STATIC = "/health/proxy"
"""nginx answers it from its configuration (operator/almagest_operator/desired/nginx.py)."""
TRIPS = 500
WAITS = 2
"""Round trips of a short query: the beginning of its transaction with its rights, and the query itself."""


@dataclass
class Yardsticks:
    """Clients of the proxy and of the empty application, each over one kept connection; URLs that crowds ask."""

    static_url: str
    bare_url: str
    _static: Client = field(repr=False)
    _bare: Client = field(repr=False)

    def static(self) -> float:
        """Seconds of nginx's own answer."""
        return _seconds(self._static, self.static_url)

    def bare(self) -> float:
        """Seconds of an answer of the empty WSGI application."""
        return _seconds(self._bare, self.bare_url)

    def document(self) -> float:
        """Seconds of the least answer through proxy and application."""
        return self.static() + self.bare()

    def short_query(self) -> float:
        """Seconds of the least that a query waits for in the data database."""
        return WAITS * self.trip()

    def trip(self) -> float:
        """Seconds of one round trip to the data database, over one connection."""
        return archive.seconds("SELECT 1;\n" * TRIPS) / TRIPS


def _seconds(client: Client, url: str) -> float:
    answer = client.request("GET", url)
    if answer.status != 200:
        raise BenchError(f"HTTP {answer.status} from {url}")
    return answer.total


@contextmanager
def yardsticks(tap: str) -> Iterator[Yardsticks]:
    """The empty application runs on this machine as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    parts = urlsplit(tap)
    static, bare = f"{parts.scheme}://{parts.netloc}{STATIC}", f"http://127.0.0.1:{port}/"
    server = subprocess.Popen([sys.executable, "-m", "load.bench.bare", str(port)])
    try:
        eventually("the empty application", lambda: _answers(port), within=30)
        yield Yardsticks(static, bare, Client(static), Client(bare))
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    return True


def in_turn(
    ours: Callable[[int], float], yardstick: Callable[[], float], repeat: int, block: int = 5
) -> tuple[list[float], list[float]]:
    """Seconds of ours and of the yardstick, a few of each in turn."""
    times, least = [], []
    for i in range(repeat):
        times.append(ours(i))
        if i % block == block - 1 or i == repeat - 1:
            least += [yardstick() for _ in range(block)]
    return times, least
