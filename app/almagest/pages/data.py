"""`/data/`: schemas, tables and columns, whom to thank for them, and how to get them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from almagest.accounts.authentication import identify
from almagest.accounts.identity import Identity
from almagest.catalogue import Column, ForeignKey, Schema, Table
from almagest.conesearch.address import service_url
from almagest.config.environment import environment, site
from almagest.metadata import catalogue, citation, models
from almagest.metadata.catalogue import Holdings
from almagest.metadata.works import Work
from almagest.pages import jsonld
from almagest.pages.page import page
from almagest.query import examples
from almagest.query.answers import sample as samples
from almagest.query.errors import QueryError
from almagest.vo import conesearch, ucd

OWN_SCHEMA = "tap_schema"
"""The archive's description of itself, which is not among what it holds."""

SAMPLED_COLUMNS = 12
"""Of a wider table that has no principal ones, the first so many are looked at."""

UNKNOWN = Work("", (), "", "", "", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A schema with what is said of it, its work, and those of its tables that the asker may know of."""

    schema: Schema
    work: Work
    tables: list[Table]


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column as a row of its table's page. minimum, maximum: as a VOTable writes them; nulls: share of the rows in
    per cent, None when unknown; readable: whether the asker may read its values."""

    column: Column
    meaning: str
    readable: bool
    minimum: str = ""
    maximum: str = ""
    nulls: float | None = None
    distinct: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A foreign key as seen from the page's table. other: the table at its other end; pairs: of columns, ours first;
    outgoing: whether ours names rows of the other."""

    other: Table
    key: ForeignKey
    pairs: tuple[tuple[str, str], ...]
    outgoing: bool


def published(holdings: Holdings) -> list[Shown]:
    """The schemas that the asker may know of, without the archive's description of itself."""
    return [shown for shown in _all(holdings) if shown.schema.name != OWN_SCHEMA]


@page
def overview(request: HttpRequest) -> HttpResponse:
    """`/data/`: everything that there is."""
    schemas = list(_all(catalogue.holdings(identify(request))))
    many = sum(len(shown.tables) for shown in schemas) > 12
    return render(request, "pages/data.html", {"section": "data", "schemas": schemas, "many": many})


@page
def schema(request: HttpRequest, schema: str) -> HttpResponse:
    """`/data/<schema>/`: one work, its authors and terms, and its tables."""
    holdings = catalogue.holdings(identify(request))
    shown = next((shown for shown in _all(holdings) if shown.schema.name == schema), None)
    if shown is None:
        raise Http404(f"no schema {schema}")
    return render(
        request,
        "pages/schema.html",
        {
            "section": "data",
            "shown": shown,
            **_cited(shown.schema, shown.work),
            "jsonld": jsonld.of_schema(shown.schema, shown.work, shown.tables) if _indexed() else "",
        },
    )


@page
def table(request: HttpRequest, schema: str, table: str) -> HttpResponse:
    """`/data/<schema>/<table>/`: its columns, what its rows look like, and how to get them."""
    identity = identify(request)
    holdings = catalogue.holdings(identity)
    found = _find(holdings, schema, table)
    described = next(shown for shown in _all(holdings) if shown.schema.name == schema)
    readable = holdings.readable.table(schema, table, schema_delimited=True, name_delimited=True)
    columns = _columns(found, readable)
    return render(
        request,
        "pages/table.html",
        {
            "section": "data",
            "table": found,
            "schema": described.schema,
            "work": described.work,
            "columns": columns,
            "some_principal": not all(column.principal for column in found.columns),
            "statistics": any(shown.minimum or shown.nulls is not None for shown in columns),
            "readable": readable,
            "cone_search": f"{service_url(str(found))}?" if readable and conesearch.main(readable) else "",
            "relations": list(_relations(holdings, found)),
            "examples": [e for e in examples.of(holdings) if found.written in e.tables],
            "sample": _sample(identity, holdings, readable),
            **_cited(described.schema, described.work),
            "jsonld": jsonld.of_table(found, described.schema, described.work) if _indexed() else "",
        },
    )


def _all(holdings: Holdings) -> Iterator[Shown]:
    for schema, tables in holdings.described.schemas():
        yield Shown(schema, holdings.works.get(schema.name, UNKNOWN), tables)


def _find(holdings: Holdings, schema: str, name: str) -> Table:
    found = holdings.described.table(schema, name, schema_delimited=True, name_delimited=True)
    if found is None:
        raise Http404(f"no table {schema}.{name}")
    return found


def _indexed() -> bool:
    return environment().environment == "production"


def _cited(schema: Schema, work: Work) -> dict[str, Any]:
    """The citation as a line and as BibTeX, of a work that has an author or a title."""
    if not (work.authors or work.title):
        return {}
    publisher = site().publisher or site().title
    return {"cited": citation.line(work), "bibtex": citation.bibtex(schema.name, work, publisher)}


def _columns(table: Table, readable: Table | None) -> list[ShownColumn]:
    """The columns that the asker may know of, with what loading found out about those that they may read."""
    may = {column.name for column in readable.columns} if readable else set()
    rows = models.Column.objects.filter(table__schema__name=table.schema, table__name=table.name)
    names = ("name", "minimum", "maximum", "nulls", "distinct")
    facts = {row.name: row for row in rows.values_list(*names, named=True)}
    shown = []
    for column in table.columns:
        known = facts.get(column.name) if column.name in may else None
        meaning = ucd.meaning(column.ucd or "")
        if known is None:
            shown.append(ShownColumn(column, meaning, column.name in may))
            continue
        share = 100 * known.nulls / table.nrows if known.nulls is not None and table.nrows else None
        shown.append(
            ShownColumn(column, meaning, column.name in may, known.minimum, known.maximum, share, known.distinct)
        )
    return shown


def _relations(holdings: Holdings, table: Table) -> Iterator[Relation]:
    """The foreign keys from and to the table, of those whose both ends the asker may know of."""
    sky = holdings.described
    for key, target in sky.keys(table):
        yield Relation(target, key, key.columns, outgoing=True)
    for other in sky.tables:
        for key, target in sky.keys(other) if other.keys else ():
            if target is table:
                yield Relation(other, key, tuple((there, here) for here, there in key.columns), outgoing=False)


def _sample(identity: Identity, holdings: Holdings, table: Table | None) -> samples.Sample | None:
    """A few rows; None where the asker may read none, or there is nobody to ask at the moment."""
    if table is None or not table.columns:
        return None
    columns = table.columns
    if len(columns) > SAMPLED_COLUMNS:
        columns = tuple(column for column in columns if column.principal) or columns[:SAMPLED_COLUMNS]
    try:
        return samples.sample(identity, holdings, table, columns)
    except QueryError:
        return None
