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
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

import psycopg

from almagest.formats import LARGEST, RawBlock
from almagest.query.answers.messages import LongRowError, Message, MessageError, Messages
from almagest.query.datadb import Connection
from almagest.query.watch import watch

PIECE = 1 << 18
"""Bytes of rows to wait for before anything is done with them; the first rows of an answer wait for nothing."""

_RECEIVED = 1 << 17
"""Bytes to be woken for."""

_MOMENT_MS = 1
"""How long to wait for so many; PostgreSQL makes them in half of that, but the last ones, or if the query is slow."""

_MARGIN_SECONDS = 15.0
"""How much longer than the statement's own time limit the network may be silent."""

_CANCEL_SECONDS = 5.0

_RUN = b"B\0\0\0\x0c\0\0\0\0\0\0\0\0" + b"E\0\0\0\x09\0\0\0\0\0"
"""Bind without parameters, Execute to the end."""

_SYNC = b"S\0\0\0\x04"
_READY = b"Z\0\0\0\x05"
_IDLE = b"I"
"""What ReadyForQuery says outside a transaction."""

_BEGUN = b"T"
"""What it says inside one."""

_ROLLBACK = "ROLLBACK"


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
        self._most = most
        self._begin = begin
        self._silence = seconds + _MARGIN_SECONDS
        self._done = 0
        self._messages = Messages(binary=binary)
        self._state = _IDLE
        self._ended = False
        self._error: psycopg.Error | None = None
        self._source: _Source = (
            _Libpq(connection, statement, begin)
            if connection.pgconn.ssl_in_use
            else _Socket(connection, statement, begin, self._silence)
        )
        try:
            self._await_beginning()
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[RawBlock]:
        """Whole rows, the first as soon as they come. Raises psycopg.Error."""
        left, wanted = self._most, 1
        while not self._ended or self._messages.waiting:
            while not self._ended and (self._error or self._messages.waiting < wanted):
                self._receive(wanted - self._messages.waiting)
            self._judge()
            for block in self._messages.rows():
                given = block.part(0, min(left, len(block.starts)))
                left -= len(given.starts)
                if len(given.starts):
                    wanted = PIECE
                    yield given
        self._judge()

    def close(self) -> None:
        """Cancel what still runs, and leave the connection to libpq: idle, if libpq began no transaction, or closed."""
        if not self._ended:
            self._abandon()
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
            self._receive(1)
        if self._done < len(self._begin):
            self._judge()

    def _receive(self, wanted: int) -> None:
        """Wait for something, and take what PostgreSQL says beside the rows. Raises psycopg.Error."""
        room = self._messages.room()
        with watch().waiting(self._silence):
            size = self._source.receive(room, wanted)
        try:
            self._messages.received(size)
        except MessageError as error:
            # Where the next message begins is not known any more.
            self._connection.close()
            if isinstance(error, LongRowError):
                raise RowTooLargeError(f"a row has more than {LARGEST >> 20} MB") from error
            raise psycopg.OperationalError(f"the data database's answer cannot be read: {error}") from error
        for message in self._messages.heard():
            self._hear(message)

    def _hear(self, message: Message) -> None:
        match message.kind:
            case b"E":
                self._error = _failure(message.body)
            case b"C":
                self._done += 1
                if message.body.startswith(b"COPY "):
                    self.sent = int(message.body[5:].rstrip(b"\0"))
            case b"Z":
                self._ended = True
                self._state = message.body

    def _judge(self) -> None:
        if self._ended and self._error:
            raise self._error

    def _abandon(self) -> None:
        """Stop the statement, and read on until PostgreSQL is ready for another one; or close the connection."""
        deadline = time.monotonic() + _CANCEL_SECONDS
        try:
            if not self._connection.closed:
                self._source.cancel()
            while not (self._ended or self._connection.closed):
                self._receive(1)
                self._messages.rows()
                if time.monotonic() > deadline:
                    raise psycopg.OperationalError("the data database does not end a cancelled query")
        except psycopg.Error:
            self._connection.close()
        self._ended = True


class _Source(Protocol):
    """Where messages come from."""

    def receive(self, room: memoryview, wanted: int) -> int:
        """Put some bytes there, at least one, and no fewer than `wanted` if they come at once. Raises psycopg.Error."""

    def cancel(self) -> None:
        """Ask for the end of the statement; what comes until then is still to be received. Raises psycopg.Error."""

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

    def receive(self, room: memoryview, wanted: int) -> int:
        try:
            if self._size > PIECE and wanted > 1:
                self._sleep(min(wanted, _RECEIVED))
            size = self._socket.recv_into(room)
        except OSError as error:
            raise self._lost(error) from error
        if not size:
            raise self._lost(None)
        self._size += size
        return size

    def cancel(self) -> None:
        self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
        self._socket.settimeout(_CANCEL_SECONDS)

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
        self._pieces = self._read(connection, statement, begin)
        self._piece = b""

    def receive(self, room: memoryview, wanted: int) -> int:  # noqa: ARG002 - as the protocol says
        self._piece = self._piece or next(self._pieces)
        size = min(len(room), len(self._piece))
        room[:size], self._piece = self._piece[:size], self._piece[size:]
        return size

    def cancel(self) -> None:
        self.close()
        self._piece += _READY + _BEGUN

    def close(self) -> None:
        self._pieces.close()

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
        yield b"".join([*waiting, _completed(f"COPY {count}"), _READY, _BEGUN])


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
