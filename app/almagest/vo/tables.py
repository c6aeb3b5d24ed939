"""The published tables as XML: VOSI 1.1 §4, with VODataService 1.2's elements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from almagest.adql.catalogue import Catalogue, Column, ForeignKey, Schema, Table
from almagest.adql.names import written
from almagest.formats.complexes import votable_type
from almagest.formats.markup import Markup, document, element, optional

NAMESPACES = {
    "xmlns:vosi": "http://www.ivoa.net/xml/VOSITables/v1.0",
    "xmlns:vs": "http://www.ivoa.net/xml/VODataService/v1.1",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    # Validators look up namespaces that only xsi:type mentions nowhere else.
    "xsi:schemaLocation": (
        "http://www.ivoa.net/xml/VOSITables/v1.0 http://www.ivoa.net/xml/VOSITables/v1.0"
        " http://www.ivoa.net/xml/VODataService/v1.1 http://www.ivoa.net/xml/VODataService/v1.1"
    ),
}

_END = b"</vosi:tableset>"

_FLAGGED = b'<column xmlns:esatapplus="http://esa.int/xml/EsaTapPlus" esatapplus:flags="0"'
"""A column as ESA's archives begin it; astroquery's TapPlus reads none that lacks this."""


def tableset(catalogue: Catalogue, *, full: bool) -> bytes:
    """The document `vosi:tableset`. full: whether to tell columns and foreign keys too (`detail=max`)."""
    schemas = (_schema(schema, tables, catalogue, full=full) for schema, tables in catalogue.schemas())
    # No version attribute: the standard's example has one, its schema forbids it.
    return document(element("vosi:tableset", NAMESPACES, *schemas))


def extended(document: bytes, more: Catalogue, *, full: bool) -> bytes:
    """A tableset with the schemas of another catalogue at its end; it may be megabytes long and is not made anew."""
    schemas = "".join(_schema(schema, tables, more, full=full) for schema, tables in more.schemas())
    return document.replace(_END, schemas.encode() + _END)


def flagged(document: bytes) -> bytes:
    """A tableset as TapPlus reads it. No schema allows that, so it is for that client only."""
    return re.sub(rb"<column\b", _FLAGGED, document)


def single(catalogue: Catalogue, table: Table) -> bytes:
    """The document `vosi:table`, in full."""
    return document(_table("vosi:table", NAMESPACES, table, catalogue, full=True))


def _schema(schema: Schema, tables: list[Table], catalogue: Catalogue, *, full: bool) -> Markup:
    return element(
        "schema",
        None,
        element("name", None, written(schema.name)),
        optional("title", schema.title),
        optional("description", schema.description),
        optional("utype", schema.utype),
        *(_table("table", {}, table, catalogue, full=full) for table in tables),
    )


def _table(tag: str, attributes: Mapping[str, str], table: Table, catalogue: Catalogue, *, full: bool) -> Markup:
    return element(
        tag,
        {**attributes, "type": table.kind},
        element("name", None, table.written),
        optional("title", table.title),
        optional("description", table.description),
        optional("utype", table.utype),
        element("nrows", None, str(table.nrows)) if table.nrows is not None else None,
        *(_details(table, catalogue) if full else ()),
    )


def _details(table: Table, catalogue: Catalogue) -> Iterator[Markup]:
    yield from map(_column, table.columns)
    for key, target in catalogue.keys(table):
        yield _foreign_key(key, target)


def _column(column: Column) -> Markup:
    datatype, arraysize, xtype = votable_type(column)
    described = {"xsi:type": "vs:VOTableType", "arraysize": arraysize, "extendedType": xtype}
    return element(
        "column",
        {"std": "true" if column.std else None},
        element("name", None, written(column.name)),
        optional("description", column.description),
        optional("unit", column.unit),
        optional("ucd", column.ucd),
        optional("utype", column.utype),
        element("dataType", described, datatype),
        element("flag", None, "indexed") if column.indexed else None,
    )


def _foreign_key(key: ForeignKey, target: Table) -> Markup:
    pairs = (
        element(
            "fkColumn", None, element("fromColumn", None, written(here)), element("targetColumn", None, written(there))
        )
        for here, there in key.columns
    )
    return element(
        "foreignKey",
        None,
        element("targetTable", None, target.written),
        *pairs,
        optional("description", key.description),
        optional("utype", key.utype),
    )
