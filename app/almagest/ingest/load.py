"""A source's rows into their place in the data database: all of them at once, or nothing.

The files are staged where no reader looks (`staging`), sorted and indexed there; then one transaction drops the old
table, puts the new one in its place, gives it its grants and the ledger its line. A process that dies at any
point leaves the old table serving, and the next load goes on where it can. `almagest.loads`, the ledger, therefore
always says exactly what is there.

Tables with positions are stored in the order of HEALPix cells: a cone then reads few pages (docs/app/ingest.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from almagest.formats import pgcopy
from almagest.formats.block import Block, Fixed
from almagest.ingest import findings, indexes, stream
from almagest.ingest.errors import IngestError
from almagest.ingest.findings import Findings
from almagest.ingest.layout import Layout
from almagest.ingest.progress import Report
from almagest.ingest.readers import Source
from almagest.ingest.server import Server
from almagest.ingest.source import Files
from almagest.ingest.staging import Staging, staged, together
from almagest.metadata import grants

PATIENCE = 2 * 3600.0
"""Seconds to wait for queries that still read the old table, longer than any queue's limit is likely to be."""


@dataclass(frozen=True)
class Loaded:
    """What the ledger says of a table."""

    fingerprint: str
    nrows: int
    found: Findings


def present(data: Connection[Any], layout: Layout) -> Loaded | None:
    """What is in the layout's place, as the ledger tells it; None when the table is not there."""
    row = data.execute(
        """SELECT fingerprint, nrows, findings FROM almagest.loads
           WHERE schema_name = %s AND table_name = %s
             AND EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = schema_name AND tablename = table_name)""",
        (layout.schema, layout.table),
    ).fetchone()
    return Loaded(row[0], row[1], findings.read(layout.columns, row[1], row[2])) if row else None


def load(
    server: Server,
    data: Connection[Any],
    staging: Staging,
    source: Files,
    *,
    published: bool,
    jobs: int,
    report: Report,
) -> Loaded:
    """Put the rows of `source` in place. data: of `server`, alone; published: who may read the old table may
    read the new one from its first moment on; jobs: COPY streams and index builds at a time.

    Raises IngestError with the place of whatever cannot be loaded; the published table is as before then.
    """
    data.execute("SET synchronous_commit = on")
    try:
        found = _fill(server, data, staging, source, jobs, report)
        if staging.layout.position:
            report("sorting by sky position", found.nrows)
            staging.sort(data, staging.layout.position)
        indexes.build(server, data, staging, source.name, jobs, found.nrows, report)
    except IngestError:
        # Of several files those that are good are kept for the time when the bad one is mended.
        if len(source.parts) == 1:
            staging.clear(data)
        raise
    report("analysing", found.nrows)
    # Before anybody reads it: marks all rows as visible to everybody, so that the first readers need not.
    data.execute(SQL("VACUUM (ANALYZE) {}").format(staged(staging.ready)))
    found = found.counted(_distinct(data, staging, found.nrows))
    _publish(
        data,
        staging,
        found,
        published=published,
        waiting=lambda: report("waiting for queries on the old table", found.nrows),
    )
    return Loaded(staging.fingerprint, found.nrows, found)


def _fill(
    server: Server, data: Connection[Any], staging: Staging, source: Files, jobs: int, report: Report
) -> Findings:
    """Copy the parts that are not there yet; returns what all of them tell."""
    found = staging.resume(data)
    for number in range(len(found), len(source.parts)):
        before = sum(part.nrows for part in found)
        found.append(_copy(server, data, staging, source.parts[number], number, before, jobs, report))
    whole = together(staging.layout, found)
    if whole.nrows == 0:
        raise IngestError("has no rows", file=source.name)
    return whole


def _copy(
    server: Server,
    data: Connection[Any],
    staging: Staging,
    part: Source,
    number: int,
    before: int,
    jobs: int,
    report: Report,
) -> Findings:
    """Copy one part and enter it into the ledger, in one transaction of `data`.

    Of several streams the others commit just before: should the process die between, the count of rows tells.
    """
    taken = _Part(staging.layout, part, before, report)
    if jobs > 1:
        staging.create(data)  # committed, so that the other streams see it
    with data.transaction(), ExitStack() as others:
        staging.create(data)
        connections = [data]
        for another in range(1, jobs):
            connection = others.enter_context(server.connect(f"copy {another}"))
            others.enter_context(connection.transaction())
            connections.append(connection)
        # A table that was made in this transaction can take its rows as they will be for ever: VACUUM has no work.
        options = SQL("FORMAT binary, FREEZE" if number == 0 and jobs == 1 else "FORMAT binary")
        stream.copy(connections, SQL("COPY {} FROM STDIN ({})").format(staged(staging.heap), options), taken.rows())
        staging.enter(data, number, taken.found)
        others.close()
    return taken.found


class _Part:
    """A source on its way: checked, looked at and encoded, block after block."""

    def __init__(self, layout: Layout, source: Source, before: int, report: Report) -> None:
        self.found = findings.nothing(layout.columns)
        self._layout = layout
        self._source = source
        self._before = before
        self._report = report

    def rows(self) -> Iterator[bytes]:
        """The rows as PostgreSQL takes them; `found` is whole after the last."""
        for block in self._source.blocks():
            _check(block, self._layout, self._source)
            self.found |= findings.find(block)
            yield pgcopy.encode(block)
            self._report("loading", self._before + self.found.nrows)


def _check(block: Block, layout: Layout, source: Source) -> None:
    """Keys are there and positions are on the sphere, for which the database's own errors would name no row."""
    for column, values in zip(layout.columns, block.columns, strict=True):
        if column.name == layout.primary_key and values.null.any():
            row = block.first + int(np.argmax(values.null))
            raise IngestError("the primary key has no value", file=source.name, row=row, column=column.name)
        if layout.position and column.name in layout.position and isinstance(values, Fixed):
            limit = 90.0 if column.name == layout.position[1] else 360.0
            wrong = ~values.null & ~(np.abs(values.values) <= limit)
            if wrong.any():
                index = int(np.argmax(wrong))
                message = f"{values.values[index]} is not between −{limit:g} and {limit:g} degrees"
                raise IngestError(message, file=source.name, row=block.first + index, column=column.name)


def _distinct(data: Connection[Any], staging: Staging, rows: int) -> list[int | None]:
    """About how many values each column has, as ANALYZE estimated it (pg_stats.n_distinct: negative is a share)."""
    known = dict(
        data.execute(
            "SELECT attname, n_distinct FROM pg_stats WHERE schemaname = 'almagest' AND tablename = %s",
            (staging.ready,),
        ).fetchall()
    )
    estimates = (known.get(column.name) for column in staging.layout.columns)
    return [None if n is None else round(n if n >= 0 else -n * rows) for n in estimates]


def _publish(
    data: Connection[Any], staging: Staging, found: Findings, *, published: bool, waiting: Callable[[], None]
) -> None:
    """Everything that others see of a load, in one transaction."""
    layout = staging.layout
    _require_schema(data, layout.schema)
    with data.transaction():
        if layout.primary_key:
            data.execute(
                SQL("ALTER TABLE {} ADD PRIMARY KEY USING INDEX {}").format(
                    staged(staging.ready), Identifier(staging.index("pkey"))
                )
            )
        _replace(data, staging, waiting, published=published)
        _enter(data, staging, found)
        staging.forget(data)


def _require_schema(data: Connection[Any], schema: str) -> None:
    """Create the schema when it is new, at once and by itself: two loads into one schema must not wait for each other.

    An empty schema that a failed load leaves is seen by nobody but the owner.
    """
    with data.transaction():
        data.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.schemas'))")
        data.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))


def _replace(data: Connection[Any], staging: Staging, waiting: Callable[[], None], *, published: bool) -> None:
    """Drop the old table and put the new one in its place; the grants are held from then on.

    A query that reads the old table holds it. Waiting for it in one go would make every later query wait behind us, so
    we try for half a second and step back for one, again and again. Raises IngestError when PATIENCE ends.
    """
    deadline = time.monotonic() + PATIENCE
    layout = staging.layout
    while True:
        try:
            with data.transaction():
                data.execute("SET LOCAL lock_timeout = '500ms'")
                grants.hold(data)
                move = SQL("ALTER TABLE {} SET SCHEMA {}").format(staged(staging.ready), Identifier(layout.schema))
                data.execute(move)
                if published:
                    grants.carry(data, layout.schema, layout.table, staging.ready)
                data.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(layout.schema, layout.table)))
                new = Identifier(layout.schema, staging.ready)
                data.execute(SQL("ALTER TABLE {} RENAME TO {}").format(new, Identifier(layout.table)))
        except LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise IngestError(f"queries have read {layout} for {PATIENCE / 3600:g} h without a pause") from error
            waiting()
            time.sleep(1)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise IngestError(f"{layout} cannot be replaced: {error.diag.message_detail}") from error
        else:
            return


def _enter(data: Connection[Any], staging: Staging, found: Findings) -> None:
    layout = staging.layout
    data.execute(
        """INSERT INTO almagest.loads (schema_name, table_name, fingerprint, nrows, findings)
           VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (schema_name, table_name) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
             nrows = EXCLUDED.nrows, findings = EXCLUDED.findings, loaded_at = now()""",
        (
            layout.schema,
            layout.table,
            staging.fingerprint,
            found.nrows,
            Jsonb(findings.written(layout.columns, found)),
        ),
    )
