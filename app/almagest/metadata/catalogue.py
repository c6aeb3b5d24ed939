"""The published metadata as the plain values that the query analyser and the protocol documents read.

A process keeps one state of all metadata, and of it what the askers see that came last. Every request asks for the
revision once, so that no state is older than the request, and hands on the `Holdings` that it got.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import Prefetch
from psycopg import Connection
from psycopg_pool import ConnectionPool

from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Column, Datatype, ForeignKey, Schema, Table
from almagest.metadata import models, tap_schema
from almagest.metadata.access import Aspect, Audiences, functions
from almagest.metadata.levels import EVERYBODY, Audience
from almagest.metadata.search import Document, Hit, Index, documents
from almagest.metadata.works import Work, work

CACHED_RIGHTS = 64
"""How many sets of rights a process keeps the holdings of: one for each set of groups that somebody has."""

Rights = tuple[bool, frozenset[int]]
"""What decides who sees what: whether somebody is logged in, and those of their groups that something names."""


class Holdings:
    """What the archive holds, at one revision of its metadata, as everybody sees it who has the same rights.

    It never changes: whatever a request says with one is said of the same state, by any process.
    """

    def __init__(self, state: _State, asker: Identity) -> None:
        """asker: anybody with these rights."""
        self._state = state
        self._asker = asker

    @property
    def changed(self) -> datetime:
        """When the metadata became as they are here."""
        return self._state.changed

    @cached_property
    def readable(self) -> Catalogue:
        """The tables and columns that the asker may read, in the site's order, TAP_SCHEMA last."""
        return self._catalogue("access")

    @cached_property
    def described(self) -> Catalogue:
        """The tables and columns that the asker may know of; some of them they may not read."""
        return self._catalogue("metadata")

    @cached_property
    def known(self) -> Catalogue:
        """The tables and columns that the asker may read or know of: whatever else is asked for does not exist."""
        return self._catalogue("access", "metadata")

    @cached_property
    def forbidden(self) -> frozenset[str]:
        """Upper-case names of the functions that the asker may not call."""
        return self._functions("access")

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Upper-case names of the functions that the asker is not told about."""
        return self._functions("metadata")

    @property
    def works(self) -> Mapping[str, Work]:
        """Every schema's work by its name, whoever may read it."""
        return self._state.works

    def table(self, schema: str, name: str) -> Table | None:
        """A table with all its columns, whoever may read it; None without one."""
        tables = (entry.table for entry in self._state.entries)
        return next((table for table in tables if (table.schema, table.name) == (schema, name)), None)

    def search(self, text: str, limit: int) -> list[Hit]:
        """The schemas, tables and columns that the asker may know of and that these words mean, best first.

        Some milliseconds; the first search of a revision makes the index, about ten seconds for 300,000 columns.
        """
        return _index(self._state).find(text, limit, self._knows)

    def _knows(self, document: Document) -> bool:
        """Whether the asker may know of something that the index holds, which is everybody's."""
        if document.kind == "schema":
            return document.name in self._schemas
        schema, name, *column = document.path
        table = self.described.table(schema, name, schema_delimited=True, name_delimited=True)
        return table is not None and (not column or table.column(column[0], delimited=True) is not None)

    @cached_property
    def _schemas(self) -> frozenset[str]:
        return frozenset(table.schema for table in self.described.tables)

    def seen_by(self, other: Identity) -> Holdings:
        """The same revision as somebody else sees it."""
        return self._state.seen_by(other)

    def _catalogue(self, *aspects: Aspect) -> Catalogue:
        seen = (entry.seen(aspects, self._asker) for entry in self._state.entries)
        return _with_tap_schema([table for table in seen if table], self._state)

    def _functions(self, aspect: Aspect) -> frozenset[str]:
        audiences = self._state.functions[aspect]
        return frozenset(name for name, audience in audiences.items() if not audience.admits(self._asker))


def holdings(identity: Identity) -> Holdings:
    """What this identity sees now. One small query when nothing changed, about ten when something did."""
    return _current().seen_by(identity)


def everything() -> tuple[Catalogue, dict[tuple[str, str, str | None], Audience]]:
    """All tables with all columns, read anew; and who may know of each: (schema, table, column or None) → audience."""
    state = _read(*_revision())
    audiences: dict[tuple[str, str, str | None], Audience] = {}
    for table in tap_schema.TABLES:
        audiences |= {(table.schema, table.name, name): EVERYBODY for name in (None, *(c.name for c in table.columns))}
    for entry in state.entries:
        table = entry.table
        audiences[table.schema, table.name, None] = entry.audience["metadata"]
        for column, audience in zip(table.columns, entry.columns["metadata"], strict=True):
            audiences[table.schema, table.name, column.name] = audience
    return _with_tap_schema([entry.table for entry in state.entries], state), audiences


def told(rows: Iterable[models.Described]) -> tuple[list[Schema], list[Table], list[tuple[Table, Column]]]:
    """What is said of these schemas, tables and columns, for TAP_SCHEMA; a table without its columns."""
    schemas: list[Schema] = []
    tables: list[Table] = []
    columns: list[tuple[Table, Column]] = []
    for row in rows:
        match row:
            case models.Schema():
                schemas.append(_schema(row))
            case models.Table():
                tables.append(_table(row, ()))
            case models.Column():
                columns.append((_table(row.table, ()), _column(row)))
    return schemas, tables, columns


@dataclass(frozen=True, slots=True)
class _Entry:
    """A table with all of its columns, and whom it and each of them admit, by aspect."""

    table: Table
    audience: dict[Aspect, Audience]
    columns: dict[Aspect, tuple[Audience, ...]]

    def seen(self, aspects: tuple[Aspect, ...], identity: Identity) -> Table | None:
        """What of it any of these aspects admits this identity to; None when that is nothing."""
        opened = [aspect for aspect in aspects if self.audience[aspect].admits(identity)]
        if not opened:
            return None
        each = zip(*(self.columns[aspect] for aspect in opened), strict=True)
        admitted = [any(audience.admits(identity) for audience in column) for column in each]
        if all(admitted):
            return self.table
        columns = tuple(column for column, may in zip(self.table.columns, admitted, strict=True) if may)
        return _without(self.table, columns) if columns else None


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """All metadata of one revision. named: the groups that any audience names; made: what askers see of it, those who
    asked longest ago first."""

    revision: int
    changed: datetime
    schemas: list[Schema]
    works: Mapping[str, Work]
    entries: list[_Entry]
    functions: dict[Aspect, dict[str, Audience]]
    named: frozenset[int]
    made: OrderedDict[Rights, Holdings] = field(default_factory=OrderedDict)

    def seen_by(self, identity: Identity) -> Holdings:
        """What this identity sees of it."""
        rights = (identity.user is not None, identity.groups & self.named)
        with _lock:
            found = self.made.setdefault(rights, Holdings(self, identity))
            self.made.move_to_end(rights)
            if len(self.made) > CACHED_RIGHTS:
                self.made.popitem(last=False)
        return found


_REVISION = f"SELECT number, changed FROM {models.Revision._meta.db_table}"  # noqa: S608, SLF001 - a table of our own, by Django's name for it
_lock = threading.Lock()
_latest: _State | None = None


@lru_cache(maxsize=1)
def _index(state: _State) -> Index:
    """Of everything; what an asker may not know of is left out of what is found."""
    return Index(documents(_with_tap_schema([entry.table for entry in state.entries], state)))


def _with_tap_schema(tables: Sequence[Table], state: _State) -> Catalogue:
    return Catalogue([*tables, *tap_schema.TABLES], [*state.schemas, tap_schema.SCHEMA])


def _current() -> _State:
    global _latest  # noqa: PLW0603 - one copy a process, replaced whole
    revision, _ = _revision()
    latest = _latest
    if latest is None or latest.revision != revision:
        with _lock:
            latest = _latest
            if latest is None or latest.revision != revision:
                latest = _latest = _read_at_once()
    return latest


def _read_at_once() -> _State:
    """All of it as of one moment, so that nothing of the next revision stands under the number of this one."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _read(*_revision())


def _revision() -> tuple[int, datetime]:
    """Every request asks, and the ORM would take longer to write this query than PostgreSQL to answer it; so would
    Django to begin and end its own connection around it, for a request that asks nothing else."""
    if connection.connection is not None:
        with connection.cursor() as cursor:
            cursor.execute(_REVISION)
            row = cursor.fetchone()
    else:
        with connection.wrap_database_errors:
            pool: ConnectionPool[Connection[Any]] = connection.pool  # type: ignore[attr-defined] # as PostgreSQL's has
            pool.open()
            with pool.connection() as pooled:
                row = pooled.execute(_REVISION).fetchone()
    number, changed = cast("tuple[int, datetime]", row)
    return number, changed


def _read(revision: int, changed: datetime) -> _State:
    tables = (
        models.Table.objects.select_related("schema")
        .prefetch_related(Prefetch("columns", models.Column.objects.order_by("order")), "foreign_keys")
        .order_by("schema__order", "schema__name", "order", "name")
    )
    audiences: dict[Aspect, Audiences] = {"access": Audiences("access"), "metadata": Audiences("metadata")}
    entries = [_entry(row, audiences) for row in tables]
    callable_: dict[Aspect, dict[str, Audience]] = {"access": functions("access"), "metadata": functions("metadata")}
    named = {group for entry in entries for columns in entry.columns.values() for a in columns for group in a.groups}
    named |= {group for entry in entries for audience in entry.audience.values() for group in audience.groups}
    rows = list(models.Schema.objects.prefetch_related("creators"))
    schemas = [_schema(row) for row in rows]
    return _State(
        revision, changed, schemas, {row.name: work(row) for row in rows}, entries, callable_, frozenset(named)
    )


def _entry(row: models.Table, audiences: dict[Aspect, Audiences]) -> _Entry:
    own = {aspect: known.table(row) for aspect, known in audiences.items()}
    columns = {
        aspect: tuple(known.column(column, own[aspect]) for column in row.columns.all())
        for aspect, known in audiences.items()
    }
    return _Entry(_table(row, row.columns.all(), row.foreign_keys.all()), own, columns)


def _schema(row: models.Schema) -> Schema:
    return Schema(row.name, row.title, row.description, row.utype or None)


def _table(row: models.Table, columns: Iterable[models.Column], keys: Iterable[models.ForeignKey] = ()) -> Table:
    return Table(
        schema=row.schema.name,
        name=row.name,
        columns=tuple(_column(column) for column in columns),
        description=row.description,
        position=(row.ra_column, row.dec_column) if row.ra_column else None,
        nrows=row.nrows,
        title=row.title,
        utype=row.utype or None,
        keys=tuple(map(_foreign_key, keys)),
        epoch=row.epoch or None,
    )


def _foreign_key(row: models.ForeignKey) -> ForeignKey:
    return ForeignKey(
        target=(row.target_schema, row.target_table),
        columns=tuple((here, there) for here, there in row.columns),
        description=row.description,
        utype=row.utype or None,
    )


def _without(table: Table, columns: tuple[Column, ...]) -> Table:
    """The table with these columns only; the position needs both of its columns."""
    names = {column.name for column in columns}
    position = table.position if table.position and names.issuperset(table.position) else None
    return replace(table, columns=columns, position=position)


def _column(row: models.Column) -> Column:
    return Column(
        name=row.name,
        datatype=cast("Datatype", row.datatype),
        arraysize=row.arraysize or None,
        xtype=row.xtype or None,
        unit=row.unit or None,
        ucd=row.ucd or None,
        utype=row.utype or None,
        description=row.description,
        principal=row.principal,
        indexed=row.indexed,
        minimum=_number(row, row.minimum),
        maximum=_number(row, row.maximum),
    )


def _number(row: models.Column, extreme: str) -> float | None:
    """An extreme of a column of numbers; whole ones exactly."""
    if not extreme or row.xtype:
        return None
    return float(extreme) if row.datatype in ("float", "double") else int(extreme)
