"""Parts of an answer that wait until all of them are there, for formats that say first how many rows follow."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from almagest.query import limits
from almagest.query.errors import TooLargeError
from almagest.query.temporary import TemporaryFile

_SIZE = struct.Struct("=Q")
_MANY_ANSWERS = (
    "as many large answers as this service counts before it sends them are on their way; please try again soon, or"
    " choose VOTable, which is sent at once"
)


class Spool:
    """Parts to be iterated any number of times: in memory, or, when there are many, in a file that has no name and goes
    with the answer."""

    def __init__(self, parts: Iterable[bytes | memoryview]) -> None:
        """Take all of them. Raises TooLargeError when they need more than limits.SPOOL_BYTES, BusyError when there is
        no room for them beside others."""
        self._file = TemporaryFile(limits.RESERVED_FOR_UPLOADS_BYTES, _MANY_ANSWERS)
        try:
            self._fill(parts)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while size := self._file.read(_SIZE.size):
            yield self._file.read(*_SIZE.unpack(size))

    def close(self) -> None:
        """Free the memory or the disk."""
        self._file.close()

    def _fill(self, parts: Iterable[bytes | memoryview]) -> None:
        size = 0
        for part in parts:
            size += self._file.write(_SIZE.pack(len(part))) + self._file.write(part)
            if size > limits.SPOOL_BYTES:
                raise TooLargeError(
                    "the answer is too large for this format, which has to know its size before it begins; choose"
                    " another format, e.g. VOTable or Parquet, or ask for less at once"
                )
