"""A source's rows into their place in the data database: all of them at once, or nothing.

Everything happens in one transaction: the new table is created beside the old one, filled, indexed and analysed; then
the old one goes, the new one takes its name and its grants and the ledger its line. A process that dies
at any point leaves the old table serving. `almagest.loads`, the ledger, therefore always says exactly what is there.

Tables with positions are stored in the order of HEALPix cells: a cone then reads few pages (docs/app/ingest.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable, UniqueViolation
from psycopg.sql import SQL, Composable, Composed, Identifier

from almagest.formats import pgcopy
from almagest.formats.block import Block, Fixed, Text
from almagest.ingest.errors import IngestError
from almagest.ingest.layout import Layout
from almagest.ingest.readers import Source
from almagest.metadata import grants

PATIENCE = 2 * 3600.0
"""Seconds to wait for queries that still read the old table, longer than any queue's limit is likely to be."""

HEALPIX_ORDER = 10
"""Cells of 3.4 arcmin: finer than a page of rows on any catalogue that this order would be too coarse for."""

Report = Callable[[str, int], None]
"""Called with the step's name and the rows that are loaded so far."""


@dataclass(frozen=True)
class Loaded:
    """What the ledger says of a table. unicode_columns: texts that hold more than ASCII."""

    fingerprint: str
    nrows: int
    unicode_columns: frozenset[str]


@contextmanager
def exclusive(data: Connection[Any], table: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Let one ingest of `table` run at a time; `waiting` is called when another one does. Goes with the connection."""
    key = f"almagest.ingest {table}"
    row = data.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
    if not (row and row[0]):
        waiting()
        data.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
    try:
        yield
    finally:
        if not data.closed:
            data.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))


def present(data: Connection[Any], layout: Layout) -> Loaded | None:
    """What is in the layout's place, as the ledger tells it; None when the table is not there."""
    row = data.execute(
        """SELECT fingerprint, nrows, unicode_columns FROM almagest.loads
           WHERE schema_name = %s AND table_name = %s
             AND EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = schema_name AND tablename = table_name)""",
        (layout.schema, layout.table),
    ).fetchone()
    return Loaded(row[0], row[1], frozenset(row[2])) if row else None


def load(
    data: Connection[Any], layout: Layout, source: Source, fingerprint: str, *, published: bool, report: Report
) -> Loaded:
    """Put the rows of `source` in place as `layout`. data: autocommit, as the owner; published: who may read the old
    table may read the new one from its first moment on.

    Raises IngestError with the place of whatever cannot be loaded; the database is as before then.
    """
    new = _name(layout, "new", fingerprint)
    _require_schema(data, layout.schema)
    with data.transaction():
        data.execute("SET LOCAL synchronous_commit = on")
        data.execute("SET LOCAL maintenance_work_mem = '128MB'")
        loaded = _fill(data, layout, source, new, fingerprint, report)
        for statement in _indexes(layout, new, fingerprint):
            report("indexing", loaded.nrows)
            _index(data, statement, source)
        data.execute(SQL("ANALYZE {}").format(Identifier(layout.schema, new)))
        waiting = lambda: report("waiting for queries on the old table", loaded.nrows)  # noqa: E731 - reads as a name
        _replace(data, layout, new, waiting, published=published)
        _enter(data, layout, loaded)
    return loaded


def settle(data: Connection[Any], layout: Layout) -> None:
    """After the load: mark all rows as visible to everybody, so that the first readers need not."""
    data.execute(SQL("VACUUM {}").format(Identifier(layout.schema, layout.table)))


def _require_schema(data: Connection[Any], schema: str) -> None:
    """Create the schema when it is new, at once and by itself: two loads into one schema must not wait for each other.

    An empty schema that a failed load leaves is seen by nobody but the owner.
    """
    with data.transaction():
        data.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.schemas'))")
        data.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))


def _fill(data: Connection[Any], layout: Layout, source: Source, new: str, fingerprint: str, report: Report) -> Loaded:
    """Create the table `new` and write all rows into it, ordered by sky position when there is one."""
    if layout.position is None:
        _create(data, layout, new)
        return _copy(data, layout, source, new, fingerprint, report)
    raw = _name(layout, "raw", fingerprint)
    _create(data, layout, raw, unlogged=True)
    loaded = _copy(data, layout, source, raw, fingerprint, report)
    report("sorting by sky position", loaded.nrows)
    _create(data, layout, new)
    data.execute("SET LOCAL work_mem = '128MB'")
    data.execute(
        SQL("INSERT INTO {} SELECT * FROM {} ORDER BY healpix_nest({}, {})").format(
            Identifier(layout.schema, new), Identifier(layout.schema, raw), HEALPIX_ORDER, _point(layout.position)
        )
    )
    data.execute(SQL("DROP TABLE {}").format(Identifier(layout.schema, raw)))
    return loaded


def _create(data: Connection[Any], layout: Layout, name: str, *, unlogged: bool = False) -> None:
    columns = SQL(", ").join(
        SQL("{} {}").format(Identifier(column.name), SQL(pgcopy.sql_type(column))) for column in layout.columns
    )
    kind = SQL("UNLOGGED TABLE" if unlogged else "TABLE")
    data.execute(SQL("CREATE {} {} ({})").format(kind, Identifier(layout.schema, name), columns))


def _copy(data: Connection[Any], layout: Layout, source: Source, name: str, fingerprint: str, report: Report) -> Loaded:
    """Stream the blocks into table `name` and note which texts are not ASCII."""
    rows = 0
    unicode_columns: set[str] = set()
    copy = SQL("COPY {} FROM STDIN (FORMAT binary)").format(Identifier(layout.schema, name))
    with data.cursor() as cursor, cursor.copy(copy) as target:
        target.write(pgcopy.HEADER)
        for block in source.blocks():
            _check(block, layout, source)
            unicode_columns.update(_unicode(block, layout))
            target.write(pgcopy.encode(block))
            rows += len(block)
            report("loading", rows)
        target.write(pgcopy.TRAILER)
    if rows == 0:
        raise IngestError("has no rows", file=source.name)
    return Loaded(fingerprint, rows, frozenset(unicode_columns))


def _unicode(block: Block, layout: Layout) -> Iterator[str]:
    for column, values in zip(layout.columns, block.columns, strict=True):
        if isinstance(values, Text) and len(values.data) and values.data.max() > 127:
            yield column.name


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


def _point(position: tuple[str, str]) -> Composable:
    return SQL("spoint(radians({}), radians({}))").format(*map(Identifier, position))


def _indexes(layout: Layout, new: str, fingerprint: str) -> Iterator[Composed]:
    """The statements that index the table. Names carry the fingerprint: old and new indexes live side by side."""
    table = Identifier(layout.schema, new)
    if layout.primary_key:
        yield SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})").format(
            table, Identifier(_name(layout, "pkey", fingerprint)), Identifier(layout.primary_key)
        )
    if layout.position:
        yield SQL("CREATE INDEX {} ON {} USING gist ({})").format(
            Identifier(_name(layout, "sky", fingerprint)), table, _point(layout.position)
        )
    for number, column in enumerate(layout.indexes):
        yield SQL("CREATE INDEX {} ON {} ({})").format(
            Identifier(_name(layout, f"i{number}", fingerprint)), table, Identifier(column)
        )


def _index(data: Connection[Any], statement: Composed, source: Source) -> None:
    try:
        data.execute(statement)
    except UniqueViolation as error:
        raise IngestError(f"the primary key is not unique: {error.diag.message_detail}", file=source.name) from error


def _replace(data: Connection[Any], layout: Layout, new: str, waiting: Callable[[], None], *, published: bool) -> None:
    """Drop the old table and give its name to the new one; the grants are held from then on.

    A query that reads the old table holds it. Waiting for it in one go would make every later query wait behind us, so
    we try for half a second and step back for one, again and again. Raises IngestError when PATIENCE ends.
    """
    deadline = time.monotonic() + PATIENCE
    old = Identifier(layout.schema, layout.table)
    while True:
        try:
            with data.transaction():
                data.execute("SET LOCAL lock_timeout = '500ms'")
                grants.hold(data)
                if published:
                    grants.carry(data, layout.schema, layout.table, new)
                data.execute(SQL("DROP TABLE IF EXISTS {}").format(old))
                rename = SQL("ALTER TABLE {} RENAME TO {}")
                data.execute(rename.format(Identifier(layout.schema, new), Identifier(layout.table)))
        except LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise IngestError(f"queries have read {layout} for {PATIENCE / 3600:g} h without a pause") from error
            waiting()
            time.sleep(1)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise IngestError(f"{layout} cannot be replaced: {error.diag.message_detail}") from error
        else:
            return


def _enter(data: Connection[Any], layout: Layout, loaded: Loaded) -> None:
    data.execute(
        """INSERT INTO almagest.loads (schema_name, table_name, fingerprint, nrows, unicode_columns)
           VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (schema_name, table_name) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
             nrows = EXCLUDED.nrows, unicode_columns = EXCLUDED.unicode_columns, loaded_at = now()""",
        (layout.schema, layout.table, loaded.fingerprint, loaded.nrows, sorted(loaded.unicode_columns)),
    )


def _name(layout: Layout, part: str, fingerprint: str) -> str:
    """A name beside the table's own, at most 63 bytes, unique to this content."""
    return f"{layout.table[:40]}_{part}_{fingerprint[:12]}"
