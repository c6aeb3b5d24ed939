"""Filters for texts that people wrote, and for numbers and queries that they read."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from almagest.catalogue import Column, Table, written

if TYPE_CHECKING:
    from almagest.query.answers.sample import Sample

register = template.Library()

NUMBERS = ("short", "int", "long", "float", "double")
CELL_CHARACTERS = 120
"""Of a value in a sample; the rest is for those who ask for it."""

_ADDRESS = re.compile(r"https?://[^\s<>()\"']*[^\s<>()\"'.,;:!?]")


@register.filter
def linked(text: str) -> SafeString:
    """`text` as HTML with its web addresses as links and every other character as it was.

    Django's own `urlize` loses a comma or full stop that follows a closing parenthesis after an address.
    """
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = escape(found.group())
        parts += [escape(text[end : found.start()]), f'<a href="{address}">{address}</a>']
        end = found.end()
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308 - every part is escaped above


@register.filter
def web(address: str) -> str:
    """An address that a link may lead to; empty for any other scheme, such as one that would run a script."""
    return address if re.match(r"https?://[^\s/]", address) else ""


@register.filter
def number(text: str) -> str:
    """An extreme as it is read at a glance: eight digits of a fraction; whole numbers and times as they are."""
    if not re.fullmatch(r"-?\d*\.?\d+([eE][+-]?\d+)?", text) or not re.search(r"[.eE]", text):
        return text.replace("-", "−", 1) if text.startswith("-") else text
    return f"{float(text):.8g}".replace("-", "−")


@register.filter
def percent(share: float) -> str:
    """A share in per cent, never 0 % of what there is some of nor 100 % of what there is more of."""
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99.9 < share < 100:
        return "over 99.9 %"
    return f"{share:.1f}".removesuffix(".0") + " %"


@register.filter
def first_query(table: Table, kind: str = "") -> str:
    """A query to begin with. kind: `cone` where the table has positions, `line` for a few rows on one line."""
    if kind == "line":
        return f"SELECT TOP 5 * FROM {table.written}"  # noqa: S608 - it is ADQL, and only shown
    query = f"SELECT TOP 100 *\nFROM {table.written}"
    if kind == "cone" and table.position:
        ra, dec = map(written, table.position)
        query += f"\nWHERE 1 = CONTAINS(POINT({ra}, {dec}), CIRCLE(56.75, 24.12, 1.0))"
    return query


@register.filter
def shell(text: str) -> str:
    """The text as one word of a shell's command line."""
    return shlex.quote(text)


@register.filter
def numeric(column: Column) -> bool:
    """Whether the column's values are single numbers, which are aligned by their ends."""
    return column.datatype in NUMBERS and column.arraysize is None and column.xtype is None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a sample as text."""

    text: str
    number: bool
    null: bool


@register.filter
def cells(sample: Sample) -> Iterator[list[Cell]]:
    """The rows of a sample as texts."""
    for row in sample.rows:
        yield [
            Cell(_text(value)[:CELL_CHARACTERS], numeric(column), value is None)
            for column, value in zip(sample.columns, row, strict=True)
        ]


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value) if math.isfinite(value) else str(value)
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return " ".join(map(_text, value))
    return str(value)
