"""What an answer's format does: PostgreSQL writes the rows, this writes the frame around them.

A caller runs `SELECT <row_expression> FROM (<query>) AS r (c1, …, cn)`, which gives one `bytea` a row, and sends
`header`, then `encode` of those bytes in blocks of any size, then `footer`. The rows never become Python objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from almagest.adql.catalogue import Column

CHUNK = 1 << 16
"""Least size in bytes of a chunk of an answer, but for the last: a server spends more on smaller ones than we do."""


class Status(StrEnum):
    """How an answer ended (DALI 1.1 §4.4): complete, cut at MAXREC, or broken off."""

    OK = "OK"
    OVERFLOW = "OVERFLOW"
    ERROR = "ERROR"


class Format(Protocol):
    """A serialisation of a table. media_type: as in Content-Type; extension: of a saved file, without the dot.

    A format that has no place for a status cannot say OVERFLOW, but its `footer` for ERROR must make every reader fail,
    so that nobody takes the part for the whole.
    """

    @property
    def media_type(self) -> str: ...

    @property
    def extension(self) -> str: ...

    def row_expression(self, columns: Sequence[Column]) -> str:
        """A PostgreSQL expression of type bytea over the columns c1 … cn of a subquery: one row, with its separator."""

    def header(self, columns: Sequence[Column], info: Mapping[str, str]) -> bytes:
        """What comes before the rows. info: name → value of what is told about the answer, e.g. QUERY; escaped here."""

    def encode(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The rows' bytes, in chunks of at least CHUNK but for the last. blocks: whole or part rows, in order."""

    def footer(self, status: Status, message: str = "") -> bytes:
        """What comes after the rows. message: for people, with ERROR and OVERFLOW."""
