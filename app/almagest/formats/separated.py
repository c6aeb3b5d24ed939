"""Comma- and tab-separated values: a line of names, and a line a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from almagest.adql.catalogue import Column
from almagest.formats.chunks import gathered
from almagest.formats.format import Status
from almagest.formats.sql import array_text, is_text, number, text

MOST_COLUMNS = 1664
"""PostgreSQL's limit (MaxTupleAttributeNumber): no row of an answer has more fields."""


@dataclass(frozen=True)
class Csv:
    """RFC 4180 in UTF-8. NULL is an empty field, an empty string is `""`; there is no place for a status."""

    media_type: str = "text/csv;header=present"
    extension: str = "csv"

    def row_expression(self, columns: Sequence[Column]) -> str:
        """A line with CR LF."""
        cells = (f"coalesce({_cell(column, f'c{index}', _csv_text)}, '')" for index, column in enumerate(columns, 1))
        row = " || ',' || ".join(cells)
        return rf"convert_to({row} || E'\r\n', 'UTF8')"

    def header(self, columns: Sequence[Column], info: Mapping[str, str]) -> bytes:  # noqa: ARG002 - no place for it
        """The line of names."""
        return (",".join(_csv_field(column.name) for column in columns) + "\r\n").encode()

    def encode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Rows as they are."""
        return gathered(blocks)

    def footer(self, status: Status, message: str = "") -> bytes:
        """Nothing, or a line that no reader takes for a row."""
        return _broken(message, ",") if status is Status.ERROR else b""


@dataclass(frozen=True)
class Tsv:
    """IANA's text/tab-separated-values in UTF-8: fields cannot hold tabs or line ends, and get a blank instead."""

    media_type: str = "text/tab-separated-values"
    extension: str = "tsv"

    def row_expression(self, columns: Sequence[Column]) -> str:
        """A line with LF."""
        cells = (f"coalesce({_cell(column, f'c{index}', _tsv_text)}, '')" for index, column in enumerate(columns, 1))
        row = r" || E'\t' || ".join(cells)
        return rf"convert_to({row} || E'\n', 'UTF8')"

    def header(self, columns: Sequence[Column], info: Mapping[str, str]) -> bytes:  # noqa: ARG002 - no place for it
        """The line of names."""
        return ("\t".join(" ".join(column.name.split()) for column in columns) + "\n").encode()

    def encode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Rows as they are."""
        return gathered(blocks)

    def footer(self, status: Status, message: str = "") -> bytes:
        """Nothing, or a line that no reader takes for a row."""
        return _broken(message, "\t") if status is Status.ERROR else b""


def _cell(column: Column, name: str, quote: Callable[[str], str]) -> str:
    if is_text(column):
        return quote(text(column, name))
    if column.arraysize is not None:
        return array_text(column, name)
    if column.datatype == "boolean":
        return f"CASE WHEN {name} THEN 'true' WHEN NOT {name} THEN 'false' END"
    return number(column, name)


def _csv_text(string: str) -> str:
    quoted = f"""'"' || replace({string}, '"', '""') || '"'"""
    return rf"""CASE WHEN {string} ~ '[",\r\n]|^$|^\s|\s$' THEN {quoted} ELSE {string} END"""


def _tsv_text(string: str) -> str:
    return rf"translate({string}, E'\t\r\n', '   ')"


def _csv_field(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if re.search(r'[",\r\n]', name) else name


def _broken(message: str, separator: str) -> bytes:
    """A line with more fields than a row can have: pandas, astropy and TOPCAT refuse the file, people read why."""
    words = " ".join(re.sub(r'[",]', " ", f"ERROR: {message}").split())
    # Fields with something in them, because some readers drop the empty ones at the end of a line.
    return f"{words}{f'{separator}!' * MOST_COLUMNS}\n".encode()
