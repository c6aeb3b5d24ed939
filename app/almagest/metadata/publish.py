"""Changes to the published metadata: the one way to make them, so that no process misses one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import models as django
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from almagest.metadata import models

Row = TypeVar("Row", bound=django.Model)


class Change:
    """What one transaction did. `made` is whether any row differs now."""

    def __init__(self) -> None:
        self.made = False

    def save(self, rows: QuerySet[Row], key: dict[str, Any], values: dict[str, Any]) -> Row:
        """The row of `rows` with this key and these values, written only when it is new or differs."""
        row, created = rows.select_for_update().get_or_create(defaults=values, **key)
        different = [name for name, value in values.items() if getattr(row, name) != value]
        if different and not created:
            for name in different:
                setattr(row, name, values[name])
            row.save(update_fields=different)
        self.made = self.made or created or bool(different)
        return row

    def replace(self, rows: QuerySet[Row], wanted: Sequence[dict[str, Any]], **owner: django.Model) -> None:
        """Make `rows`, all those of one owner, exactly `wanted` and in its order; each has the field `order`."""
        fields = wanted[0].keys() if wanted else ("order",)
        if list(rows.order_by("order").values(*fields)) != list(wanted):
            rows.delete()
            rows.bulk_create(rows.model(**owner, **row) for row in wanted)
            self.made = True


@contextmanager
def change() -> Iterator[Change]:
    """One transaction of metadata changes; the revision moves on when something changed."""
    with transaction.atomic():
        made = Change()
        yield made
        if made.made:
            models.Revision.objects.update(number=F("number") + 1, changed=Now())
