"""`/api/v1/schemas`, `/tables/…`, `/functions`, `/examples`: what queries may name, for editors and browsers."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from almagest import adql, catalogue
from almagest.accounts.identity import Identity
from almagest.api.authentication import asker
from almagest.api.columns import Column, column, properties
from almagest.api.face import Route, Told, ToldList, operation
from almagest.metadata import catalogue as published
from almagest.metadata import tap_schema
from almagest.pages.address import table_url
from almagest.query import examples as tried
from almagest.query.answers import sample
from almagest.query.errors import ForbiddenError, NoSuchTableError
from almagest.query.request import LANGUAGE_NAMES
from almagest.query.tables import jobtables


class ListedTable(Told):
    """A table of a schema. qualified: the name as a query writes it; rows: null where nobody counted; columns: how
    many; readable: whether whoever asks may read it, or only know of it."""

    name: str
    qualified: str
    title: str
    description: str
    rows: int | None
    columns: int
    readable: bool


class Schema(Told):
    """A schema with its tables; the asker's own are those of `tap_user`."""

    name: str
    title: str
    description: str
    tables: list[ListedTable]


class TableColumn(Column):
    """A column of a table. indexed: whether a condition on it is fast; principal: whether it is among those that say
    most about a row; minimum, maximum: of its numbers, where they were counted."""

    indexed: bool
    principal: bool
    minimum: float | str | None
    maximum: float | str | None


class Key(Told):
    """A foreign key: pairs of columns, here and in the target."""

    target: str
    columns: list[tuple[str, str]]
    description: str


class Table(Told):
    """A table. position: names of its columns of right ascension and declination, where it has an index on the sky;
    epoch: that positions hold for, e.g. J2016.0; url: its page on the site, empty for the asker's own."""

    name: str
    schema_: Annotated[str, Field(serialization_alias="schema")]
    qualified: str
    title: str
    description: str
    rows: int | None
    readable: bool
    position: tuple[str, str] | None
    epoch: str
    url: str
    keys: list[Key]
    columns: list[TableColumn]


class Function(Told):
    """A function, or one of its forms. signature: `name(argument TYPE, …) -> TYPE`; language: the smallest that has it,
    what ADQL has PostgreSQL has too."""

    name: str
    signature: str
    description: str
    group: str
    language: str


class Example(Told):
    """A query worth trying. name: an identifier; tables: that it reads."""

    name: str
    title: str
    description: str
    query: str
    language: str
    tables: list[str]


class Schemas(ToldList[Schema]):
    """Schemas, in the site's order."""


class SchemasRoute(Route):
    """`/schemas`."""

    @operation("schemas", answers={200: Schemas}, tag="tables")
    def get(self, request: Request) -> Response:
        """All schemas and tables that whoever asks may know of, in the site's order; their own come last."""
        identity = asker(request)
        holdings = published.holdings(identity)
        own = jobtables.own_catalogue(identity)
        return Response([*_schemas(holdings.described, holdings.readable), *_schemas_of(own, own)])


class TableRoute(Route):
    """`/tables/<name>`."""

    @operation("table", answers={200: Table}, tag="tables")
    def get(self, request: Request, name: str) -> Response:
        """A table with its columns. name: as a query writes it, e.g. `gaiadr3.bright` or `tap_user.mine`."""
        identity = asker(request)
        return Response(_table(identity, name))


class Sample(Told):
    """A few rows of a table. rows: in the order of columns; numbers of datatype `long`, and times, are text; total,
    filtered: the table's rows; numbers: of the rows, from 0."""

    columns: list[Column]
    total: int | None
    filtered: int | None
    offset: int
    rows: list[list[Any]]
    numbers: list[int]


class SampleRoute(Route):
    """`/tables/<name>/sample`."""

    @operation("tableSample", answers={200: Sample}, tag="tables")
    def get(self, request: Request, name: str) -> Response:
        """A few rows of a published table. Those of one's own tables are rows of a job, or one query away."""
        identity = asker(request)
        table, _, readable = find(identity, name)
        holdings = published.holdings(identity)
        if table.schema == jobtables.SCHEMA:
            raise NoSuchTableError(f"{name} is your own; a query has its first rows, as the rows of its job have")
        if not readable:
            raise ForbiddenError(f"you may know of {name}, but not read it")
        open_ = holdings.readable.table(table.schema, table.name, schema_delimited=True, name_delimited=True) or table
        found = sample.sample(identity, holdings, open_)
        return Response(
            Sample(
                columns=list(map(column, found.columns)),
                total=table.nrows,
                filtered=table.nrows,
                offset=0,
                rows=[[_cell(of, value) for of, value in zip(found.columns, row, strict=True)] for row in found.rows],
                numbers=list(range(len(found.rows))),
            )
        )


class Functions(ToldList[Function]):
    """Functions, by group."""


class FunctionsRoute(Route):
    """`/functions`."""

    @operation("functions", answers={200: Functions}, tag="tables")
    def get(self, request: Request) -> Response:
        """The functions that queries may call."""
        hidden = published.holdings(asker(request)).hidden
        return Response(
            [
                Function(
                    name=known.name,
                    signature=known.form,
                    description=known.description,
                    group=known.group,
                    language=LANGUAGE_NAMES[known.dialect],
                )
                for known in adql.REFERENCE
                if known.name.upper() not in hidden
            ]
        )


class Examples(ToldList[Example]):
    """Examples, in the order of their tables."""


class ExamplesRoute(Route):
    """`/examples`."""

    @operation("examples", answers={200: Examples}, tag="tables")
    def get(self, request: Request) -> Response:
        """The queries worth trying that whoever asks can run."""
        return Response(
            [
                Example(
                    name=known.id,
                    title=known.name,
                    description=known.description,
                    query=known.query,
                    language=LANGUAGE_NAMES["adql"],
                    tables=list(known.tables),
                )
                for known in tried.visible(asker(request))
            ]
        )


@lru_cache(maxsize=8)
def _schemas(described: catalogue.Catalogue, readable: catalogue.Catalogue) -> list[Schema]:
    """A catalogue is one value until the metadata change, and may have thousands of tables."""
    return _schemas_of(described, readable)


def _schemas_of(described: catalogue.Catalogue, readable: catalogue.Catalogue) -> list[Schema]:
    open_ = {(table.schema, table.name) for table in readable.tables}
    return [
        Schema(
            name=schema.name,
            title=schema.title,
            description=schema.description,
            tables=[
                ListedTable(
                    name=table.name,
                    qualified=table.written,
                    title=table.title,
                    description=table.description,
                    rows=table.nrows,
                    columns=len(table.columns),
                    readable=(table.schema, table.name) in open_,
                )
                for table in tables
            ],
        )
        for schema, tables in described.schemas()
    ]


def find(identity: Identity, name: str) -> tuple[catalogue.Table, catalogue.Catalogue, bool]:
    """The table of this name, the catalogue that it is of, and whether whoever asks may read it.

    Raises NoSuchTableError.
    """
    holdings = published.holdings(identity)
    own = jobtables.own_catalogue(identity)
    for known in (holdings.described, own):
        for table in known.tables:
            if name in (table.written, str(table)):
                readable = known is own or holdings.readable.table(
                    table.schema, table.name, schema_delimited=True, name_delimited=True
                )
                return table, known, bool(readable)
    raise NoSuchTableError(f"there is no table {name[:200]!r}; /api/v1/schemas lists them")


def _table(identity: Identity, name: str) -> Table:
    table, known, readable = find(identity, name)
    paged = table.schema not in (jobtables.SCHEMA, tap_schema.SCHEMA.name)
    return Table(
        name=table.name,
        schema_=table.schema,
        qualified=table.written,
        title=table.title,
        description=table.description,
        rows=table.nrows,
        readable=readable,
        position=table.position,
        epoch=table.epoch or "",
        url=table_url(table.schema, table.name) if paged else "",
        keys=[
            Key(target=target.written, columns=list(key.columns), description=key.description)
            for key, target in known.keys(table)
        ],
        columns=[
            TableColumn(
                **properties(each),
                indexed=each.indexed,
                principal=each.principal,
                minimum=_exact(each, each.minimum),
                maximum=_exact(each, each.maximum),
            )
            for each in table.columns
        ],
    )


def _cell(of: catalogue.Column, value: Any) -> Any:
    """As JSON can say it, exactly."""
    if isinstance(value, (list, tuple)):
        return [_cell(of, element) for element in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if of.datatype == "long" and value is not None else value


def _exact(column: catalogue.Column, extreme: float | None) -> float | str | None:
    """As JSON can say it: a `long` has more digits than its numbers keep."""
    return str(extreme) if column.datatype == "long" and extreme is not None else extreme
