"""Comma- and tab-separated values: a line of names, and a line a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Rows, Status, Streamed
from almagest.formats.lines import lines, plain, separated
from almagest.formats.sql import elements, fixed_size, is_text, plain_cell, plain_cells

MOST_COLUMNS = 1664
"""PostgreSQL's limit (MaxTupleAttributeNumber): no row of an answer has more fields."""


@dataclass(frozen=True)
class Csv(Streamed):
    """RFC 4180 in UTF-8. NULL is an empty field, an empty string is `""`, as is NULL of a single column, because most
    readers leave empty lines out; there is no place for a status."""

    media_type: str = "text/csv;header=present"
    extension: str = "csv"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """PostgreSQL writes the very same format."""
        return _csv(plain_cell(column, f"c{number}") for number, column in enumerate(columns, 1))

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """The line of names and the lines of the rows, with CR LF; a line that no reader takes for a row, if broken."""
        yield self._head(columns, about)
        for block in lines(rows, b"\r\n"):
            yield block + b"\r\n"
        status, message = rows.ending()
        if status is Status.ERROR:
            yield self.broken(message)

    def broken(self, message: str) -> bytes:
        """A line that no reader takes for a row."""
        return _broken(message, ",")

    def _head(self, columns: Sequence[Column], about: About) -> bytes:  # noqa: ARG002 - ECSV has a place for it
        return (",".join(_csv_field(column.name) for column in columns) + "\r\n").encode()


@dataclass(frozen=True)
class Ecsv(Csv):
    """Astropy's ECSV 1.0 (APE 6): CSV after a header of YAML comments that keeps types, units and descriptions."""

    media_type: str = "application/x-ecsv"
    extension: str = "ecsv"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """The same, but for booleans and arrays, which are as Python and JSON write them."""
        return _csv(_ecsv_cell(column, f"c{number}") for number, column in enumerate(columns, 1))

    def _head(self, columns: Sequence[Column], about: About) -> bytes:
        described = "".join(f"# - {_ecsv_column(column)}\r\n" for column in columns)
        told = "".join(f"#   {_quoted(name)}: {_quoted(value)}\r\n" for name, value in about.by_name().items())
        meta = f"# meta:\r\n{told}" if told else ""
        begin = "# %ECSV 1.0\r\n# ---\r\n# delimiter: ','\r\n# datatype:\r\n"
        return f"{begin}{described}{meta}# schema: astropy-2.0\r\n".encode() + super()._head(columns, about)


@dataclass(frozen=True)
class Tsv(Streamed):
    """IANA's text/tab-separated-values in UTF-8: fields cannot hold tabs or line ends, and get a blank instead."""

    media_type: str = "text/tab-separated-values"
    extension: str = "tsv"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Text; NULL is an empty field, as is an empty string."""
        return separated(plain_cells(columns, without_ends), separator=b"\t")

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:  # noqa: ARG002 - no place
        """The line of names and the lines of the rows; a line that no reader takes for a row, if broken."""
        yield ("\t".join(" ".join(column.name.split()) for column in columns) + "\n").encode()
        for block in lines(rows, b"\n"):
            yield plain(block) + b"\n"
        status, message = rows.ending()
        if status is Status.ERROR:
            yield self.broken(message)

    def broken(self, message: str) -> bytes:
        """A line that no reader takes for a row."""
        return _broken(message, "\t")


def without_ends(string: str) -> str:
    """SQL of a text without control characters, which COPY would mark with backslashes."""
    return rf"regexp_replace({string}, '[\x01-\x1f]', ' ', 'g')"


def _csv(cells: Iterable[str]) -> Copy:
    """The fields of a row, of which the only one is never nothing at all."""
    first, *others = cells
    return Copy((first, *others) if others else (f"coalesce(({first})::text, '')",), "FORMAT csv")


def _csv_field(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if re.search(r'[",\r\n]', name) else name


_ECSV = {"boolean": "bool", "short": "int16", "int": "int32", "long": "int64", "float": "float32", "double": "float64"}


def _ecsv_cell(column: Column, name: str) -> str:
    if is_text(column):
        return plain_cell(column, name)
    if column.arraysize is not None:
        joined = f"(SELECT string_agg(coalesce(e::text, 'null'), ',' ORDER BY i) FROM {elements(name)})"
        return f"CASE WHEN {name} IS NOT NULL THEN '[' || coalesce({joined}, '') || ']' END"
    return f"initcap({name}::text)" if column.datatype == "boolean" else name


def _ecsv_column(column: Column) -> str:
    """A line of YAML; arrays are JSON in a text, and have no more than one dimension (APE 6)."""
    datatype, subtype = _ECSV.get(column.datatype, "string"), None
    if column.arraysize and not is_text(column):
        datatype, subtype = "string", f"{datatype}[{fixed_size(column) or 'null'}]"
    named = {
        "name": column.name, "unit": column.unit, "datatype": datatype, "subtype": subtype,
        "description": column.description,
    }  # fmt: skip
    meta = {"ucd": column.ucd, "utype": column.utype, "xtype": column.xtype}
    pairs = [f"{name}: {_quoted(value)}" for name, value in named.items() if value]
    more = ", ".join(f"{name}: {_quoted(value)}" for name, value in meta.items() if value)
    return "{" + ", ".join([*pairs, *([f"meta: {{{more}}}"] if more else [])]) + "}"


def _quoted(value: str | list[str]) -> str:
    """A scalar or a list of YAML 1.1, which reads JSON's, but for a few characters that ASCII spells for both."""
    return json.dumps(value)


def _broken(message: str, separator: str) -> bytes:
    """A line with more fields than a row can have: pandas, astropy and TOPCAT refuse the file, people read why."""
    words = " ".join(re.sub(r'[",]', " ", f"ERROR: {message}").split())
    # Fields with something in them, because some readers drop the empty ones at the end of a line.
    return f"{words}{f'{separator}!' * MOST_COLUMNS}\n".encode()
