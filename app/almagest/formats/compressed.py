"""Any format in gzip."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Ending, Format, Rows

_LEVEL = 1
"""The fastest: the others take several times as long and save little of numbers."""

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Gzipped:
    """A format whose document is to be sent with `Content-Encoding: gzip` (RFC 9110 §8.4.1.3)."""

    plain: Format

    @property
    def media_type(self) -> str:
        """As without."""
        return self.plain.media_type

    @property
    def extension(self) -> str:
        """As without: who receives it decodes it."""
        return self.plain.extension

    @property
    def encoding(self) -> str:
        """The name of the coding in HTTP."""
        return "gzip"

    def check(self, columns: Sequence[Column]) -> None:
        """As without."""
        self.plain.check(columns)

    def copy(self, columns: Sequence[Column]) -> Copy:
        """As without."""
        return self.plain.copy(columns)

    def length(self, columns: Sequence[Column], about: About, count: int, ending: Ending) -> int | None:  # noqa: ARG002 - as the protocol says
        """Unknown."""
        return None

    def broken(self, message: str) -> bytes:  # noqa: ARG002 - as the protocol says
        """Nothing: what was compressed has no end then."""
        return b""

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """The same, compressed as it comes."""
        return gzipped(self.plain.document(columns, about, rows))


def gzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """`parts` as one member of gzip (RFC 1952), without a time, so that the same bytes give the same bytes."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for part in parts:
        yield compressor.compress(part)
    yield compressor.flush()
