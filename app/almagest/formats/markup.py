"""The one writer of XML: text inside it, escaped here or by PostgreSQL, and elements as values.

Elements are text, in any order and with the prefixes that old clients insist on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped (§2.2)."""

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


_PLAIN = re.compile("[ !#-%'-;=?-~]*")
"""Most of what a document says: it needs nothing."""


class Markup(str):
    """Text that is XML already."""

    __slots__ = ()


def element(name: str, given: Mapping[str, str | None] | None = None, *children: str | Markup | None) -> Markup:
    """`<name …>children</name>`. given: its attributes. Children that are not Markup are text; None, also as an
    attribute, is left out."""
    content = "".join(child if isinstance(child, Markup) else escaped(child) for child in children if child is not None)
    opening = f"{name}{attributes(given or {})}"
    return Markup(f"<{opening}>{content}</{name}>" if content else f"<{opening}/>")


def optional(name: str, content: str | None) -> Markup | None:
    """The element, or None when there is nothing to say."""
    return element(name, None, content) if content else None


def attributes(given: Mapping[str, str | None]) -> str:
    """The inside of a tag behind its name; None is left out."""
    return "".join(f' {name}="{escaped(value)}"' for name, value in given.items() if value is not None)


def document(root: Markup) -> bytes:
    """A whole document in UTF-8."""
    return (DECLARATION + root + "\n").encode()


def escaped(value: str) -> str:
    """Text for an attribute or an element, from which a parser reads it back, line ends and all. What XML cannot hold
    becomes U+FFFD."""
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
