"""An answer on its way: PostgreSQL's bytes inside a format's frame, pulled by whoever sends them.

The first rows are fetched before anything is promised, so what goes wrong until then is still an error document with
its status; what goes wrong later ends the document as its format can say it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import psycopg

from almagest.accounts.identity import Identity
from almagest.catalogue import Column
from almagest.formats import CHUNK, About, Ending, Format, RawBlock, Status, TooWideError
from almagest.query import datadb, limits, slots
from almagest.query.answers.copying import Copied
from almagest.query.answers.spool import Spool
from almagest.query.errors import BusyError, InternalError, QueryError, ResultLostError, TooLargeError
from almagest.query.failures import explain
from almagest.query.slots import Slot
from almagest.query.watch import StalledError, watch

_BEGINNING = 2 + limits.UPLOAD_TABLES
"""Statements before the rows, at most about as many: those that begin, and one for each table that is brought."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to send.

    sql: one SELECT whose output columns are `columns`; rows: how many to send at most; overflow: whether more than
    these exist, None to see from what the SELECT returns; count: how many it returns, where that is known; seconds:
    that it may take; sorts: how many PostgreSQL may hold in memory for it at once; advice: for when it takes longer;
    identity: whose rights it is read with, None for a stored result, which the caller has judged; bring: puts tables
    that only this query reads into its transaction, and lets the role that is named read them; lost: what to say when
    none of `count` rows is there any more; wanted: how many bytes of the document will be taken at most, None for all
    of them; settings: statements between the beginning of the transaction and the rows.
    """

    sql: str
    columns: Sequence[Column]
    rows: int
    seconds: float
    advice: str
    overflow: bool | None = None
    count: int | None = None
    identity: Identity | None = None
    bring: Callable[[datadb.Connection, str], None] | None = None
    lost: str = ""
    wanted: int | None = None
    sorts: int = 0
    settings: tuple[str, ...] = ()

    @property
    def brief(self) -> bool:
        """Whether whoever takes the document stops before it is large."""
        return self.wanted is not None and self.wanted <= limits.LARGE_BYTES

    def ending(self, *, more: bool) -> Ending:
        """How an answer ends that nothing went wrong with."""
        if more:
            return Status.OVERFLOW, f"the answer was cut at {self.rows} rows; MAXREC and TOP set the limit"
        return Status.OK, ""


class Answer:
    """A started answer: iterate once to get its chunks, close it to stop the query in PostgreSQL.

    Closing is what a web server does to an answer that was sent or whose client went away. Until then the answer has a
    slot: whoever sends it has a thread for as long.
    """

    def __init__(self, source: Source, response_format: Format, about: About = About()) -> None:
        """Run the query up to its first rows, or to its end for a format that has to know of all of them.

        Raises QueryError when the query fails before them, and when the format cannot hold such a table.
        """
        check_columns(response_format, source.columns)
        self.format = response_format
        self._source = source
        self._rows = _Rows(source, response_format)
        self._parts: Iterator[bytes] = iter(())
        try:
            with watch().step():
                self._rows.begin()
                self._parts = response_format.document(source.columns, about, self._rows)
                self._first = next(self._parts)
        except TooWideError as error:
            self.close()
            raise TooLargeError(str(error)) from error
        except StalledError as error:
            self.close()
            raise InternalError from error
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Its chunks."""
        chunks = _gathered(self._all())
        try:
            while (chunk := _next(chunks)) is not None:
                yield chunk
        except Exception:
            # The server would end what was sent so far as a whole answer.
            log.exception("an answer broke off by a mistake of ours")
            self.close()
            yield self.format.broken(str(InternalError()))

    def close(self) -> None:
        """Cancel what still runs, and give back the connection and the slot. Safe to call at any time and twice."""
        self._rows.close()

    def _all(self) -> Iterator[bytes]:
        yield self._first
        yield from self._parts


def check_columns(response_format: Format, columns: Sequence[Column]) -> None:
    """Raise TooLargeError when a table of these columns cannot be written in this format."""
    try:
        response_format.check(columns)
    except TooWideError as error:
        raise TooLargeError(str(error)) from error


class _Rows:
    """The rows as PostgreSQL makes them, to be iterated once."""

    def __init__(self, source: Source, response_format: Format) -> None:
        self.count = source.count
        self._source = source
        self._copy = response_format.copy(source.columns)
        self._more = source.rows == 0 if source.overflow is None else source.overflow
        self._failure: QueryError | None = None
        self._blocks = self._stream()
        self._first: RawBlock | None = None
        self._held = ExitStack()
        self._slot: Slot | None = None

    def begin(self) -> None:
        """Wait for the first of them. Raises QueryError."""
        self._first = self._next()
        if self._failure:
            raise self._failure
        if self._first is None and self._source.lost and self._source.count:
            raise ResultLostError(self._source.lost)

    def __iter__(self) -> Iterator[RawBlock]:
        block, self._first = self._first, None
        while block is not None:
            yield block
            block = self._next()

    def ending(self) -> Ending:
        return (Status.ERROR, str(self._failure)) if self._failure else self._source.ending(more=self._more)

    def spooled(self, parts: Iterable[bytes | memoryview]) -> Spool:
        spool = self._held.enter_context(closing(Spool(parts)))
        if self._failure:
            raise self._failure
        return spool

    def announce(self, size: int) -> None:
        if self._slot:
            self._slot.announce(size)

    def close(self) -> None:
        with self._held:
            self._blocks.close()

    def _next(self) -> RawBlock | None:
        """The next block; None at the end, and at a failure, which is kept."""
        try:
            return next(self._blocks, None)
        except psycopg.Error as error:
            gone = self._source.lost and isinstance(error, psycopg.errors.UndefinedTable)
            self._failure = ResultLostError(self._source.lost) if gone else explain(error, self._source.advice)
        except BusyError as error:
            # Its traceback would keep the rows that were held back, until the garbage collector looks.
            self._failure = error.with_traceback(None)
        except StalledError:
            self._failure = InternalError()
        return None

    def _stream(self) -> Generator[RawBlock]:
        """For no rows nothing is asked: the columns are known from the translation (DALI 1.1 §3.4.4)."""
        source = self._source
        if source.rows == 0:
            self.count = 0
            return
        # The connection goes back when all rows are there, the slot only when they have been sent.
        self._slot = slot = self._held.enter_context(slots.slot(brief=source.brief))
        with datadb.connected() as connection:
            try:
                with ExitStack() as sent:
                    try:
                        copied = self._sent(connection)
                        sent.callback(copied.close)
                        yield from slot.passed(copied.blocks())
                    except StalledError:
                        # It came anywhere, and nobody knows what is still to come from PostgreSQL.
                        connection.close()
                        raise
                self.count = min(copied.sent, source.rows)
                if source.overflow is None:
                    self._more = copied.sent > source.rows
            finally:
                if not connection.closed:
                    connection.rollback()

    def _sent(self, connection: datadb.Connection) -> Copied:
        """The statement, on its way inside a transaction: in one go wherever the transaction is nothing but that."""
        source = self._source
        if source.bring is not None:
            with watch().waiting(_BEGINNING * source.seconds):
                datadb.begin_reading_with(connection, source.identity, source.seconds, source.sorts, source.bring)
            return self._copied(connection)
        try:
            begin = datadb.reading(source.identity, source.seconds, source.sorts)
            return self._copied(connection, (*begin, *source.settings))
        except psycopg.errors.InvalidParameterValue:
            with watch().waiting(_BEGINNING * source.seconds):
                datadb.begin_reading(connection, source.identity, source.seconds, source.sorts)
                for setting in source.settings:
                    connection.execute(setting.encode())
            return self._copied(connection)

    def _copied(self, connection: datadb.Connection, begin: Sequence[str] = ()) -> Copied:
        source, binary = self._source, self._copy.binary
        return Copied(
            connection, self._statement(), binary=binary, most=source.rows, seconds=source.seconds, begin=begin
        )

    def _statement(self) -> str:
        numbered = ", ".join(f"c{number}" for number in range(1, len(self._source.columns) + 1))
        cells = ", ".join(self._copy.expressions)
        # One row too many tells that there are more.
        query = f"SELECT {cells} FROM ({self._source.sql}) AS r ({numbered}) LIMIT {self._source.rows + 1}"  # noqa: S608 - translated, never text
        return f"COPY ({query}) TO STDOUT ({self._copy.options})"


def _next(chunks: Iterator[bytes]) -> bytes | None:
    """The next one, None when there is none, made as a step of work that has to come to an end."""
    with watch().step():
        return next(chunks, None)


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes with small parts put together, so that a short answer is one chunk; those before a failure too."""
    waiting: list[bytes] = []
    size = 0
    failure: Exception | None = None
    try:
        for part in parts:
            waiting.append(part)
            size += len(part)
            if size >= CHUNK:
                yield b"".join(waiting) if len(waiting) > 1 else part
                waiting, size = [], 0
    except Exception as error:
        failure = error
    if waiting:
        yield b"".join(waiting)
    if failure:
        raise failure
