"""The published tables as XML: VOSI 1.1 §4, with VODataService 1.2's elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from almagest.adql.catalogue import Column, Table
from almagest.vo.markup import Markup, document, element, optional

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


def tableset(tables: Iterable[Table], descriptions: Mapping[str, str], *, columns: bool) -> bytes:
    """The document `vosi:tableset`. tables: those of a schema side by side; descriptions: of schemas by name;
    columns: whether to tell them too (`detail=max`)."""
    schemas = (
        element(
            "schema",
            None,
            element("name", None, schema),
            optional("description", descriptions.get(schema)),
            *(_table("table", {"type": "table"}, table, columns=columns) for table in members),
        )
        for schema, members in groupby(tables, key=lambda table: table.schema)
    )
    # No version attribute: the standard's example has one, its schema forbids it.
    return document(element("vosi:tableset", NAMESPACES, *schemas))


def single(table: Table) -> bytes:
    """The document `vosi:table`, with the columns."""
    return document(_table("vosi:table", {**NAMESPACES, "type": "table"}, table, columns=True))


def _table(tag: str, attributes: Mapping[str, str], table: Table, *, columns: bool) -> Markup:
    return element(
        tag,
        attributes,
        element("name", None, str(table)),
        optional("description", table.description),
        element("nrows", None, str(table.nrows)) if table.nrows is not None else None,
        *(_column(column) for column in (table.columns if columns else ())),
    )


def _column(column: Column) -> Markup:
    datatype = {"xsi:type": "vs:VOTableType", "arraysize": column.arraysize, "extendedType": column.xtype}
    return element(
        "column",
        None,
        element("name", None, column.name),
        optional("description", column.description),
        optional("unit", column.unit),
        optional("ucd", column.ucd),
        optional("utype", column.utype),
        element("dataType", datatype, column.datatype),
    )
