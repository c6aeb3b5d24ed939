"""Changes to the published metadata: the one way to make them, so that no process misses one and no grant is behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import models as django
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from almagest.metadata import grants, models

Row = TypeVar("Row", bound=django.Model)


class Change:
    """What one transaction did. `made` is whether any row differs now."""

    def __init__(self) -> None:
        self.made = False

    def save(self, rows: QuerySet[Row], key: dict[str, Any], values: dict[str, Any]) -> Row:
        """The row of `rows` with this key and these values, written only when it is new or differs."""
        row, created = rows.select_for_update().get_or_create(defaults=values, **key)
        self.made = self.made or created
        if not created:
            self._update(row, values)
        return row

    def replace(
        self, rows: QuerySet[Row], wanted: Sequence[dict[str, Any]], *, key: str = "name", **owner: django.Model
    ) -> None:
        """Make `rows`, all those of one owner, exactly `wanted`. Rows that have the same `key` before and after stay
        what they are in all that `wanted` does not name: a column keeps its level when its description changes."""
        present = {getattr(row, key): row for row in rows.select_for_update()}
        gone = present.keys() - {values[key] for values in wanted}
        new = [rows.model(**owner, **values) for values in wanted if values[key] not in present]
        self.made = self.made or bool(gone or new)
        if gone:
            rows.filter(**{f"{key}__in": gone}).delete()
        for values in wanted:
            if values[key] in present:
                self._update(present[values[key]], values)
        rows.bulk_create(new)

    def _update(self, row: django.Model, values: dict[str, Any]) -> None:
        different = [name for name, value in values.items() if getattr(row, name) != value]
        if different:
            for name in different:
                setattr(row, name, values[name])
            row.save(update_fields=different)
            self.made = True


@contextmanager
def change() -> Iterator[Change]:
    """One transaction of metadata changes. When something changed, the grants follow and the revision moves on before
    it ends; one change at a time. Raises psycopg.Error, and changes nothing, when the data database is away.

    A crash after the grants leaves them as the change wanted them until they are synchronised again by the next sweep.
    """
    with transaction.atomic():
        models.Revision.objects.select_for_update().get()
        made = Change()
        yield made
        if made.made:
            models.Revision.objects.update(number=F("number") + 1, changed=Now())
            with grants.steward() as data:
                grants.synchronise(data)
