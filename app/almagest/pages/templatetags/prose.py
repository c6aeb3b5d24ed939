"""Filters for texts that people wrote."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

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
