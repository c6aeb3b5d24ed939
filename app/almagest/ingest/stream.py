"""Rows into a table while the next ones are decoded: one thread makes them, one for each connection sends them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from typing import Any

from psycopg import Connection
from psycopg.sql import Composed

from almagest.formats import pgcopy

AHEAD = 3
"""Blocks that wait to be sent: each holds a few MB, and the sender never waits for the decoder's next one."""


class StoppedError(Exception):
    """Another stream failed; this one ends without its rows."""


def copy(connections: Sequence[Connection[Any]], statement: Composed, rows: Iterator[bytes]) -> None:
    """Send `rows`, pieces of pgcopy.encode, through one binary COPY on each connection, whichever is free.

    Every connection is in a transaction, and all end or all raise: the first failure ends the other streams too.
    """
    with ThreadPoolExecutor(1 + len(connections), "copy") as pool:
        ready = _Ready(pool, rows)
        streams = [pool.submit(_stream, connection, statement, ready) for connection in connections]
        whole = False
        try:
            done, unfinished = wait(streams, return_when=FIRST_EXCEPTION)
            whole = not unfinished and not any(stream.exception() for stream in done)
        finally:
            if not whole:  # also when somebody pressed Ctrl-C: the pool waits for its threads
                ready.stop()
    _raise_first(streams)


def _stream(connection: Connection[Any], statement: Composed, ready: _Ready) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        target.write(pgcopy.HEADER)
        while (piece := ready.next()) is not None:
            target.write(piece)
        target.write(pgcopy.TRAILER)


def _raise_first(streams: Sequence[Future[None]]) -> None:
    """Raise what went wrong, rather than what was stopped because of it."""
    failures = [failure for stream in streams if (failure := stream.exception())]
    for failure in sorted(failures, key=lambda failure: isinstance(failure, StoppedError)):
        raise failure


class _Ready:
    """Pieces that a thread takes from an iterator, a few ahead of those who ask for them."""

    def __init__(self, pool: Executor, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._queue: queue.Queue[bytes | None] = queue.Queue(AHEAD)
        self._stopped = threading.Event()
        self._filling = pool.submit(self._fill)

    def next(self) -> bytes | None:
        """The next piece, None after the last. Raises what the iterator raised, and StoppedError after `stop`."""
        while not self._stopped.is_set():
            try:
                piece = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if piece is None:
                self._put(None)  # for whoever else asks
                self._filling.result()
            return piece
        raise StoppedError

    def stop(self) -> None:
        """Give no more pieces, and take none."""
        self._stopped.set()

    def _fill(self) -> None:
        try:
            for piece in self._pieces:
                if not self._put(piece):
                    return
        finally:
            self._put(None)

    def _put(self, piece: bytes | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(piece, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
