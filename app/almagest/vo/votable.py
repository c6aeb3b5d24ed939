"""Small VOTables from values: answers that no query makes, and what stands beside those of a query.

Rows of a query are written by `almagest.formats`, which never holds them in memory.
"""

from __future__ import annotations

from almagest.formats.document import VOTABLE
from almagest.formats.markup import Markup, document, element


def votable(*children: Markup | None) -> bytes:
    """The whole document."""
    return document(element("VOTABLE", VOTABLE, *children))


def results(*children: Markup | None) -> Markup:
    """The RESOURCE that holds an answer (DALI 1.1 §4.4)."""
    return element("RESOURCE", {"type": "results"}, *children)


def info(name: str, value: str, message: str | None = None) -> Markup:
    """An INFO. message: for people."""
    return element("INFO", {"name": name, "value": value}, message or None)
