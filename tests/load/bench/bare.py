"""The least that a WSGI server can answer: `python -m load.bench.bare PORT`. No framework, no database, two bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from granian import Granian
from granian.constants import Interfaces


def application(environ: dict[str, object], start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    # As many threads and waiting requests as a process of the archive's own web server has.
    Granian(
        "load.bench.bare:application",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        blocking_threads=24,
        backpressure=1024,
        log_enabled=False,
        websockets=False,
    ).serve()
