"""Simple Cone Search 1.03: which columns of a table it is about, and the documents that only it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from almagest.catalogue import Column, Datatype, Table
from almagest.formats.markup import Markup, element
from almagest.vo import vosi
from almagest.vo.votable import info, results, votable

STANDARD = "ivo://ivoa.net/std/ConeSearch"
MEDIA_TYPE = "text/xml"
"""Of every answer unless RESPONSEFORMAT says otherwise: what clients of 1.03 were promised."""


@dataclass(frozen=True, slots=True)
class Ucds:
    """What the three columns are labelled with that every answer has."""

    id: str
    ra: str
    dec: str


UCD1 = Ucds("ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN")
"""What 1.03 §2.2 demands, and pyvo looks for."""

UCD1_PLUS = Ucds("meta.id;meta.main", "pos.eq.ra;meta.main", "pos.eq.dec;meta.main")
"""What all other services say, and Simple Cone Search from 1.1 on."""


@dataclass(frozen=True, slots=True)
class Main:
    """Names of the three columns that every answer has (§2.2)."""

    id: str
    ra: str
    dec: str


@dataclass(frozen=True, slots=True)
class Service:
    """One table's cone search. url: without the question mark that ends its base URL; max_radius: degrees; records:
    that an answer has at most; example: right ascension and declination in degrees of a row, None for no rows;
    security: identifiers of the ways to log in."""

    url: str
    max_radius: float
    records: int
    example: tuple[float, float] | None
    security: Sequence[str] = ()


def identifier(table: Table) -> Column | None:
    """The column that tells the table's rows apart: by its UCD the main identifier, else the first identifier."""
    for ucd in (UCD1_PLUS.id, "meta.id"):
        for column in table.columns:
            if (column.ucd or "").lower() == ucd:
                return column
    return None


def main(table: Table) -> Main | None:
    """The table's columns that a cone search is about; None where it lacks positions or identifiers."""
    named = identifier(table)
    if named is None or table.position is None:
        return None
    return Main(named.name, *table.position)


def labelled(columns: Sequence[Column], main: Main, ucds: Ucds) -> tuple[Column, ...]:
    """An answer's columns so that exactly one has each of the three UCDs, and the identifier is text (§2.2)."""
    return tuple(_labelled(column, main, ucds) for column in columns)


def error_document(message: str) -> bytes:
    """A search that failed: as 1.03 §2.3 says it, and as DALI 1.1 §4.4.2 does."""
    return votable(info("Error", message), results(info("QUERY_STATUS", "ERROR", message)))


def capabilities(service: Service) -> bytes:
    """The document `vosi:capabilities` with SimpleDALRegExt 1.1's description of the service."""
    described = element(
        "capability",
        {"standardID": STANDARD, "xsi:type": "cs:ConeSearch"},
        vosi.interface(f"{service.url}?", security=service.security),
        element("maxSR", None, f"{service.max_radius:g}"),
        element("maxRecords", None, str(service.records)),
        element("verbosity", None, "true"),
        _test_query(service.example) if service.example else None,
    )
    return vosi.capabilities(service.url, described, extensions={"cs": f"{vosi.XML}ConeSearch/v1.0"})


_MAIN = (UCD1_PLUS.id, UCD1_PLUS.ra, UCD1_PLUS.dec)


def _labelled(column: Column, main: Main, ucds: Ucds) -> Column:
    for name, ucd in ((main.ra, ucds.ra), (main.dec, ucds.dec)):
        if column.name == name:
            return replace(column, ucd=ucd)
    if column.name == main.id:
        datatype: Datatype = "unicodeChar" if column.datatype == "unicodeChar" else "char"
        return replace(column, ucd=ucds.id, datatype=datatype, arraysize=column.arraysize or "*")
    if column.ucd and column.ucd.lower() in _MAIN:
        return replace(column, ucd=column.ucd.partition(";")[0])
    return column


def _test_query(example: tuple[float, float]) -> Markup:
    ra, dec = example
    return element(
        "testQuery",
        None,
        element("ra", None, repr(ra)),
        element("dec", None, repr(dec)),
        element("sr", None, "0.001"),
    )
