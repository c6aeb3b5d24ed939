"""The grammar of types out of PostgreSQL in every format, and in again, here and in other programs.

LOSSES are all that a format may lose, because it has no word for it; docs/app/formats.md tells the same.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse
from astropy.table import Table as AstropyTable

from almagest.catalogue import Column
from almagest.formats import FORMATS
from almagest.formats.complexes import is_complex
from almagest.formats.decode import Bounds, decode
from almagest.formats.sql import fixed_size, is_text
from almagest.ingest.source import READERS
from support import stilts
from support.answers import written
from support.types_grammar import BITS, SCALARS, Table, Typed, differences, rows, tables

pytestmark = pytest.mark.integration

BOUNDS = Bounds(bytes=50_000_000, rows=100_000, columns=1000, cell=1_000_000, row=4_000_000)
TABLES = tuple(tables())
EVERYTHING = TABLES[-1]
Loss = Callable[[Column, Any], Any]


def blank_is_null(_: Column, value: Any) -> Any:
    return None if value in ("", []) else value


def least_element_is_null(column: Column, value: Any) -> Any:
    """The number that FIELD calls null."""
    if isinstance(value, list) and column.datatype in BITS:
        return [None if element == -(1 << BITS[column.datatype] - 1) else element for element in value]
    return value


def least_is_null(column: Column, value: Any) -> Any:
    if column.datatype in BITS and value == -(1 << BITS[column.datatype] - 1):
        return None
    return least_element_is_null(column, value)


def missing_is_full_of_nulls(column: Column, value: Any) -> Any:
    """An array that all rows have with the same length."""
    size = fixed_size(column)
    if value is None and size and column.arraysize and not is_text(column):
        return [None] * size
    return value


def controls_are_blanks(_: Column, value: Any) -> Any:
    return re.sub(r"[\x01-\x1f]", " ", value) if isinstance(value, str) else value


def null_is_blank(column: Column, value: Any) -> Any:
    """What CSV makes of a text that is a table's only column."""
    return "" if value is None and is_text(column) and column.xtype is None else value


def infinite_is_null(column: Column, value: Any) -> Any:
    if isinstance(value, list):
        return [infinite_is_null(column, element) for element in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


LOSSES: Mapping[str, Sequence[Loss]] = {
    "votable": (least_element_is_null,),
    "votable/b": (blank_is_null, least_is_null, missing_is_full_of_nulls),
    "votable/td": (blank_is_null, least_element_is_null, missing_is_full_of_nulls),
    "csv": (),
    "tsv": (controls_are_blanks, blank_is_null),
    "ecsv": (lambda _, value: value or None if isinstance(value, str) else value,),
    "json": (infinite_is_null,),
    "parquet": (),
    "arrow": (),
}
READ = {"votable": "vot", "votable/b": "vot", "votable/td": "vot", "csv": "csv", "tsv": "tsv", "ecsv": "ecsv"}
"""Formats that come in as well, with the ending of their files."""


def lossy(table: Table, *losses: Loss) -> Table:
    """The table with what a format makes of it."""

    def made(column: Column, value: Any) -> Any:
        for loss in losses:
            value = loss(column, value)
        return value

    return Table(
        table.name,
        table.columns,
        tuple(tuple(map(made, table.columns, row)) for row in table.rows),
    )


def scalars_of(table: Table) -> Table | None:
    """The columns that are no arrays, which CSV and TSV write for eyes; None when there is none."""
    places = [n for n, column in enumerate(table.columns) if column.arraysize is None or is_text(column)]
    if not places:
        return None
    picked = tuple(tuple(row[place] for place in places) for row in table.rows)
    return Table(table.name, tuple(table.columns[place] for place in places), picked)


def wrong(
    server: psycopg.Connection[Any],
    name: str,
    read: Callable[[bytes, Table], Any],
    *losses: Loss,
    given: Sequence[Table] = TABLES,
) -> dict[str, list[str]]:
    """What is not as it was, by table. read: the rows of a document; losses: what its reader makes of values."""
    found = {}
    for table in given:
        asked = scalars_of(table) if name in ("csv", "tsv") else table
        if asked:
            back = read(written(server, name, asked), asked)
            alone = [null_is_blank] if name == "csv" and len(asked.columns) == 1 else []
            found[table.name] = differences(back, lossy(asked, *LOSSES[name], *alone, *losses))
    return {name: said for name, said in found.items() if said}


def columns_are(columns: Sequence[Column], table: Table, name: str) -> None:
    """Every format that says types says all of them; CSV and TSV have numbers, words and times."""
    if name in ("csv", "tsv"):
        return
    told = [(column.name, column.datatype, column.arraysize, column.xtype) for column in columns]
    assert told == [
        # ECSV has one kind of text, no bounds of arrays, and arrays of one dimension.
        (
            column.name,
            "char" if name == "ecsv" and column.datatype == "unicodeChar" else column.datatype,
            {"99*": "*", "2x3": column.arraysize if column.xtype else "6"}.get(column.arraysize or "", column.arraysize)
            if name == "ecsv"
            else column.arraysize,
            column.xtype,
        )
        for column in table.columns
    ]


def as_stored(read: Sequence[Sequence[Any]], table: Table) -> list[tuple[Any, ...]]:
    """Numbers of CSV, which are whole when all of a column are, as floating-point ones where they were."""
    return [
        tuple(
            float(value) if column.datatype in ("float", "double") and type(value) is int else value
            for value, column in zip(row, table.columns, strict=True)
        )
        for row in read
    ]


@pytest.mark.parametrize("name", READ)
def test_what_goes_out_comes_in_again_as_an_upload(server: psycopg.Connection[Any], name: str) -> None:
    def uploaded(data: bytes, table: Table) -> Any:
        decoded = decode(io.BytesIO(data), FORMATS[name].media_type, BOUNDS)
        found = rows(decoded.columns, decoded.blocks)
        columns_are(decoded.columns, table, name)
        # A shape without a coordinate is none at all.
        return [tuple(map(missing_is_full_of_nulls, table.columns, row)) if name in ("votable/b", "votable/td") else row
                for row in as_stored(found, table)]  # fmt: skip

    assert wrong(server, name, uploaded) == {}


@pytest.mark.parametrize("name", READ)
def test_what_goes_out_comes_in_again_by_ingest(server: psycopg.Connection[Any], name: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{READ[name]}"
    reader = READERS["votable" if READ[name] == "vot" else "tsv" if name == "tsv" else "csv"]

    def ingested(data: bytes, table: Table) -> Any:
        path.write_bytes(data)
        source = reader(path, path.name, {})
        columns_are(source.columns, table, name)
        return as_stored(rows(source.columns, source.blocks()), table)

    assert wrong(server, name, ingested) == {}


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_pyarrow_reads_what_was_there(server: psycopg.Connection[Any], name: str) -> None:
    def by_arrow(data: bytes, _: Table) -> Any:
        file = io.BytesIO(data)
        table = pq.read_table(file) if name == "parquet" else pa.ipc.open_stream(file).read_all()
        table.validate(full=True)
        return [list(row.values()) for row in table.to_pylist()]

    assert wrong(server, name, by_arrow) == {}


def test_json_has_what_was_there(server: psycopg.Connection[Any]) -> None:
    def value(column: Column, read: Any) -> Any:
        if column.xtype == "timestamp" and read is not None:
            return datetime.fromisoformat(read)
        if column.datatype in ("float", "double"):
            return (
                [value(column, one) for one in read]
                if isinstance(read, list)
                else read
                if read is None
                else float(read)
            )
        return read

    def by_json(data: bytes, table: Table) -> Any:
        return [list(map(value, table.columns, row)) for row in json.loads(data, parse_int=str_or_int)["data"]]

    def str_or_int(digits: str) -> Any:
        return -0.0 if digits == "-0" else int(digits)

    assert wrong(server, "json", by_json) == {}


def pythonic(value: Any, column: Column) -> Any:
    """A value of astropy's as the grammar has it; text that is missing is empty there."""
    if value is np.ma.masked or value is None:
        return None
    if is_complex(column) and np.iscomplexobj(value):
        numbers = np.ma.ravel(np.ma.asarray(value))
        return [part for number in np.ma.getdata(numbers) for part in (float(number.real), float(number.imag))]
    if isinstance(value, np.ndarray):
        element = Column("", column.datatype)
        flat = np.ma.ravel(value)
        return [pythonic(flat[place], element) for place in range(len(flat))]
    value = value.item() if isinstance(value, np.generic) else value
    if column.xtype == "timestamp":
        return datetime.fromisoformat(value) if value else None
    return value.decode() if isinstance(value, bytes) else value


def blank_is_missing(column: Column, value: Any) -> Any:
    """Programs that know no difference between an empty text or array and none, nor between an array that is missing
    and one of missing elements."""
    return missing_is_full_of_nulls(column, blank_is_null(column, value))


@pytest.mark.parametrize("name", ["votable", "votable/b", "votable/td", "ecsv"])
def test_astropy_reads_what_was_there(server: psycopg.Connection[Any], name: str) -> None:
    def by_astropy(data: bytes, table: Table) -> Any:
        array: Any = (
            AstropyTable.read(data.decode(), format="ascii.ecsv")
            if name == "ecsv"
            else parse(io.BytesIO(data), verify="exception").get_first_table().array
        )
        return [
            [blank_is_missing(column, pythonic(row[column.name], column)) for column in table.columns] for row in array
        ]

    def read_so(column: Column, value: Any) -> Any:
        if name == "votable/td" and isinstance(value, str):
            return value.strip(" \t\r\n")
        if name == "ecsv" and isinstance(value, list):
            # Of JSON it takes −0 for a whole number, and null for false.
            missing = False if column.datatype == "boolean" and column.arraysize in ("*", "99*") else None
            return [missing if element is None else 0.0 if element == 0.0 and type(element) is float else element
                    for element in value]  # fmt: skip
        return value

    # Of ECSV astropy reads no text with a line end of Unicode's, and no array of fixed length in a table without rows.
    given = [table for table in TABLES if name != "ecsv" or (table.rows and not any(map(is_text, table.columns)))]
    assert wrong(server, name, by_astropy, read_so, blank_is_missing, given=given) == {}


def test_astropy_reads_the_null_elements_of_fits(server: psycopg.Connection[Any]) -> None:
    """FITS fills arrays up with null to the length of the longest."""
    typed = [
        one
        for table in TABLES[:-3]
        for one in [Typed(table.columns[0], tuple(row[0] for row in table.rows))]
        if one.column.datatype not in ("boolean", "char", "unicodeChar") and not is_complex(one.column)
    ]
    for one in typed:
        table = Table("", (one.column,), tuple((value,) for value in one.values))
        read = AstropyTable.read(io.BytesIO(written(server, "fits", table)), format="fits")
        longest = max((len(value) for value in one.values if isinstance(value, list)), default=0)
        wanted = [least_is_null(one.column, value) for value in one.values]
        if one.column.arraysize:
            wanted = [[*(value or []), *[None] * (longest - len(value or []))] for value in wanted]
        found = [(pythonic(value, one.column),) for value in read[one.column.name]]
        assert differences(found, Table("", table.columns, tuple((value,) for value in wanted))) == [], one.column.name


@pytest.mark.parametrize("name", ["votable", "votable/b", "votable/td", "fits", "csv"])
def test_stilts_reads_what_was_there(server: psycopg.Connection[Any], name: str, tmp_path: Path) -> None:
    """By its own VOTable of what it has read; it has no null among booleans of FITS, and no word for an empty text."""
    typed = [one for one in SCALARS if not is_text(one.column) or one.column.xtype]
    typed.append(Typed(Column("word", "char", "*"), ("one", None, "two words", "<td>&amp;", "it's")))
    columns, values = tuple(one.column for one in typed), [one.values for one in typed]
    longest = max(map(len, values))
    table = Table("", columns, tuple(tuple(one[number % len(one)] for one in values) for number in range(longest)))
    source, target = tmp_path / "source", tmp_path / "target.vot"
    source.write_bytes(written(server, name, table))
    done = stilts.run(
        "tcopy", f"in={source}", f"ifmt={name.partition('/')[0]}", f"out={target}", "ofmt=votable-binary2-inline"
    )
    assert done.returncode == 0, done.stderr
    decoded = decode(io.BytesIO(target.read_bytes()), "", BOUNDS)
    found = [
        [datetime.fromisoformat(value) if column.xtype == "timestamp" and isinstance(value, str) else value
         for value, column in zip(row, columns, strict=True)]
        for row in as_stored(rows(decoded.columns, decoded.blocks), table)
    ]  # fmt: skip
    assert differences(found, lossy(table, *([least_is_null] if name == "fits" else LOSSES[name]))) == []
