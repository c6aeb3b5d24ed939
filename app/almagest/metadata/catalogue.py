"""The published metadata as the plain values that the query analyser and the protocol documents read.

A process keeps one copy of all metadata, and the catalogues of the audiences that asked last; every use asks for the
revision, so that none is older than the request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import cast

from django.db.models import Prefetch

from almagest.accounts.identity import Identity
from almagest.adql.catalogue import Catalogue, Column, Datatype, Table
from almagest.metadata import models
from almagest.metadata.access import Aspect, Audience, Audiences, functions

AUDIENCES = 64
"""How many catalogues a process keeps: one for each set of groups that somebody has."""

Key = tuple[Aspect, bool, frozenset[int]]
"""What decides a catalogue: the aspect, whether somebody is logged in, and those of his groups that something names."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A table with all of its columns, and whom it and each of them admit, by aspect."""

    table: Table
    audience: dict[Aspect, Audience]
    columns: dict[Aspect, tuple[Audience, ...]]

    def seen(self, aspect: Aspect, identity: Identity) -> Table | None:
        """What of it this identity may read, or see; None when that is nothing."""
        if not self.audience[aspect].admits(identity):
            return None
        admitted = [audience.admits(identity) for audience in self.columns[aspect]]
        if all(admitted):
            return self.table
        columns = tuple(column for column, may in zip(self.table.columns, admitted, strict=True) if may)
        return _without(self.table, columns) if columns else None


@dataclass(slots=True)
class _Snapshot:
    """All metadata of one revision. named: the groups that any audience names; made: catalogues, least used first."""

    revision: int
    entries: list[_Entry]
    functions: dict[Aspect, dict[str, Audience]]
    named: frozenset[int]
    made: OrderedDict[Key, Catalogue] = field(default_factory=OrderedDict)


_lock = threading.Lock()
_kept: _Snapshot | None = None


def visible(identity: Identity) -> Catalogue:
    """The tables and columns that this identity may read, in the site's order.

    One small query when nothing changed, about ten when something did.
    """
    return _catalogue("access", identity)


def described(identity: Identity) -> Catalogue:
    """The tables and columns that this identity may know of; some of them it may not read."""
    return _catalogue("metadata", identity)


def forbidden(identity: Identity) -> frozenset[str]:
    """Upper-case names of the functions that this identity may not call."""
    return _functions("access", identity)


def hidden(identity: Identity) -> frozenset[str]:
    """Upper-case names of the functions that this identity is not told about."""
    return _functions("metadata", identity)


def _functions(aspect: Aspect, identity: Identity) -> frozenset[str]:
    audiences = _snapshot().functions[aspect]
    return frozenset(name for name, audience in audiences.items() if not audience.admits(identity))


def _catalogue(aspect: Aspect, identity: Identity) -> Catalogue:
    snapshot = _snapshot()
    key = (aspect, identity.user is not None, identity.groups & snapshot.named)
    with _lock:
        found = snapshot.made.get(key)
        if found is None:
            found = Catalogue(table for entry in snapshot.entries if (table := entry.seen(aspect, identity)))
            snapshot.made[key] = found
            if len(snapshot.made) > AUDIENCES:
                snapshot.made.popitem(last=False)
        else:
            snapshot.made.move_to_end(key)
    return found


def _snapshot() -> _Snapshot:
    global _kept  # noqa: PLW0603 - one copy a process, replaced whole
    revision = models.Revision.objects.values_list("number", flat=True).get()
    kept = _kept
    if kept is None or kept.revision != revision:
        with _lock:
            kept = _kept
            if kept is None or kept.revision != revision:
                kept = _kept = _read(revision)
    return kept


def _read(revision: int) -> _Snapshot:
    tables = (
        models.Table.objects.select_related("schema")
        .prefetch_related(Prefetch("columns", models.Column.objects.order_by("order")))
        .order_by("schema__order", "schema__name", "order", "name")
    )
    audiences: dict[Aspect, Audiences] = {"access": Audiences("access"), "metadata": Audiences("metadata")}
    entries = [_entry(row, audiences) for row in tables]
    callable_: dict[Aspect, dict[str, Audience]] = {"access": functions("access"), "metadata": functions("metadata")}
    named = {group for entry in entries for columns in entry.columns.values() for a in columns for group in a.groups}
    named |= {group for entry in entries for audience in entry.audience.values() for group in audience.groups}
    return _Snapshot(revision, entries, callable_, frozenset(named))


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
    )
