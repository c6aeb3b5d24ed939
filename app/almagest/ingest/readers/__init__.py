"""One module for each file format; each gives a `Source`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from almagest.catalogue import Column
from almagest.formats.block import Block


class Head(Protocol):
    """What a source says before its rows."""

    @property
    def name(self) -> str:
        """As the user named it; errors begin with it."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns with the metadata that it carries itself."""

    @property
    def rows(self) -> int | None:
        """Number of rows when known before reading."""


class Source(Head, Protocol):
    """A file to load: typed columns, then all rows, as often as asked."""

    @property
    def path(self) -> Path:
        """The file that holds all of it."""

    def blocks(self) -> Iterator[Block]:
        """All rows in order, at most ROWS at a time. Raises IngestError with the place of what cannot be read."""


def digest(source: Source) -> str:
    """SHA-256 of the source's file, hexadecimal."""
    with source.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
