"""Rows off a connection as PostgreSQL writes them fastest: COPY … TO STDOUT, in pieces of many rows.

libpq hands COPY over a row at a time, and a cursor's rows too, which costs more than making the row. So the statement
is sent and its answer read on libpq's own socket, while libpq itself has nothing outstanding: it opened the connection,
proved who we are, and cancels the query. What passes it by are the messages of the extended protocol (PostgreSQL 17
§53.2.3, §53.2.6, §53.7) from the first Parse to ReadyForQuery, and nothing else; a message of this protocol takes one
statement only, whatever its text.

The transaction around a short query costs more than the query when each of its steps waits for an answer. So they all
are sent at once, and nothing is waited for but the rows. After a step that fails the server does none of the others.
Where the connection is encrypted the socket is of no use, and libpq takes the steps and its rows become messages again.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
import psycopg

from almagest.formats import LARGEST, RawBlock
from almagest.formats.messages import TRAILER, found, last_line
from almagest.query.datadb import Connection

PIECE = 1 << 18
"""Bytes to wait for before anything is done with them; the first rows of an answer wait for nothing."""

_RECEIVED = 1 << 17
"""Bytes to take at once."""

_MOMENT_MS = 1
"""How long to wait for so many; PostgreSQL makes them in half of that, but the last ones, or if the query is slow."""

_MARGIN_SECONDS = 15.0
"""How much longer than the statement's own time limit the network may be silent."""

_CANCEL_SECONDS = 5.0
_PREAMBLE = 19
"""Bytes before the first field of a binary COPY."""

_RUN = b"B\0\0\0\x0c\0\0\0\0\0\0\0\0" + b"E\0\0\0\x09\0\0\0\0\0"
"""Bind without parameters, Execute to the end."""

_SYNC = b"S\0\0\0\x04"
_READY = b"Z\0\0\0\x05"
_END = len(_READY) + 1
_IDLE = b"I"
"""What follows in ReadyForQuery outside a transaction."""

_ROLLBACK = "ROLLBACK"
_NO_PLACES = np.empty(0, np.intp)
_length = struct.Struct(">I").unpack_from


class RowTooLargeError(psycopg.DatabaseError):
    """A row is longer than any format here writes."""

    sqlstate = "54000"


class Copied:
    """The rows of a COPY … TO STDOUT.

    sent: how many rows there were, once all are read; the statement may send one more than `most`, which is dropped.
    """

    def __init__(
        self,
        connection: Connection,
        statement: str,
        *,
        binary: bool,
        most: int,
        seconds: float,
        begin: Sequence[str] = (),
    ) -> None:
        """Send the statement. seconds: its own time limit; begin: statements before it that open a transaction, which
        then ends with the rows; without them libpq has begun one, and ends it.

        Raises psycopg.Error when one of `begin` fails; nothing has been done then.
        """
        self.sent = 0
        self._connection = connection
        self._binary = binary
        self._most = most
        self._begin = begin
        self._done = 0
        self._pending = b""
        self._state = _IDLE
        self._ended = False
        self._error: psycopg.Error | None = None
        self._source: _Source = (
            _Libpq(connection, statement, begin)
            if connection.pgconn.ssl_in_use
            else _Socket(connection, statement, begin, seconds + _MARGIN_SECONDS)
        )
        try:
            self._await_beginning()
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[RawBlock]:
        """Whole rows, the first as soon as they come. Raises psycopg.Error."""
        self._judge()
        while not self._pending.startswith(b"d") and not self._ended:
            self._fill(len(self._pending) + 1)
            self._listen()
        if self._binary and not self._ended:
            self._drop_preamble()
        left, wanted = self._most, 1
        while not self._ended:
            self._fill(wanted)
            block = self._values() if self._binary else self._lines()
            if self._binary and len(block.starts) > left:
                block = block.part(0, left)
            left -= len(block.starts)
            if block.data:
                wanted = PIECE
                yield block
            if len(self._pending) > 2 * LARGEST:
                raise RowTooLargeError(f"a row has more than {LARGEST >> 20} MB")

    def close(self) -> None:
        """Cancel what still runs, and leave the connection to libpq: idle, if libpq began no transaction, or closed."""
        if not self._ended:
            self._ended = True
            self._state = self._source.abandon()
        self._source.close()
        if self._begin and self._state != _IDLE and not self._connection.closed:
            try:
                self._connection.execute(_ROLLBACK)
            except psycopg.Error:
                self._connection.close()
            self._state = _IDLE

    def _await_beginning(self) -> None:
        """Wait until the transaction has begun. Its answers come with the first rows, if nothing fails."""
        while self._done < len(self._begin) and not self._ended:
            self._fill(len(self._pending) + 1)
            self._hear()
        if self._done < len(self._begin):
            self._judge()

    def _fill(self, wanted: int) -> None:
        """Wait for so many bytes, or for the end."""
        parts, size, end = [self._pending], len(self._pending), self._pending[-_END:]
        while not end.endswith(_READY, 0, -1) and (size < wanted or len(parts) == 1):
            part = self._source.receive(wanted - size)
            parts.append(part)
            size += len(part)
            # The last message may come in two.
            end = (end + part[-_END:])[-_END:]
        self._pending = b"".join(parts)

    def _listen(self) -> None:
        """Take what is said between rows. Raises psycopg.Error at the end of a failed statement."""
        self._hear()
        self._judge()

    def _judge(self) -> None:
        if self._ended and self._error:
            raise self._error

    def _hear(self) -> None:
        data, place = self._pending, 0
        while place + 5 <= len(data) and data[place] != ord("d"):
            end = place + 1 + _length(data, place + 1)[0]
            if end > len(data):
                break
            kind, body = data[place : place + 1], data[place + 5 : end]
            if kind == b"E":
                self._error = _failure(body)
            elif kind == b"C":
                self._done += 1
                if body.startswith(b"COPY "):
                    self.sent = int(body[5:].rstrip(b"\0"))
            elif kind == b"Z":
                self._ended = True
                self._state = body
            place = end
        self._pending = data[place:]

    def _drop_preamble(self) -> None:
        """A binary COPY begins with a signature, in a message of its own or before the first row."""
        while len(self._pending) < 5 + _PREAMBLE:
            self._fill(len(self._pending) + 1)
        rest = _length(self._pending, 1)[0] - _PREAMBLE
        row = b"d" + struct.pack(">I", rest) if rest > 4 else b""
        self._pending = row + self._pending[5 + _PREAMBLE :]
        self._listen()

    def _values(self) -> RawBlock:
        """All whole rows that came."""
        starts, end = found(self._pending)
        data = self._cut(end)
        self._pending = self._pending.removeprefix(TRAILER)
        self._listen()
        return RawBlock(data, starts)

    def _lines(self) -> RawBlock:
        """All whole rows that came but for the last, until it is known whether that is one too many."""
        if not self._pending.endswith(_READY, 0, -1):
            return RawBlock(self._cut(last_line(self._pending)), _NO_PLACES)
        starts, end = found(self._pending)
        data = self._cut(end)
        self._listen()
        if self.sent > self._most:
            data = data[: int(starts[-1])]
        return RawBlock(data, _NO_PLACES)

    def _cut(self, end: int) -> memoryview:
        """What came up to there, and is not copied for that."""
        data = memoryview(self._pending)[:end]
        self._pending = self._pending[end:]
        return data


class _Source(Protocol):
    """Where messages come from."""

    def receive(self, wanted: int) -> bytes:
        """Some bytes of them, at least one, and no fewer than `wanted` if they come at once. Raises psycopg.Error."""

    def abandon(self) -> bytes:
        """Stop the statement, and let the connection be used again or close it. The state that ReadyForQuery tells."""

    def close(self) -> None:
        """Leave the connection to libpq."""


class _Socket:
    """libpq's socket."""

    def __init__(self, connection: Connection, statement: str, begin: Sequence[str], seconds: float) -> None:
        self._connection = connection
        self._socket = socket.socket(fileno=os.dup(connection.pgconn.socket))
        self._socket.settimeout(seconds)
        self._size = 0
        self._polled = select.poll()
        self._polled.register(self._socket, select.POLLIN)
        statements = (*begin, statement, _ROLLBACK) if begin else (statement,)
        try:
            self._socket.sendall(b"".join(map(_executed, statements)) + _SYNC)
        except OSError as error:
            raise self._lost(error) from error

    def receive(self, wanted: int) -> bytes:
        try:
            if self._size > PIECE and wanted > 1:
                self._sleep(min(wanted, _RECEIVED))
            data = self._socket.recv(_RECEIVED)
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost(None)
        self._size += len(data)
        return data

    def abandon(self) -> bytes:
        if self._connection.closed:
            return _IDLE
        try:
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
            self._socket.settimeout(_CANCEL_SECONDS)
            end = b""
            # The words of the error end in NUL, and nothing comes after ReadyForQuery.
            while not end.endswith(b"\0" + _READY, 0, -1):
                end = (end + self.receive(1))[-7:]
        except psycopg.Error:
            self._connection.close()
            return _IDLE
        return end[-1:]

    def close(self) -> None:
        self._socket.close()

    def _sleep(self, size: int) -> None:
        """Until so many bytes are there, or for a moment, which a short answer must not wait for.

        PostgreSQL sends 8 kB at a time. To be woken for each of them costs us more than all that is done with them, and
        PostgreSQL the time to wake us. libpq, whose socket this is, must be woken for every byte again.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
        self._polled.poll(_MOMENT_MS)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)

    def _lost(self, error: OSError | None) -> psycopg.OperationalError:
        self._connection.close()
        return psycopg.OperationalError(f"the connection to the data database was lost: {error or 'it was closed'}")


class _Libpq:
    """libpq itself, whose rows become messages again."""

    def __init__(self, connection: Connection, statement: str, begin: Sequence[str]) -> None:
        self._messages = self._read(connection, statement, begin)

    def receive(self, wanted: int) -> bytes:  # noqa: ARG002 - as the protocol says
        return next(self._messages)

    def abandon(self) -> bytes:
        self._messages.close()
        return b"T"

    def close(self) -> None:
        self._messages.close()

    def _read(self, connection: Connection, statement: str, begin: Sequence[str]) -> Generator[bytes]:
        for step in begin:
            connection.execute(step.encode())
            yield _completed(step)
        count = 0
        waiting: list[bytes] = []
        size = 0
        with connection.cursor() as cursor:
            with cursor.copy(statement.encode()) as copy:
                for row in copy:
                    waiting += (b"d", struct.pack(">I", len(row) + 4), bytes(row))
                    size += len(row) + 5
                    if size >= _RECEIVED or not count:
                        yield b"".join(waiting)
                        waiting, size = [], 0
                    count += 1
            count = cursor.rowcount
        yield b"".join([*waiting, _completed(f"COPY {count}"), _READY, b"T"])


def _executed(statement: str) -> bytes:
    """Parse, Bind and Execute."""
    parse = b"\0" + statement.encode() + b"\0\0\0"
    return b"P" + struct.pack(">I", len(parse) + 4) + parse + _RUN


def _completed(tag: str) -> bytes:
    """CommandComplete."""
    body = tag.encode() + b"\0"
    return b"C" + struct.pack(">I", len(body) + 4) + body


def _failure(body: bytes) -> psycopg.Error:
    """The exception of an ErrorResponse (§53.8)."""
    fields = {field[:1]: field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
    state = fields.get(b"C", "")
    kind: type[psycopg.Error] = psycopg.DatabaseError
    with suppress(KeyError):
        kind = psycopg.errors.lookup(state)
    return kind(fields.get(b"M", ""))
