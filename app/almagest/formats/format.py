"""What an answer's format does: PostgreSQL writes the rows, this writes the document around them.

A caller asks the format what to `copy`, runs `COPY (SELECT <expressions> FROM (<query>) AS r (c1, …, cn)) TO STDOUT
(<options>)`, and sends what `document` makes of the blocks that come. The rows never become Python objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.rows import RawBlock

CHUNK = 1 << 16
"""Least size in bytes of a chunk of an answer, but for the last: a server spends more on smaller ones than we do."""


class Status(StrEnum):
    """How an answer ended (DALI 1.1 §4.4): complete, cut at MAXREC, or broken off."""

    OK = "OK"
    OVERFLOW = "OVERFLOW"
    ERROR = "ERROR"


class TooWideError(ValueError):
    """A format cannot hold such a table, or would become far larger than its values. Its text is for who asked."""


Ending: TypeAlias = tuple[Status, str]
"""How the rows ended, with words for people unless OK."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What PostgreSQL is asked to write of each row. expressions: SQL over the columns c1 … cn; options: COPY's."""

    expressions: tuple[str, ...]
    options: str = "FORMAT binary"

    @property
    def binary(self) -> bool:
        """Whether the rows come as values, not as lines."""
        return self.options == "FORMAT binary"


class Rows(Protocol):
    """The rows of an answer, to be iterated once. count: how many there are; None where nobody knows that before they
    were read."""

    @property
    def count(self) -> int | None: ...

    def __iter__(self) -> Iterator[RawBlock]: ...

    def ending(self) -> Ending:
        """How they ended, once they were read."""

    def spooled(self, parts: Iterable[bytes | memoryview]) -> Iterable[bytes]:
        """What a format makes of these rows and cannot send yet: all of `parts` now, and again when it is iterated.

        Raises what ended the rows early: nothing has been sent then.
        """

    def announce(self, size: int) -> None:
        """Hear how many bytes the rows will be, from a format that knows it before it sends any.

        Raises what speaks against so many.
        """


class Format(Protocol):
    """A serialisation of a table. media_type: as in Content-Type; extension: of a saved file, without the dot;
    encoding: as in Content-Encoding, None for none.

    A format that has no place for a status cannot say OVERFLOW, but a document whose rows ended in ERROR must make
    every reader fail, so that nobody takes the part for the whole. The same rows always give the same bytes, however
    they fall into blocks: downloads are resumed on that.
    """

    @property
    def media_type(self) -> str: ...

    @property
    def extension(self) -> str: ...

    @property
    def encoding(self) -> str | None: ...

    def check(self, columns: Sequence[Column]) -> None:
        """Raise TooWideError when a table of these columns cannot be written so. Asked before anything else."""

    def copy(self, columns: Sequence[Column]) -> Copy:
        """What to ask of PostgreSQL."""

    def length(self, columns: Sequence[Column], about: About, count: int, ending: Ending) -> int | None:
        """The size in bytes of a document of so many rows that ended so, where that follows from their number."""

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """The whole answer, in parts of any size. about: what it tells about itself; escaped here."""

    def broken(self, message: str) -> bytes:
        """What to send after any of the parts when no other will come, so that every reader fails."""


class Streamed:
    """The common case: a document of one pass, as it is, whose size nobody knows before its end."""

    @property
    def encoding(self) -> str | None:
        """None."""
        return None

    def check(self, columns: Sequence[Column]) -> None:
        """Any will do."""

    def length(self, columns: Sequence[Column], about: About, count: int, ending: Ending) -> int | None:  # noqa: ARG002 - as the protocol says
        """Unknown."""
        return None

    def broken(self, message: str) -> bytes:  # noqa: ARG002 - as the protocol says
        """Nothing: a document of this format without its end is none."""
        return b""
