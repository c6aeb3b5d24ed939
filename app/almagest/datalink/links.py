"""What belongs to a row: the row itself, what it was made from, what is stored beside it, and services around it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from django.db.models import Q

from almagest import formats
from almagest.accounts.identity import NOBODY, Identity
from almagest.catalogue import Catalogue, Column, Table, written
from almagest.conesearch.address import service_url
from almagest.config.environment import environment
from almagest.datalink import vocabulary
from almagest.datalink.address import authority, term
from almagest.formats import Input, ServiceDescriptor
from almagest.metadata import catalogue, models
from almagest.query import limits
from almagest.query.answers import rows
from almagest.query.answers.origin import links_url
from almagest.tap.address import base_url as tap_url
from almagest.vo import conesearch, datalink
from almagest.vo.conesearch import UCD1_PLUS
from almagest.vo.datalink import Fault, Link

Position = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was asked for. sent: the identifier as it came; table, key: what it means."""

    sent: str
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """A table whose rows are looked up, and what is known about all of them. cone: the XML ID of the descriptor of its
    cone search, or None; page: of the table, empty where the asker may not know of it."""

    table: Table
    column: Column
    schema: models.Schema
    positions: Mapping[str, Position]
    stored: Sequence[models.Link]
    public: bool = False
    cone: str | None = None
    page: str = ""


def document(identity: Identity, sent: Sequence[str], table: str | None) -> bytes:
    """The answer of `{links}`.

    sent: identifiers, any of them more than once; table: the table whose keys they are, None for IVOA identifiers.
    Raises QueryError.
    """
    asked = list(dict.fromkeys(sent))
    answered = [_read(one, table) for one in asked[: limits.LINKED_ROWS]]
    known = _look_up(identity, [row for row in answered if isinstance(row, Row)])
    found = (link for row in answered for link in ([row] if isinstance(row, Link) else _links(row, known)))
    described = [_cone_search(one) for one in known.values() if one.cone]
    return datalink.links(found, described, this(), overflow=len(asked) > len(answered))


def this() -> ServiceDescriptor:
    """`{links}` itself, as it is called with IVOA identifiers (DataLink 1.1 §4.8)."""
    wanted = Input("ID", ucd=UCD1_PLUS.id, description="IVOA identifier of a row; may be sent more than once.")
    return datalink.links_service(links_url(), (wanted,))


def _read(sent: str, table: str | None) -> Row | Link:
    """The row that an identifier means, or the error of one that means none."""
    if table is not None:
        return Row(sent, table, sent)
    parsed = datalink.parse(sent, authority())
    if parsed is None:
        form = datalink.identifier(authority(), "<schema>.<table>", "<id>").replace("%3C", "<").replace("%3E", ">")
        return _fault(sent, Fault.USAGE, f"an identifier of this archive is {form}")
    return Row(sent, *parsed)


def _look_up(identity: Identity, asked: Collection[Row]) -> dict[str, Known]:
    """What is known about the tables of these rows, by full name; those that are not there are not there."""
    holdings = catalogue.holdings(identity)
    sky = holdings.readable
    public = {str(table) for table in holdings.seen_by(NOBODY).readable.tables}
    described = {str(table) for table in holdings.described.tables}
    known: dict[str, Known] = {}
    wanted = {row.table for row in asked}
    for table in sky.tables:
        if str(table) in wanted:
            keys = {row.key for row in asked if row.table == str(table)}
            cone = f"cone-{len(known) + 1}" if conesearch.main(table) else None
            page = (
                f"{environment().site_url}/data/{quote(table.schema)}/{quote(table.name)}/"
                if str(table) in described
                else ""
            )
            about = _known(identity, sky, table, keys)
            known |= {str(table): replace(about, public=str(table) in public, cone=cone, page=page)} if about else {}
    return known


def _known(identity: Identity, sky: Catalogue, table: Table, keys: Collection[str]) -> Known | None:
    column = conesearch.identifier(table)
    stored = models.Table.objects.select_related("schema").filter(schema__name=table.schema, name=table.name).first()
    if column is None or stored is None:
        return None
    positions = rows.by_key(identity, sky, table, column, keys)
    links = stored.links.filter(Q(key="") | Q(key__in=list(positions))).order_by("order", "pk")
    return Known(table, column, stored.schema, positions, list(links))


def _links(row: Row, known: Mapping[str, Known]) -> Iterator[Link]:
    about = known.get(row.table)
    if about is None or row.key not in about.positions:
        yield _fault(row.sent, Fault.NOT_FOUND, f"there is no row {row.key[:40]!r} in a table {row.table[:40]!r}")
        return
    yield _this(row, about)
    yield from _neighbours(row, about)
    yield from _pages(row, about)
    yield from _stored(row, about)


def _fault(sent: str, fault: Fault, message: str) -> Link:
    return Link(sent, "#this", error=f"{fault}: {message}")


def _this(row: Row, about: Known) -> Link:
    condition = f"{written(about.column.name)} = {rows.literal(about.column, row.key)}"
    query = f"SELECT * FROM {about.table.written} WHERE {condition}"  # noqa: S608 - TAP reads it like any user's
    return Link(
        row.sent,
        "#this",
        access_url=f"{tap_url()}/sync?{urlencode({'LANG': 'ADQL', 'QUERY': query})}",
        description=f"The row of {about.table}",
        content_type=formats.MEDIA_TYPE,
        authentication="optional" if about.public else "true",
        authorized=True,
    )


def _neighbours(row: Row, about: Known) -> Iterator[Link]:
    ra, dec = about.positions[row.key]
    if about.cone and ra is not None and dec is not None and math.isfinite(ra) and math.isfinite(dec):
        yield Link(
            row.sent,
            term(vocabulary.CONE_SEARCH.name),
            service=about.cone,
            description=f"Rows of {about.table} around this one",
            content_type=conesearch.MEDIA_TYPE,
            authentication="optional" if about.public else "true",
            authorized=True,
            position=(ra, dec),
        )


def _pages(row: Row, about: Known) -> Iterator[Link]:
    schema, table = about.schema, about.table
    pages = (
        ("#documentation", about.page, f"The columns of {table}"),
        ("#documentation", schema.reference_url, f"About {schema.title or schema.name}"),
        (term(vocabulary.LICENCE.name), schema.licence_url, f"Licence: {schema.licence}"),
        (
            term(vocabulary.CITATION.name),
            f"{about.page}#acknowledge-title" if about.page and schema.acknowledgement else "",
            f"How to cite {schema.title or schema.name}",
        ),
    )
    for semantics, url, description in pages:
        if url:
            yield Link(row.sent, semantics, access_url=url, description=description, content_type="text/html")


def _stored(row: Row, about: Known) -> Iterator[Link]:
    for link in about.stored:
        if link.key in ("", row.key):
            yield Link(
                row.sent,
                link.semantics,
                access_url=link.access_url.replace("{key}", quote(row.key, safe="")),
                description=link.description,
                content_type=link.content_type,
                content_length=link.content_length,
                content_qualifier=link.content_qualifier,
                local_semantics=link.local_semantics,
                authentication=link.link_auth,
            )


def _cone_search(about: Known) -> ServiceDescriptor:
    """The table's cone search around the row that refers to it."""
    return ServiceDescriptor(
        id=about.cone,
        name=f"cone search of {about.table}",
        access_url=f"{service_url(str(about.table))}?",
        standard_id=conesearch.STANDARD,
        content_type=conesearch.MEDIA_TYPE,
        description=f"Rows of {about.table} within SR degrees of the row.",
        inputs=(
            Input("RA", "double", None, unit="deg", ucd="pos.eq.ra", column="ra"),
            Input("DEC", "double", None, unit="deg", ucd="pos.eq.dec", column="dec"),
            Input("SR", ucd="pos.angDistance", description=f"Radius in degrees, at most {limits.CONE_DEGREES:g}."),
        ),
    )
