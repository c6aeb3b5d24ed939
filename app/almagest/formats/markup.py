"""Text inside XML and HTML, escaped here or by PostgreSQL."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


_PLAIN = re.compile("[ !#-%'-;=?-~]*")
"""Most of what a document says: it needs nothing."""


def escaped(value: str) -> str:
    """Text for an attribute or an element, from which a parser reads it back, line ends and all."""
    if _PLAIN.fullmatch(value):
        return value
    return _NOT_XML.sub("\ufffd", value).translate(_ENTITIES)


def escaped_in_sql(string: str) -> str:
    """SQL of the same for a text in the database, looked at once and left alone where nothing in it needs it."""
    forbidden = r"[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    result = f"regexp_replace({string}, '{forbidden}', '\ufffd', 'g')"
    replaced = (("'&'", "&amp;"), ("'<'", "&lt;"), ("'>'", "&gt;"), ("'\"'", "&quot;"),
                (r"E'\t'", "&#9;"), (r"E'\n'", "&#10;"), (r"E'\r'", "&#13;"))  # fmt: skip
    for character, entity in replaced:
        result = f"replace({result}, {character}, '{entity}')"
    return rf"""CASE WHEN {string} ~ '[&<>"\x01-\x1f\ufffe\uffff]' THEN {result} ELSE {string} END"""
