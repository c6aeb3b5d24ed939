"""Small VOTables from values: answers that no query makes, and what stands beside those of a query.

Rows of a query are written by `almagest.formats`, which never holds them in memory.
"""

from __future__ import annotations

from almagest.vo.markup import Markup, document, element

_ATTRIBUTES = {"version": "1.4", "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3"}
"""The namespace of VOTable 1.3 holds for all later versions (VOTable 1.4 §3.1)."""


def votable(*children: Markup | None) -> bytes:
    """The whole document."""
    return document(element("VOTABLE", _ATTRIBUTES, *children))


def results(*children: Markup | None) -> Markup:
    """The RESOURCE that holds an answer (DALI 1.1 §4.4)."""
    return element("RESOURCE", {"type": "results"}, *children)


def info(name: str, value: str, message: str | None = None) -> Markup:
    """An INFO. message: for people."""
    return element("INFO", {"name": name, "value": value}, message or None)


def text_param(name: str, value: str) -> Markup:
    """A PARAM of text."""
    return element("PARAM", {"name": name, "datatype": "char", "arraysize": "*", "value": value})
