"""`/search?q=`: everything that is there from one box."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from almagest.accounts.authentication import identify
from almagest.accounts.identity import Identity
from almagest.metadata import catalogue, models
from almagest.metadata.search import Document, Hit, Index
from almagest.pages.address import column_url, example_url, schema_url, table_url
from almagest.pages.page import page
from almagest.query import examples

MOST = 50
"""Hits on one page; whoever needs more needs another word."""

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the page. kind: what was found; url: its page."""

    kind: str
    document: Document
    url: str


@page
def search(request: HttpRequest) -> HttpResponse:
    """What the words mean: a place in the sky, tables, columns, examples."""
    text = request.GET.get("q", "").strip()
    known: dict[str, object] = {"text": text, "results": []}
    if text:
        identity = identify(request)
        holdings = catalogue.holdings(identity)
        hits = [*holdings.search(text, MOST), *_examples(text)]
        known["results"] = list(_results(identity, sorted(hits, key=lambda hit: -hit.score)))
        known["most"] = MOST
    return render(request, "pages/search.html", known)


def _examples(text: str) -> list[Hit]:
    rows = models.Example.objects.values_list("pk", "name", "description")
    documents = [Document("example", (str(key),), name, description) for key, name, description in rows]
    return Index(documents).find(text, MOST_EXAMPLES)


def _results(identity: Identity, hits: list[Hit]) -> list[Result]:
    keys = [int(hit.document.name) for hit in hits if hit.document.kind == "example"]
    runnable = {example.key: example.id for example in examples.visible(identity, keys=keys)} if keys else {}
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
            case "example", (key,) if int(key) in runnable:
                found.append(Result("example", document, example_url(runnable[int(key)])))
    return found
