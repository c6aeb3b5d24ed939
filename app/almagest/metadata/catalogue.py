"""The published metadata as the plain values that the query analyser and the protocol documents read."""

from __future__ import annotations

import threading
from typing import cast

from django.db.models import Prefetch

from almagest.accounts.identity import Identity
from almagest.adql.catalogue import Catalogue, Column, Datatype, ForeignKey, Schema, Table
from almagest.metadata import models, tap_schema

_lock = threading.Lock()
_kept: tuple[int, Catalogue] | None = None


def visible(identity: Identity) -> Catalogue:  # noqa: ARG001 - all that is published is public today
    """The tables that this identity may read, in the site's order, TAP_SCHEMA last.

    One small query when nothing changed, a few more when something did.
    """
    global _kept  # noqa: PLW0603 - one copy a process, replaced whole
    revision = models.Revision.objects.values_list("number", flat=True).get()
    kept = _kept
    if kept is None or kept[0] != revision:
        with _lock:
            kept = (revision, everything())
            _kept = kept
    return kept[1]


def everything() -> Catalogue:
    """All tables that anybody may read, as they are at this moment."""
    tables = (
        models.Table.objects.filter(published=True)
        .select_related("schema")
        .prefetch_related(
            Prefetch("columns", models.Column.objects.order_by("order")),
            "foreign_keys",
        )
        .order_by("schema__order", "schema__name", "order", "name")
    )
    schemas = {row.schema.name: _schema(row.schema) for row in tables}
    return Catalogue([*map(_table, tables), *tap_schema.TABLES], [*schemas.values(), tap_schema.SCHEMA])


def _schema(row: models.Schema) -> Schema:
    return Schema(row.name, row.title, row.description, row.utype or None)


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
    )


def _foreign_key(row: models.ForeignKey) -> ForeignKey:
    return ForeignKey(
        target=(row.target_schema, row.target_table),
        columns=tuple((here, there) for here, there in row.columns),
        description=row.description,
        utype=row.utype or None,
    )


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
    )
