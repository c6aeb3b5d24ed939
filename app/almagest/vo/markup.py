"""XML from values: elements as escaped text, in any order and with the prefixes that old clients insist on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no way to write."""


class Markup(str):
    """Text that is XML already."""

    __slots__ = ()


def element(name: str, attributes: Mapping[str, str | None] | None = None, *children: str | Markup | None) -> Markup:
    """`<name …>children</name>`. Children that are not Markup are text; None, also as an attribute, is left out."""
    written = "".join(
        f" {key}={quoteattr(_clean(value))}" for key, value in (attributes or {}).items() if value is not None
    )
    content = "".join(child if isinstance(child, Markup) else text(child) for child in children if child is not None)
    return Markup(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


def optional(name: str, content: str | None) -> Markup | None:
    """The element, or None when there is nothing to say."""
    return element(name, None, content) if content else None


def text(content: str) -> Markup:
    """Character data; what XML cannot hold becomes U+FFFD."""
    return Markup(escape(_clean(content)))


def document(root: Markup) -> bytes:
    """A whole document in UTF-8."""
    return (DECLARATION + root + "\n").encode()


def _clean(content: str) -> str:
    return _FORBIDDEN.sub("\ufffd", content)
