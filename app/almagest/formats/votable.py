"""VOTable 1.4 around rows: fields with their metadata, the status that DALI 1.1 §4.4 asks for, and error documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from almagest.adql.catalogue import Column
from almagest.formats import binary2
from almagest.formats.chunks import base64_lines, gathered
from almagest.formats.format import Status
from almagest.formats.sql import array_text, fixed_size, is_text, number, text

MEDIA_TYPE = "application/x-votable+xml"

_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    # The namespace of VOTable 1.3 holds for all later versions (VOTable 1.4 §3.1).
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
    '<RESOURCE type="results">\n'
)
_CLOSING = "</RESOURCE>\n</VOTABLE>\n"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def escaped(value: str) -> str:
    """Text for an attribute or an element, from which a parser reads it back, line ends and all."""
    return _NOT_XML.sub("\ufffd", value).translate(_ENTITIES)


def error_document(message: str) -> bytes:
    """A query that failed (DALI 1.1 §4.4.2), to be sent as `MEDIA_TYPE`."""
    return (_OPENING + _status(Status.ERROR, message) + _CLOSING).encode()


@dataclass(frozen=True)
class Binary2:
    """VOTable with base64 of binary rows: exact, compact, and made fastest. The default."""

    media_type: str = MEDIA_TYPE
    extension: str = "vot"

    def row_expression(self, columns: Sequence[Column]) -> str:
        """See `binary2`."""
        return binary2.row_expression(columns)

    def header(self, columns: Sequence[Column], info: Mapping[str, str]) -> bytes:
        """Up to the first row."""
        return (_head(columns, info) + '<BINARY2>\n<STREAM encoding="base64">\n').encode()

    def encode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Rows in base64."""
        return base64_lines(blocks)

    def footer(self, status: Status, message: str = "") -> bytes:
        """From the last row on."""
        return ("</STREAM>\n</BINARY2>\n" + _foot(status, message)).encode()


@dataclass(frozen=True)
class Tabledata:
    """VOTable with rows of elements, for those who read it with their eyes or with few tools."""

    media_type: str = f"{MEDIA_TYPE};serialization=TABLEDATA"
    extension: str = "vot"

    def row_expression(self, columns: Sequence[Column]) -> str:
        """`<TR><TD>…</TD>…</TR>`; an empty cell is NULL (VOTable 1.4 §5.1)."""
        cells = (f"coalesce({_cell(column, f'c{index}')}, '')" for index, column in enumerate(columns, 1))
        row = " || '</TD><TD>' || ".join(cells)
        return rf"convert_to('<TR><TD>' || {row} || E'</TD></TR>\n', 'UTF8')"

    def header(self, columns: Sequence[Column], info: Mapping[str, str]) -> bytes:
        """Up to the first row."""
        return (_head(columns, info) + "<TABLEDATA>\n").encode()

    def encode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Rows as they are."""
        return gathered(blocks)

    def footer(self, status: Status, message: str = "") -> bytes:
        """From the last row on."""
        return ("</TABLEDATA>\n" + _foot(status, message)).encode()


def _head(columns: Sequence[Column], info: Mapping[str, str]) -> str:
    told = "".join(f'<INFO name="{escaped(name)}" value="{escaped(value)}"/>\n' for name, value in info.items())
    fields = "".join(_field(column) for column in columns)
    return f'{_OPENING}<INFO name="QUERY_STATUS" value="OK"/>\n{told}<TABLE>\n{fields}<DATA>\n'


def _foot(status: Status, message: str) -> str:
    said = "" if status is Status.OK else _status(status, message)
    return f"</DATA>\n</TABLE>\n{said}{_CLOSING}"


def _status(status: Status, message: str) -> str:
    # astroquery finds the message by this very spelling and order of attributes.
    return f'<INFO name="QUERY_STATUS" value="{status.value}">{escaped(message)}</INFO>\n'


def _field(column: Column) -> str:
    attributes = {
        "name": column.name,
        "datatype": column.datatype,
        "arraysize": column.arraysize,
        "xtype": column.xtype,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
    }
    written = "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items() if value)
    if not column.description:
        return f"<FIELD{written}/>\n"
    return f"<FIELD{written}><DESCRIPTION>{escaped(column.description)}</DESCRIPTION></FIELD>\n"


def _cell(column: Column, name: str) -> str:
    if is_text(column):
        size, string = fixed_size(column), text(column, name)
        return _escaped_in_sql(string if size is None else f"left({string}, {size})")
    if column.arraysize is not None:
        return array_text(column, name)
    if column.datatype == "boolean":
        return f"CASE WHEN {name} THEN 'T' WHEN NOT {name} THEN 'F' END"
    return number(column, name)


def _escaped_in_sql(string: str) -> str:
    """XML of a text, looked at once and left alone where nothing in it needs it."""
    forbidden = r"[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    result = f"regexp_replace({string}, '{forbidden}', '\ufffd', 'g')"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        result = f"replace({result}, '{character}', '{entity}')"
    result = rf"replace({result}, E'\r', '&#13;')"
    return rf"CASE WHEN {string} ~ '[&<>\r\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]' THEN {result} ELSE {string} END"
