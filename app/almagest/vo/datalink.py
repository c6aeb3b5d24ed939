"""DataLink 1.1: what belongs to a row, as the table that `{links}` answers, and descriptors of services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from almagest.catalogue import Column, Table
from almagest.formats.about import Input, ServiceDescriptor
from almagest.formats.document import descriptor
from almagest.formats.markup import Markup, element
from almagest.vo import vosi
from almagest.vo.conesearch import identifier as identifier_column
from almagest.vo.votable import info, results, votable

STANDARD = "ivo://ivoa.net/std/DataLink#links-1.1"
MEDIA_TYPE = "application/x-votable+xml;content=datalink"
"""Without a blank: pyvo compares it letter for letter."""


class Fault(StrEnum):
    """How the message of an error begins (§3.4)."""

    NOT_FOUND = "NotFoundFault"
    USAGE = "UsageFault"
    TRANSIENT = "TransientFault"
    FATAL = "FatalFault"


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the answer (§3.2). id: as it was sent; exactly one of access_url, service (the XML ID of a descriptor)
    and error is set. semantics: `#term` of the core vocabulary, or a full URI; content_length: bytes;
    authentication: false, optional or true, empty when unknown; position: of the row in ICRS degrees, which a
    descriptor may refer to as the columns `ra` and `dec`."""

    id: str
    semantics: str
    access_url: str = ""
    service: str = ""
    error: str = ""
    description: str = ""
    content_type: str = ""
    content_length: int | None = None
    content_qualifier: str = ""
    local_semantics: str = ""
    authentication: str = ""
    authorized: bool | None = None
    position: tuple[float, float] | None = None


def identifier(authority: str, table: str, key: str) -> str:
    """The IVOA identifier of a row (IVOA Identifiers 2.0 §4): `ivo://<authority>/~?<schema>.<table>/<key>`."""
    return f"ivo://{authority}/~?{quote(table, safe='')}/{quote(key, safe='')}"


def parse(text: str, authority: str) -> tuple[str, str] | None:
    """(table, key) of a row's IVOA identifier; None when it is no such thing, or of another authority."""
    prefix = f"ivo://{authority}/~?"
    table, slash, key = text[len(prefix) :].partition("/")
    # Up to the question mark, these identifiers are the same in any letter case.
    if text[: len(prefix)].lower() != prefix.lower() or not slash or not key:
        return None
    return unquote(table), unquote(key)


def links(
    rows: Iterable[Link], described: Sequence[ServiceDescriptor], this: ServiceDescriptor, *, overflow: bool
) -> bytes:
    """The answer of `{links}` (§3.3). rows: those of one identifier side by side; described: the services that rows
    refer to; this: `{links}` itself (§4.8); overflow: whether more identifiers were sent than are answered."""
    table = element(
        "TABLE",
        {"name": "links"},
        *(_field(column) for column in _COLUMNS),
        element("DATA", None, element("TABLEDATA", None, *(_row(row) for row in rows))),
    )
    return votable(
        results(
            info("QUERY_STATUS", "OK"),
            info("standardID", STANDARD),
            table,
            info("QUERY_STATUS", "OVERFLOW", "there were more IDs than are answered at once") if overflow else None,
        ),
        *(descriptor(one, _NAMED) for one in described),
        descriptor(this, _NAMED, utype="adhoc:this"),
    )


def links_service(url: str, inputs: Sequence[Input]) -> ServiceDescriptor:
    """`{links}` at `url`, called with these inputs. pyvo fails on an input of the user's that is a single number: such
    a one is better text."""
    return ServiceDescriptor(
        name="links",
        access_url=url,
        inputs=inputs,
        standard_id=STANDARD,
        content_type=MEDIA_TYPE,
        description="What belongs to a row: itself, its neighbours, its documentation, licence and citation.",
    )


def of_results(url: str, table: Table, columns: Sequence[Column]) -> ServiceDescriptor | None:
    """`{links}` for rows of one table in an answer with these columns; None where the answer lacks the table's
    identifier. `TABLE` says whose keys the identifiers are, because they are not IVOA's. url: of `{links}`."""
    named = identifier_column(table)
    if named is None or not any((column.name, column.ucd) == (named.name, named.ucd) for column in columns):
        return None
    return links_service(
        url,
        (
            Input("ID", named.datatype, named.arraysize, column=named.name, ucd=named.ucd),
            Input("TABLE", value=str(table), description="The table that the rows belong to."),
        ),
    )


def error_document(message: str) -> bytes:
    """A request that failed as a whole (§3.4). message: beginning with a Fault."""
    return votable(results(info("QUERY_STATUS", "ERROR", message)))


def capabilities(url: str, security: Sequence[str] = ()) -> bytes:
    """The document `vosi:capabilities`. url: of the service, above `/links`; security: ways to log in."""
    described = element(
        "capability",
        {"standardID": STANDARD},
        vosi.interface(
            f"{url}/links",
            element("queryType", None, "GET"),
            element("queryType", None, "POST"),
            element("resultType", None, MEDIA_TYPE),
            version="1.1",
            security=security,
        ),
    )
    return vosi.capabilities(url, described)


_COLUMNS: tuple[dict[str, str], ...] = (
    {"name": "ID", "ucd": "meta.id;meta.main"},
    {"name": "access_url", "ucd": "meta.ref.url"},
    {"name": "service_def", "ucd": "meta.ref"},
    {"name": "error_message", "ucd": "meta.code.error"},
    {"name": "description", "ucd": "meta.note"},
    {"name": "semantics", "ucd": "meta.code"},
    {"name": "content_type", "ucd": "meta.code.mime"},
    {"name": "content_length", "ucd": "phys.size;meta.file", "datatype": "long", "unit": "byte"},
    {"name": "content_qualifier", "ucd": "meta.code"},
    {"name": "local_semantics", "ucd": "meta.id.assoc"},
    {"name": "link_auth", "ucd": "meta.code"},
    {"name": "link_authorized", "ucd": "meta.code", "datatype": "boolean"},
    {"name": "ra", "ucd": "pos.eq.ra", "datatype": "double", "unit": "deg", "ID": "ra"},
    {"name": "dec", "ucd": "pos.eq.dec", "datatype": "double", "unit": "deg", "ID": "dec"},
)


_NAMED = {column["name"]: column["ID"] for column in _COLUMNS if "ID" in column}


def _field(column: dict[str, str]) -> Markup:
    # Descriptions and identifiers may hold any character.
    text = {} if "datatype" in column else {"datatype": "unicodeChar", "arraysize": "*"}
    return element("FIELD", {**column, **text})


def _row(link: Link) -> Markup:
    cells = (
        link.id,
        link.access_url,
        link.service,
        link.error,
        link.description,
        link.semantics,
        link.content_type,
        "" if link.content_length is None else str(link.content_length),
        link.content_qualifier,
        link.local_semantics,
        link.authentication,
        "" if link.authorized is None else str(link.authorized).lower(),
        *(("", "") if link.position is None else (repr(value) for value in link.position)),
    )
    return element("TR", None, *(element("TD", None, cell) for cell in cells))
