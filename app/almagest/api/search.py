"""`/api/v1/search` and `/resolve`: finding tables, columns and examples by words, and places of the sky by name."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from almagest.api.authentication import asker
from almagest.api.face import Route, Sent, Told, ToldList, operation, parameters
from almagest.api.throttle import ResolveThrottle
from almagest.metadata import catalogue as published
from almagest.metadata.catalogue import Holdings
from almagest.metadata.search import Document, Hit, Index, documents
from almagest.pages.address import column_url, example_url, schema_url, table_url
from almagest.query import examples
from almagest.query.resolve import NAME_CHARACTERS
from almagest.query.resolve import resolve as resolved
from almagest.query.tables import jobtables


class Words(Sent):
    """What to look for."""

    q: Annotated[str, Field(max_length=200, description="words; one finds what begins with it")] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class Found(Told):
    """Something that was found. qualified: `schema.table.column`, as far as it goes; url: its page, from the site's
    address on, empty for what has none."""

    kind: Literal["schema", "table", "column", "example"]
    name: str
    qualified: str
    title: str
    description: str
    unit: str
    ucd: str
    url: str


class Hits(ToldList[Found]):
    """What was found, the best first."""


class Name(Sent):
    """What a person calls a place of the sky."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS, description="a name, or coordinates")]


class Place(Told):
    """A place of the sky. ra, dec: ICRS degrees; source: who says so."""

    name: str
    ra: float
    dec: float
    source: str


class SearchRoute(Route):
    """`/search`."""

    @operation("search", asked=Words, answers={200: Hits}, tag="tables")
    def get(self, request: Request) -> Response:
        """Schemas, tables, columns and examples that whoever asks may know of, the best first."""
        wanted, identity = parameters(request, Words), asker(request)
        holdings = published.holdings(identity)
        own = Index(documents(jobtables.own_catalogue(identity)))
        hits = [
            *holdings.search(wanted.q, wanted.limit),
            *_examples(holdings).find(wanted.q, wanted.limit),
            *own.find(wanted.q, wanted.limit),
        ]
        hits.sort(key=lambda hit: -hit.score)
        return Response([_found(hit) for hit in hits[: wanted.limit]])


class ResolveRoute(Route):
    """`/resolve`."""

    throttle_classes = (ResolveThrottle,)

    @operation("resolve", asked=Name, answers={200: Place}, tag="queries")
    def get(self, request: Request) -> Response:
        """The coordinates of an object, or of what are coordinates already."""
        found = resolved(parameters(request, Name).name, asker(request))
        return Response(Place(name=found.name, ra=found.ra, dec=found.dec, source=found.source))


@lru_cache(maxsize=8)
def _examples(holdings: Holdings) -> Index:
    return Index([Document("example", (known.id,), known.name, known.description) for known in examples.of(holdings)])


def _found(hit: Hit) -> Found:
    known = hit.document
    return Found(
        kind=known.kind,
        name=known.name,
        qualified=known.qualified,
        title=known.title,
        description=known.description,
        unit=known.unit,
        ucd=known.ucd,
        url=_page(known),
    )


def _page(known: Document) -> str:
    match known.kind, known.path:
        case _, (jobtables.SCHEMA, *_):
            return ""
        case "schema", (schema,):
            return schema_url(schema)
        case "table", (schema, table):
            return table_url(schema, table)
        case "column", (schema, table, column):
            return column_url(schema, table, column)
        case _:
            return example_url(known.name)
