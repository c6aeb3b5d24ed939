"""Who may read what: the levels of schemas, tables, columns and functions, and the audience that follows from them.

Data and metadata are judged apart. What something is part of binds it: a column is read by those whom its schema, its
table and itself admit.
"""

from __future__ import annotations

from typing import Literal

from django.db.models import Model, Prefetch, QuerySet

from almagest.accounts.identity import Identity
from almagest.metadata import models
from almagest.metadata.levels import EVERYBODY, Audience, Level

Aspect = Literal["access", "metadata"]
"""Which of an object's two levels: who may read its data, or who may see that it exists."""


class Audiences:
    """Every object's audience for one aspect, as it was at one moment: three small queries, and one more for each model
    that has private rows."""

    def __init__(self, aspect: Aspect) -> None:
        self._schemas = _own(models.Schema, aspect)
        self._tables = _own(models.Table, aspect)
        self._columns = _own(models.Column, aspect)

    def table(self, row: models.Table) -> Audience:
        """Who may read, or see, the table: those whom its schema and itself admit."""
        schema = self._schemas.get(row.schema_id, EVERYBODY)
        return self._tables.get(row.pk, EVERYBODY).within(schema)

    def column(self, row: models.Column, table: Audience) -> Audience:
        """Who may read, or see, the column; table: the audience of its table."""
        return self._columns.get(row.pk, EVERYBODY).within(table)

    def closed_columns(self, identity: Identity) -> list[int]:
        """Primary keys of the columns that do not admit this identity, whatever their tables say."""
        return [key for key, audience in self._columns.items() if not audience.admits(identity)]


def described(identity: Identity) -> QuerySet[models.Table]:
    """The tables that this identity may know of, each with those of its `columns` that it may know of."""
    audiences = Audiences("metadata")
    rows = models.Table.objects.only("pk", "schema_id")
    known = [row.pk for row in rows if audiences.table(row).admits(identity)]
    columns = models.Column.objects.exclude(pk__in=audiences.closed_columns(identity)).order_by("order")
    return models.Table.objects.filter(pk__in=known).prefetch_related(Prefetch("columns", columns))


def functions(aspect: Aspect) -> dict[str, Audience]:
    """Upper-case name → audience of the functions that are not everybody's."""
    own = _own(models.Function, aspect)
    names = models.Function.objects.filter(pk__in=own).values_list("pk", "name")
    return {name.upper(): own[key] for key, name in names}


def _own(model: type[Model], aspect: Aspect) -> dict[int, Audience]:
    """Primary key → the audience that the object itself names, of those that are not public."""
    level, groups = f"{aspect}_level", f"{aspect}_groups"
    rows = model._default_manager.exclude(**{level: Level.PUBLIC}).values_list("pk", level)  # noqa: SLF001 - Django's name for it
    found = {key: Audience(Level(name)) for key, name in rows}
    private = [key for key, audience in found.items() if audience.level == Level.PRIVATE]
    if private:
        members: dict[int, set[int]] = {key: set() for key in private}
        rows = model._default_manager.filter(pk__in=private, **{f"{groups}__isnull": False})  # noqa: SLF001 - as above
        for key, group in rows.values_list("pk", groups):
            members[key].add(group)
        found.update((key, Audience(Level.PRIVATE, frozenset(ids))) for key, ids in members.items())
    return found
