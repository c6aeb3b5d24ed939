"""Queries worth trying that came with the published tables (DALI examples 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from almagest import adql
from almagest.accounts.identity import Identity
from almagest.metadata import catalogue, models
from almagest.metadata.catalogue import Holdings
from almagest.query import limits


@dataclass(frozen=True, slots=True)
class Example:
    """A query with its explanation. id: an XML name, unique among all; tables: those that it reads, as it has to write
    their names."""

    id: str
    name: str
    description: str
    query: str
    tables: tuple[str, ...]


def visible(identity: Identity) -> tuple[Example, ...]:
    """The examples that this identity can run, in the order of their tables."""
    return of(catalogue.holdings(identity))


@lru_cache(maxsize=8)
def of(holdings: Holdings) -> tuple[Example, ...]:
    """The examples that those can run who see these holdings; they change with the other metadata only."""
    return tuple(_runnable(holdings))


def _runnable(holdings: Holdings) -> Iterator[Example]:
    tables = holdings.readable
    rows = models.Example.objects.select_related("table__schema").order_by(
        "table__schema__order", "table__schema__name", "table__order", "table__name", "order"
    )
    for row in rows:
        try:
            translation = adql.translate(row.query, tables, maxrec=limits.DEFAULT_ROWS, forbidden=holdings.forbidden)
        except adql.AdqlError:
            # It reads or calls what this identity may not, or what is not there any more.
            continue
        names = tuple(table.written for table in tables.tables if (table.schema, table.name) in translation.tables)
        yield Example(f"{row.table}-{row.order + 1}", row.name, row.description, row.query, names)
