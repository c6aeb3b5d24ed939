"""The grammar of types out of PostgreSQL in every format, and in again: what comes is what was there.

`LOSSES` is what a format cannot say, and all that it may lose; docs/app/formats.md tells the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from almagest.adql import Column
from almagest.formats import FORMATS, negotiate
from almagest.formats.decode import Bounds, decode
from almagest.ingest.readers import Source
from almagest.ingest.source import READERS
from support.answers import copied, document
from support.services import Services
from support.types_grammar import BITS, Table, differences, rows, tables

pytestmark = pytest.mark.integration

BOUNDS = Bounds(bytes=50_000_000, rows=100_000, columns=1000, cell=1_000_000, row=4_000_000)
TABLES = tuple(tables())
XML_CONTROL = "\ufffd"
Loss = Callable[[Column, Any], Any]


def texts(change: Callable[[str], str | None]) -> Loss:
    """What a format makes of strings."""

    def loss(column: Column, value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    return loss


def blank_is_null(_: Column, value: Any) -> Any:
    return None if value in ("", []) else value


def least_element_is_null(column: Column, value: Any) -> Any:
    """The number that its FIELD calls null."""
    if isinstance(value, list) and column.datatype in BITS:
        mark = -(1 << BITS[column.datatype] - 1)
        return [None if element == mark else element for element in value]
    return value


def least_is_null(column: Column, value: Any) -> Any:
    if column.datatype in BITS and not column.arraysize and value == -(1 << BITS[column.datatype] - 1):
        return None
    return least_element_is_null(column, value)


def missing_is_full_of_nulls(column: Column, value: Any) -> Any:
    """An array of fixed length that is missing."""
    if value is None and column.datatype not in ("char", "unicodeChar") and column.arraysize:
        sizes = column.arraysize.split("x")
        if not column.arraysize.endswith("*"):
            size = 1
            for length in sizes:
                size *= int(length)
            return None if column.xtype in ("point", "circle") else [None] * size
    return value


LOSSES: Mapping[str, Sequence[Loss]] = {
    "votable": (least_element_is_null,),
    "votable/b": (blank_is_null, least_is_null, missing_is_full_of_nulls),
    "votable/td": (blank_is_null, least_element_is_null, missing_is_full_of_nulls),
    "ecsv": (texts(lambda value: value or None),),
}
MEDIA_TYPES = {name: FORMATS[name].media_type for name in LOSSES}
SUFFIXES = {"votable": ".vot", "votable/b": ".vot", "votable/td": ".vot", "ecsv": ".ecsv"}


def lossy(table: Table, losses: Sequence[Loss]) -> Table:
    changed = []
    for row in table.rows:
        values = []
        for column, stored in zip(table.columns, row, strict=True):
            value = stored
            for loss in losses:
                value = loss(column, value)
            values.append(value)
        changed.append(tuple(values))
    return Table(table.name, table.columns, tuple(changed))


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(services.conninfo("datadb"), autocommit=True) as connection:
        yield connection


def written(database: psycopg.Connection[Any], name: str, table: Table) -> bytes:
    form = negotiate(name)
    return document(form, table.columns, copied(database, form, table.columns, table.select()))


def told(columns: Sequence[Column]) -> list[tuple[str, str, str | None, str | None]]:
    return [(column.name, column.datatype, column.arraysize, column.xtype) for column in columns]


def expected(columns: Sequence[Column], name: str) -> list[tuple[str, str, str | None, str | None]]:
    if name != "ecsv":
        return told(columns)
    # ECSV knows one kind of text, no bounds of arrays, and one dimension.
    return [
        (
            column.name,
            "char" if column.datatype == "unicodeChar" else column.datatype,
            {"99*": "*", "2x3": "6" if column.xtype is None else "2x3"}.get(column.arraysize or "", column.arraysize),
            column.xtype,
        )
        for column in columns
    ]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_what_goes_out_comes_in_again_as_an_upload(database: psycopg.Connection[Any], name: str, table: Table) -> None:
    decoded = decode(io.BytesIO(written(database, name, table)), MEDIA_TYPES[name], BOUNDS)
    found = rows(decoded.columns, decoded.blocks)
    assert told(decoded.columns) == expected(table.columns, name)
    assert differences(found, lossy(table, LOSSES[name])) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_what_goes_out_comes_in_again_by_ingest(
    database: psycopg.Connection[Any], name: str, table: Table, tmp_path: Path
) -> None:
    path = tmp_path / f"rows{SUFFIXES[name]}"
    path.write_bytes(written(database, name, table))
    reader = READERS["csv" if name == "ecsv" else "votable"]
    source: Source = reader(path, path.name, {})
    assert told(source.columns) == expected(table.columns, name)
    found = rows(source.columns, source.blocks())
    if name != "votable":  # a shape is an array there
        found = [
            tuple(
                None if column.xtype in ("point", "circle") and str(value).startswith("[nan") else value
                for column, value in zip(table.columns, row, strict=True)
            )
            for row in found
        ]
    assert differences(found, lossy(table, LOSSES[name])) == []
