"""An answer on its way: PostgreSQL's bytes inside a format's frame, pulled by whoever sends them.

The first rows are fetched before anything is promised, so what goes wrong until then is still an error document with
its status; what goes wrong later ends the document as its format can say it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import psycopg

from almagest.accounts.identity import Identity
from almagest.adql.catalogue import Column
from almagest.formats import CHUNK, Format, Status
from almagest.query import datadb
from almagest.query.errors import QueryError
from almagest.query.failures import explain

ROWS_PER_BLOCK = 10_000
"""Rows that libpq hands over at once; with fewer the calls cost more than the rows (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to send.

    sql: one SELECT whose output columns are `columns`; rows: how many to send at most; overflow: whether more than
    these exist, None to see from what the SELECT returns; seconds: that it may take; advice: for when it takes longer;
    identity: whose rights it is read with, None for a stored result, which the caller has judged.
    """

    sql: str
    columns: Sequence[Column]
    rows: int
    seconds: float
    advice: str
    overflow: bool | None = None
    identity: Identity | None = None


class Answer:
    """A started answer: iterate once to get its chunks, close it to stop the query in PostgreSQL.

    Closing is what a web server does to an answer whose client went away.
    """

    def __init__(self, source: Source, response_format: Format, info: Mapping[str, str]) -> None:
        """Run the query up to its first rows. info: what the document tells about itself.

        Raises QueryError when the query fails before them.
        """
        self.format = response_format
        self._source = source
        self._info = info
        self._sent = 0
        self._more = source.rows == 0 if source.overflow is None else source.overflow
        self._failure: QueryError | None = None
        self._rows = self._stream()
        self._first = self._block()
        if self._failure:
            raise self._failure

    def __iter__(self) -> Iterator[bytes]:
        return _gathered(self._parts())

    def close(self) -> None:
        """Cancel what still runs and give the connection back. Safe to call at any time and twice."""
        self._rows.close()

    def _parts(self) -> Iterator[bytes]:
        yield self.format.header(self._source.columns, self._info)
        yield from self.format.encode(self._blocks())
        yield self.format.footer(*self._status())

    def _status(self) -> tuple[Status, str]:
        if self._failure:
            return Status.ERROR, str(self._failure)
        if self._more:
            return Status.OVERFLOW, f"the answer was cut at {self._source.rows} rows; MAXREC and TOP set the limit"
        return Status.OK, ""

    def _blocks(self) -> Iterator[bytes]:
        block, self._first = self._first, b""
        while block:
            yield block
            block = self._block()

    def _block(self) -> bytes:
        """The next rows' bytes; empty at the end, and at a failure, which is kept."""
        try:
            rows = list(islice(self._rows, ROWS_PER_BLOCK))
        except psycopg.Error as error:
            self._failure = explain(error, self._source.advice)
            return b""
        wanted = self._source.rows - self._sent
        if len(rows) > wanted:
            self._more = True
            del rows[wanted:]
        self._sent += len(rows)
        return b"".join([row for (row,) in rows])

    def _stream(self) -> Generator[tuple[bytes]]:
        """The rows as PostgreSQL makes them. For none of them nothing is asked: the columns are known from the
        translation (DALI 1.1 §3.4.4)."""
        if self._source.rows == 0:
            return
        numbered = ", ".join(f"c{number}" for number in range(1, len(self._source.columns) + 1))
        expression = self.format.row_expression(self._source.columns)
        sql = f"SELECT {expression} FROM ({self._source.sql}) AS r ({numbered})"  # noqa: S608 - translated, never text
        with datadb.reader() as connection:
            try:
                datadb.begin_reading(connection, self._source.identity, self._source.seconds)
                yield from connection.cursor().stream(sql.encode(), binary=True, size=ROWS_PER_BLOCK)
            finally:
                if not connection.closed:
                    connection.rollback()


def _gathered(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes with small parts put together, so that a short answer is one chunk."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK:
            yield b"".join(waiting) if len(waiting) > 1 else part
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
