"""Rows kept on disk until all of them are there, for formats that say first how many follow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Protocol

import numpy as np

from almagest.formats import Ending, RawBlock
from almagest.query import limits
from almagest.query.errors import QueryError, TooLargeError

_HEAD = struct.Struct("=QQ")


class Failing(Protocol):
    """Rows that may break off."""

    def __iter__(self) -> Iterator[RawBlock]: ...
    def ending(self) -> Ending: ...
    def failure(self) -> QueryError | None: ...
    def close(self) -> None: ...


class Spool:
    """All the rows of an answer, to be iterated any number of times. The file has no name and goes with the answer."""

    def __init__(self, rows: Failing) -> None:
        """Read the rows to their end and let their connection go.

        Raises what ended them early, and TooLargeError when they need more than limits.SPOOL_BYTES.
        """
        self.count = 0
        self._file = TemporaryFile()  # noqa: SIM115 - closed with the answer
        try:
            self._fill(rows)
        except BaseException:
            self.close()
            raise
        finally:
            rows.close()
        self._ending = rows.ending()

    def __iter__(self) -> Iterator[RawBlock]:
        self._file.seek(0)
        while head := self._file.read(_HEAD.size):
            size, count = _HEAD.unpack(head)
            data = self._file.read(size)
            yield RawBlock(data, np.frombuffer(self._file.read(count * np.dtype(np.intp).itemsize), np.intp))

    def ending(self) -> Ending:
        """How they ended, which is known from the beginning."""
        return self._ending

    def close(self) -> None:
        """Free the disk."""
        self._file.close()

    def _fill(self, rows: Failing) -> None:
        for block in rows:
            self._file.write(_HEAD.pack(len(block.data), len(block.starts)))
            self._file.write(block.data)
            self._file.write(block.starts.astype(np.intp).tobytes())
            self.count += len(block.starts)
            if self._file.tell() > limits.SPOOL_BYTES:
                raise TooLargeError(
                    "the answer is too large for this format, which has to know its size before it begins; choose"
                    " another format, e.g. VOTable or Parquet, or ask for less at once"
                )
        failure = rows.failure()
        if failure:
            raise failure
