"""Tables on their way in, in the owner's own schema, which no reader may look into, and the ledger of their parts.

A *part* is a file of the source. It comes in one transaction with its line in `almagest.parts`, so that a load that
was killed goes on after the last whole part. What a dead load left is taken up again or dropped by the next load of the
same table; nothing else ever looks at it.

Tables with positions are filled in the order of the files first, without a log of their own (UNLOGGED: a server that
crashes empties them, which the count of rows tells), and then sorted into the logged table that is to be published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier
from psycopg.types.json import Jsonb

from almagest.formats.pgcopy import sql_type
from almagest.ingest import findings
from almagest.ingest.findings import Findings
from almagest.ingest.layout import Layout
from almagest.metadata.provision import LEDGER_SCHEMA

HEALPIX_ORDER = 10
"""Cells of 3.4 arcmin: finer than a page of rows on any catalogue that this order would be too coarse for."""


@dataclass(frozen=True)
class Staging:
    """The staged tables of one load. digests: of the source's files, in order; fingerprint: of all and of the shape."""

    layout: Layout
    digests: tuple[str, ...]
    fingerprint: str

    @property
    def heap(self) -> str:
        """The table that the files are copied into; the same for every content of one shape."""
        return f"{self._prefix}in_{_mark(self.layout.fingerprint(()))}"

    @property
    def ready(self) -> str:
        """The table that will be published: the heap itself where there is no position to sort by."""
        return f"{self._prefix}sorted_{_mark(self.fingerprint)}" if self.layout.position else self.heap

    def index(self, part: str) -> str:
        """An index's name: unique in both schemas that its table sees, so that old and new live side by side."""
        return f"{self.layout.table[:40]}_{part}_{_mark(f'{self.layout} {self.fingerprint}')}"

    @property
    def _prefix(self) -> str:
        return f"load_{_mark(str(self.layout))}_"

    def resume(self, data: Connection[Any]) -> list[Findings]:
        """What the parts hold that are there already and are still wanted; everything else that is staged goes."""
        rows = data.execute(
            """SELECT shape, digest, nrows, findings FROM almagest.parts
               WHERE schema_name = %s AND table_name = %s ORDER BY number""",
            (self.layout.schema, self.layout.table),
        ).fetchall()
        digests = tuple(digest for _, digest, _, _ in rows)
        shapes = {shape for shape, _, _, _ in rows}
        if shapes == {self.layout.fingerprint(())} and digests == self.digests[: len(digests)]:
            read = [findings.read(self.layout.columns, nrows, found) for _, _, nrows, found in rows]
            if self._holds(data, read):
                return read
        self.clear(data)
        return []

    def _holds(self, data: Connection[Any], parts: Sequence[Findings]) -> bool:
        """Whether the staged table has just the rows of `parts`. A sorted one does: it came in one transaction."""
        if self.layout.position and len(parts) == len(self.digests) and exists(data, self.ready):
            return True
        if not exists(data, self.heap):
            return False
        if len(parts) < len(self.digests) and _indexed(data, self.heap):
            return (
                False  # it was whole once, with other files to come: its indexes are named for less than this content
            )
        row = data.execute(SQL("SELECT count(*) FROM {}").format(staged(self.heap))).fetchone()
        return row is not None and row[0] == sum(part.nrows for part in parts)

    def clear(self, data: Connection[Any]) -> None:
        """Drop everything that is staged for this table, of whatever content."""
        with data.transaction():
            self.forget(data)
            names = data.execute(
                """SELECT relname FROM pg_class
                   WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND starts_with(relname, %s)""",
                (LEDGER_SCHEMA, self._prefix),
            ).fetchall()
            for (name,) in names:
                data.execute(SQL("DROP TABLE {}").format(staged(name)))

    def forget(self, data: Connection[Any]) -> None:
        """Strike the parts out of the ledger: their table is in its place, or dropped."""
        data.execute(
            "DELETE FROM almagest.parts WHERE schema_name = %s AND table_name = %s",
            (self.layout.schema, self.layout.table),
        )

    def create(self, data: Connection[Any]) -> None:
        """The empty heap, unless it is there."""
        columns = SQL(", ").join(
            SQL("{} {}").format(Identifier(column.name), SQL(sql_type(column))) for column in self.layout.columns
        )
        kind = SQL("UNLOGGED TABLE" if self.layout.position else "TABLE")
        data.execute(SQL("CREATE {} IF NOT EXISTS {} ({})").format(kind, staged(self.heap), columns))

    def enter(self, data: Connection[Any], number: int, found: Findings) -> None:
        """The ledger's line of one part, in the transaction that brings its rows."""
        data.execute(
            """INSERT INTO almagest.parts (schema_name, table_name, number, shape, digest, nrows, findings)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (
                self.layout.schema,
                self.layout.table,
                number,
                self.layout.fingerprint(()),
                self.digests[number],
                found.nrows,
                Jsonb(findings.written(self.layout.columns, found)),
            ),
        )

    def sort(self, data: Connection[Any], position: tuple[str, str]) -> None:
        """Make the table to publish from the heap, in the order of HEALPix cells; nothing when it is there."""
        if exists(data, self.ready):
            return
        with data.transaction():
            data.execute("SET LOCAL work_mem = '128MB'")
            data.execute(
                SQL("CREATE TABLE {} AS SELECT * FROM {} ORDER BY healpix_nest({}, {})").format(
                    staged(self.ready), staged(self.heap), HEALPIX_ORDER, point(position)
                )
            )
            data.execute(SQL("DROP TABLE {}").format(staged(self.heap)))


def _mark(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()[:12]


def staged(name: str) -> Identifier:
    """A staged table with its schema."""
    return Identifier(LEDGER_SCHEMA, name)


def exists(data: Connection[Any], name: str) -> bool:
    """Whether there is a staged relation of this name."""
    row = data.execute(
        "SELECT 1 FROM pg_class WHERE relnamespace = %s::regnamespace AND relname = %s", (LEDGER_SCHEMA, name)
    ).fetchone()
    return row is not None


def _indexed(data: Connection[Any], name: str) -> bool:
    heap = f'{LEDGER_SCHEMA}."{name}"'
    return data.execute("SELECT 1 FROM pg_index WHERE indrelid = %s::regclass", (heap,)).fetchone() is not None


def together(layout: Layout, parts: Sequence[Findings]) -> Findings:
    """What the parts tell of the whole table."""
    return reduce(or_, parts, findings.nothing(layout.columns))


def point(position: tuple[str, str]) -> Composable:
    """A position as the sky index has it."""
    return SQL("spoint(radians({}), radians({}))").format(*map(Identifier, position))
