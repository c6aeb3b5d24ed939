"""`/search?q=`: everything that is there from one box."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from almagest.accounts.authentication import identify
from almagest.accounts.identity import Identity
from almagest.catalogue import written
from almagest.conesearch.address import service_url
from almagest.metadata import catalogue
from almagest.metadata.catalogue import Holdings
from almagest.metadata.search import Document, Hit, Index
from almagest.pages.address import column_url, example_url, schema_url, table_url
from almagest.pages.page import page
from almagest.query import examples, resolve
from almagest.query.errors import QueryError
from almagest.query.resolve import Resolved
from almagest.vo import conesearch

MOST = 50
"""Hits on one page; whoever needs more needs another word."""

MOST_EXAMPLES = 5
MOST_CONES = 4

DEGREES = 0.1
"""Radius of the cone that is offered around a place."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the page. kind: what was found; url: its page."""

    kind: str
    document: Document
    url: str


@dataclass(frozen=True, slots=True)
class Cone:
    """What is offered around a place: the table that is asked, the query, and where the rows are as a page."""

    table: str
    query: str
    rows_url: str


@page
def search(request: HttpRequest) -> HttpResponse:
    """What the words mean: a place in the sky, tables, columns, examples."""
    text = request.GET.get("q", "").strip()
    known: dict[str, object] = {"text": text, "results": []}
    if text:
        identity = identify(request)
        holdings = catalogue.holdings(identity)
        hits = [*holdings.search(text, MOST), *_examples(holdings).find(text, MOST_EXAMPLES)]
        known["results"] = _results(sorted(hits, key=lambda hit: -hit.score))
        # Every designation and every position has a digit; other names are looked for where nothing else has them.
        place = _place(text, identity) if re.search(r"\d", text) or not known["results"] else None
        known["place"] = place
        known["cones"] = _cones(holdings, place) if place else []
        known["most"] = MOST
    return render(request, "pages/search.html", known)


@lru_cache(maxsize=8)
def _examples(holdings: Holdings) -> Index:
    return Index([Document("example", (e.id,), e.name, e.description) for e in examples.of(holdings)])


def _results(hits: list[Hit]) -> list[Result]:
    found = []
    for hit in hits:
        document = hit.document
        match document.kind, document.path:
            case "schema", (schema,):
                found.append(Result("schema", document, schema_url(schema)))
            case "table", (schema, table):
                found.append(Result("table", document, table_url(schema, table)))
            case "column", (schema, table, column):
                found.append(Result("column", document, column_url(schema, table, column)))
            case "example", (identifier,):
                found.append(Result("example", document, example_url(identifier)))
    return found


def _place(text: str, identity: Identity) -> Resolved | None:
    """The place in the sky that the text names; None where it names none, or nobody knows at the moment."""
    try:
        return resolve.resolve(text, identity)
    except QueryError:
        return None


def _cones(holdings: Holdings, place: Resolved) -> list[Cone]:
    """A cone around the place in the first tables that have a cone search, the site's main one first."""
    cones: list[Cone] = []
    for table in holdings.readable.tables:
        main = conesearch.main(table)
        if main is None:
            continue
        point = f"POINT({written(main.ra)}, {written(main.dec)})"
        query = (
            f"SELECT TOP 1000 *\nFROM {table.written}\n"
            f"WHERE 1 = CONTAINS({point}, CIRCLE({place.ra:.7f}, {place.dec:.7f}, {DEGREES:g}))"
        )
        asked = {"RA": f"{place.ra:.7f}", "DEC": f"{place.dec:.7f}", "SR": f"{DEGREES:g}", "RESPONSEFORMAT": "html"}
        if len(cones) == MOST_CONES:
            break
        cones.append(Cone(str(table), query, f"{service_url(str(table))}?{urlencode(asked)}"))
    return cones
