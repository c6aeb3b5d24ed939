"""The published metadata as the plain values that the query analyser and the protocol documents read.

A process keeps one copy of all metadata, and the catalogues of the audiences that asked last; every use asks for the
revision, so that none is older than the request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from django.db import connection
from django.db.models import Prefetch

from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Column, Datatype, ForeignKey, Schema, Table
from almagest.metadata import models, tap_schema
from almagest.metadata.access import Aspect, Audiences, functions
from almagest.metadata.levels import EVERYBODY, Audience
from almagest.metadata.works import Work, work

AUDIENCES = 64
"""How many catalogues a process keeps: one for each set of groups that somebody has."""

Key = tuple[tuple[Aspect, ...], bool, frozenset[int]]
"""What decides a catalogue: aspects of which one is enough, whether somebody is logged in, and those of their groups that
something names."""


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


@dataclass(slots=True)
class _Snapshot:
    """All metadata of one revision. named: the groups that any audience names; made: catalogues, least used first."""

    revision: int
    schemas: list[Schema]
    works: Mapping[str, Work]
    entries: list[_Entry]
    functions: dict[Aspect, dict[str, Audience]]
    named: frozenset[int]
    made: OrderedDict[Key, Catalogue] = field(default_factory=OrderedDict)


_REVISION = f"SELECT number FROM {models.Revision._meta.db_table}"  # noqa: S608, SLF001 - a table of our own, by Django's name for it
_lock = threading.Lock()
_kept: _Snapshot | None = None


def visible(identity: Identity) -> Catalogue:
    """The tables and columns that this identity may read, in the site's order, TAP_SCHEMA last.

    One small query when nothing changed, about ten when something did.
    """
    return _catalogue(("access",), identity)


def described(identity: Identity) -> Catalogue:
    """The tables and columns that this identity may know of; some of them it may not read."""
    return _catalogue(("metadata",), identity)


def known(identity: Identity) -> Catalogue:
    """The tables and columns that this identity may read or know of: whatever else is asked for does not exist."""
    return _catalogue(("access", "metadata"), identity)


def everything() -> tuple[Catalogue, dict[tuple[str, str, str | None], Audience]]:
    """All tables with all columns, read anew; and who may know of each: (schema, table, column or None) → audience."""
    snapshot = _read(0)
    audiences: dict[tuple[str, str, str | None], Audience] = {}
    for table in tap_schema.TABLES:
        audiences |= {(table.schema, table.name, name): EVERYBODY for name in (None, *(c.name for c in table.columns))}
    for entry in snapshot.entries:
        table = entry.table
        audiences[table.schema, table.name, None] = entry.audience["metadata"]
        for column, audience in zip(table.columns, entry.columns["metadata"], strict=True):
            audiences[table.schema, table.name, column.name] = audience
    return _with_tap_schema([entry.table for entry in snapshot.entries], snapshot), audiences


def forbidden(identity: Identity) -> frozenset[str]:
    """Upper-case names of the functions that this identity may not call, as of the catalogue asked for last: a query
    needs that too, and one look at the revision is enough for both."""
    return _functions("access", identity)


def hidden(identity: Identity) -> frozenset[str]:
    """Upper-case names of the functions that this identity is not told about, as of the catalogue asked for last."""
    return _functions("metadata", identity)


def table(schema: str, name: str) -> Table | None:
    """A table with all its columns, whoever may read it, as of the catalogue asked for last; None without one."""
    tables = (entry.table for entry in (_kept or _snapshot()).entries)
    return next((table for table in tables if (table.schema, table.name) == (schema, name)), None)


def works() -> Mapping[str, Work]:
    """Every schema's work by its name, as of the catalogue asked for last."""
    return (_kept or _snapshot()).works


def _functions(aspect: Aspect, identity: Identity) -> frozenset[str]:
    audiences = (_kept or _snapshot()).functions[aspect]
    return frozenset(name for name, audience in audiences.items() if not audience.admits(identity))


def _catalogue(aspects: tuple[Aspect, ...], identity: Identity) -> Catalogue:
    snapshot = _snapshot()
    key = (aspects, identity.user is not None, identity.groups & snapshot.named)
    with _lock:
        found = snapshot.made.get(key)
        if found is None:
            seen = [table for entry in snapshot.entries if (table := entry.seen(aspects, identity))]
            found = _with_tap_schema(seen, snapshot)
            snapshot.made[key] = found
            if len(snapshot.made) > AUDIENCES:
                snapshot.made.popitem(last=False)
        else:
            snapshot.made.move_to_end(key)
    return found


def _with_tap_schema(tables: list[Table], snapshot: _Snapshot) -> Catalogue:
    return Catalogue([*tables, *tap_schema.TABLES], [*snapshot.schemas, tap_schema.SCHEMA])


def _snapshot() -> _Snapshot:
    global _kept  # noqa: PLW0603 - one copy a process, replaced whole
    revision = _revision()
    kept = _kept
    if kept is None or kept.revision != revision:
        with _lock:
            kept = _kept
            if kept is None or kept.revision != revision:
                kept = _kept = _read(revision)
    return kept


def _revision() -> int:
    """Every request asks, and the ORM would take longer to write this query than PostgreSQL to answer it."""
    with connection.cursor() as cursor:
        cursor.execute(_REVISION)
        return int(cursor.fetchone()[0])


def _read(revision: int) -> _Snapshot:
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
    schemas = [Schema(row.name, row.title, row.description, row.utype or None) for row in rows]
    return _Snapshot(revision, schemas, {row.name: work(row) for row in rows}, entries, callable_, frozenset(named))


def _entry(row: models.Table, audiences: dict[Aspect, Audiences]) -> _Entry:
    own = {aspect: known.table(row) for aspect, known in audiences.items()}
    columns = {
        aspect: tuple(known.column(column, own[aspect]) for column in row.columns.all())
        for aspect, known in audiences.items()
    }
    return _Entry(_table(row), own, columns)


def _table(row: models.Table) -> Table:
    return Table(
        schema=row.schema.name,
        name=row.name,
        columns=tuple(_column(column) for column in row.columns.all()),
        description=row.description,
        position=(row.ra_column, row.dec_column) if row.ra_column else None,
        nrows=row.nrows,
        title=row.title,
        utype=row.utype or None,
        keys=tuple(map(_foreign_key, row.foreign_keys.all())),
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
