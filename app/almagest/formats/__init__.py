"""PURE. How an answer is written down: which formats there are, and which one a request means."""

from __future__ import annotations

from almagest.formats.about import About, Coordinates, Input, Link, Origin, ServiceDescriptor
from almagest.formats.document import MEDIA_TYPE, error_document, placed
from almagest.formats.format import CHUNK, Copy, Ending, Format, Rows, Status, TooWideError
from almagest.formats.lines import LARGEST
from almagest.formats.negotiation import FORMATS, UnsupportedFormat, negotiate
from almagest.formats.rows import RawBlock

__all__ = [
    "CHUNK",
    "FORMATS",
    "LARGEST",
    "MEDIA_TYPE",
    "About",
    "Coordinates",
    "Copy",
    "Ending",
    "Format",
    "Input",
    "Link",
    "Origin",
    "RawBlock",
    "Rows",
    "ServiceDescriptor",
    "Status",
    "TooWideError",
    "UnsupportedFormat",
    "error_document",
    "negotiate",
    "placed",
]
