"""A gzip file read as what is in it, from the beginning on, and again from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast

from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.stream import Gunzip
from almagest.formats.decode.table import CHUNK, Bounds

MAGIC = b"\x1f\x8b"
"""RFC 1952 §2.3.1."""


def unzipped(file: BinaryIO, bounds: Bounds) -> BinaryIO:
    """The file from its beginning, or what is in it when it is gzip, whatever its name says."""
    file.seek(0)
    zipped = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return cast("BinaryIO", Unzipped(file, bounds)) if zipped else file


class Unzipped:
    """What decoders need of a file: `read`, and `seek(0)`. Raises DecodingError from either."""

    def __init__(self, file: BinaryIO, bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self._begin()

    def seek(self, place: int, whence: int = 0) -> int:
        """Begin again at 0, or read on to a later place. Raises DecodingError for others, which Parquet needs."""
        if whence or 0 < place < self._place:
            raise DecodingError("values of this file stand before others that they belong to; send it uncompressed")
        if not place:
            self._begin()
        while self._place < place and self.read(min(CHUNK, place - self._place)):
            pass
        return self._place

    def _begin(self) -> None:
        self._file.seek(0)
        self._gunzip = Gunzip(self._bounds)
        self._pieces = self._decoded()
        self._rest = b""
        self._place = 0

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end only."""
        parts, length = [self._rest], len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            length += len(piece)
        data = b"".join(parts)
        self._rest = data[size:]
        self._place += min(size, len(data))
        return data[:size]

    def _decoded(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            yield from self._gunzip.decode(chunk)
        yield from self._gunzip.finish()
