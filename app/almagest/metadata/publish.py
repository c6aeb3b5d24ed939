"""Changes to the published metadata: the one way to make them, so that no process misses one and no grant is behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import models as django
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from almagest.metadata import catalogue, grants, models, tap_schema
from almagest.metadata.models import Described

Row = TypeVar("Row", bound=django.Model)

LISTS = {"creators": "schema", "foreign_keys": "table", "examples": "table"}
"""What is described as a list of rows → what the rows call its owner."""

_STRUCTURE = frozenset({"name", "order", "access_level", "metadata_level"})
"""Fields that decide who reads what, or in which order TAP_SCHEMA has it; the others are only told."""


class Change:
    """What one transaction did.

    structure: whether something came, went, moved or changed its audience, so that the grants have to follow; told:
    the schemas, tables and columns of which something else is said now; listed: whether a list of theirs is another.
    """

    def __init__(self) -> None:
        self.structure = False
        self.listed = False
        self.told: list[Described] = []

    @property
    def made(self) -> bool:
        """Whether anything that is published differs now."""
        return self.structure or self.listed or bool(self.told)

    def save(self, rows: QuerySet[Row], key: dict[str, Any], values: dict[str, Any]) -> Row:
        """The row of `rows` with this key and these values, written only when it is new or differs.

        What an editor has said of it stays; the value is noted beside it.
        """
        row, created = rows.select_for_update().get_or_create(defaults=values, **key)
        self.structure = self.structure or created
        if not created:
            self.update(row, _left_to_description(row, values))
        return row

    def replace(
        self, rows: QuerySet[Row], wanted: Sequence[dict[str, Any]], *, key: str = "name", **owner: django.Model
    ) -> None:
        """Make `rows`, all those of one owner, exactly `wanted`. Rows that have the same `key` before and after stay
        what they are in all that `wanted` does not name: a column keeps its level when its description changes."""
        present = {getattr(row, key): row for row in rows.select_for_update()}
        gone = present.keys() - {values[key] for values in wanted}
        new = [rows.model(**owner, **values) for values in wanted if values[key] not in present]
        if gone or new:
            self._note(rows.model, structure=True)
        if gone:
            rows.filter(**{f"{key}__in": gone}).delete()
        for values in wanted:
            if values[key] in present:
                row = present[values[key]]
                self.update(row, _left_to_description(row, values))
        rows.bulk_create(new)

    def replace_list(self, owner: Described, name: str, wanted: Sequence[dict[str, Any]]) -> None:
        """Make one of LISTS what the description says, unless an editor has said it."""
        if name in owner.edited:
            _shelve(owner, {name: list(wanted)})
            return
        self.set_list(owner, name, wanted)

    def set_list(self, owner: Described, name: str, wanted: Sequence[dict[str, Any]]) -> None:
        """Make one of LISTS exactly this."""
        numbered = [{**values, "order": order} for order, values in enumerate(wanted)]
        self.replace(getattr(owner, name).all(), numbered, key="order", **{LISTS[name]: owner})

    def update(self, row: django.Model, values: Mapping[str, Any]) -> None:
        """Give the row those of these values that differ."""
        different = [name for name, value in values.items() if getattr(row, name) != value]
        if not different:
            return
        for name in different:
            setattr(row, name, values[name])
        row.save(update_fields=different)
        if isinstance(row, Described) and _STRUCTURE.isdisjoint(different):
            self.told.append(row)
        else:
            self._note(type(row), structure=not _STRUCTURE.isdisjoint(different))

    def _note(self, model: type[django.Model], *, structure: bool) -> None:
        # The keys between tables are told by TAP_SCHEMA as rows of their own; no audience depends on a list.
        if model in (models.Creator, models.Example):
            self.listed = True
        else:
            self.structure = self.structure or structure or model is models.ForeignKey


@contextmanager
def change() -> Iterator[Change]:
    """One transaction of metadata changes. When something changed, the data database follows and the revision moves on
    before it ends; one change at a time. Raises psycopg.Error, and changes nothing, when the data database is away.

    Where only something is told anew, the rows of TAP_SCHEMA that tell it are written and the grants are not looked at:
    the lock of all changes is held for milliseconds, however large the archive is.
    A crash after the grants leaves them as the change wanted them until they are synchronised again by the next sweep.
    """
    with transaction.atomic():
        models.Revision.objects.select_for_update().get()
        made = Change()
        yield made
        if made.made:
            models.Revision.objects.update(number=F("number") + 1, changed=Now())
        if made.structure:
            with grants.steward() as data:
                grants.synchronise(data)
        elif made.told:
            with grants.steward() as data:
                tap_schema.tell(data, *catalogue.told(made.told))


def _left_to_description(row: django.Model, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that no editor has said otherwise; the others are noted as what the description says."""
    edited = row.edited if isinstance(row, Described) else {}
    taken = {name: value for name, value in values.items() if name in edited}
    if isinstance(row, Described) and taken:
        _shelve(row, taken)
    return {name: value for name, value in values.items() if name not in taken}


def _shelve(row: Described, values: Mapping[str, Any]) -> None:
    if any(row.edited[name] != value for name, value in values.items()):
        row.edited = {**row.edited, **values}
        row.save(update_fields=["edited"])


def present(owner: Described, name: str) -> list[dict[str, Any]]:
    """One of LISTS as values, without places and owners."""
    rows: Iterable[django.Model] = getattr(owner, name).all()
    left_out = {"id", "order", LISTS[name]}
    return [
        {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name not in left_out}  # noqa: SLF001 - Django's name for it
        for row in rows
    ]
