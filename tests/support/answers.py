"""Documents as the archive writes them, of rows that PostgreSQL makes or that are given as messages."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import psycopg

from almagest.catalogue import Column
from almagest.formats import About, Ending, Format, RawBlock, Status, negotiate
from almagest.query.answers.copying import Copied
from support.types_grammar import Table

OK: Ending = (Status.OK, "")


class Given:
    """Rows that are there already."""

    def __init__(self, blocks: Sequence[RawBlock], ending: Ending = OK, count: int | None = None) -> None:
        self.blocks = blocks
        self.count = count
        self._ending = ending

    def __iter__(self) -> Iterator[RawBlock]:
        return iter(self.blocks)

    def ending(self) -> Ending:
        return self._ending

    def spooled(self, parts: Iterable[bytes | memoryview]) -> list[bytes]:
        kept = [bytes(part) for part in parts]
        self.count = sum(len(block.starts) for block in self.blocks)
        return kept

    def announce(self, size: int) -> None:
        """Nothing speaks against any."""


NOTHING = Given((), count=0)


def text_block(*lines: bytes) -> RawBlock:
    """Lines of COPY's text formats as they come."""
    return _block([_message(line + b"\n") for line in lines])


def value_block(*rows: Sequence[bytes | None]) -> RawBlock:
    """Rows of COPY's binary format as they come, each of the bytes of its fields, None for NULL."""
    return _block([_message(struct.pack(">h", len(row)) + b"".join(map(_field, row))) for row in rows])


def document(form: Format, columns: Sequence[Column], rows: Given = NOTHING, about: About | None = None) -> bytes:
    """The whole answer."""
    return b"".join(form.document(columns, about or About(), rows))


def written(connection: psycopg.Connection[Any], name: str, table: Table) -> bytes:
    """The whole answer that has these rows, in the format of this name."""
    form = negotiate(name)
    return document(form, table.columns, copied(connection, form, table.columns, table.select()))


def copied(
    connection: psycopg.Connection[Any], form: Format, columns: Sequence[Column], sql: str, *, most: int = 1_000_000
) -> Given:
    """The rows of a SELECT as PostgreSQL sends them for a format."""
    copy = form.copy(columns)
    names = ", ".join(f"c{number}" for number in range(1, len(columns) + 1))
    statement = f"COPY (SELECT {', '.join(copy.expressions)} FROM ({sql}) AS r ({names})) TO STDOUT ({copy.options})"
    with connection.transaction():
        sent = Copied(connection, statement, binary=copy.binary, most=most, seconds=60)
        try:
            return Given(list(sent.blocks()), count=sent.sent)
        finally:
            sent.close()


def _block(messages: Sequence[bytes]) -> RawBlock:
    starts = np.cumsum([0, *map(len, messages)][:-1])
    return RawBlock(b"".join(messages), starts.astype(np.intp))


def _field(value: bytes | None) -> bytes:
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value


def _message(payload: bytes) -> bytes:
    return b"d" + struct.pack(">I", len(payload) + 4) + payload
