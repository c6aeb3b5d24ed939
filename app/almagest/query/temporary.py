"""Files for as long as a request lasts: in memory while they are small, then on a disk that all of a process share."""

from __future__ import annotations

import threading
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from almagest.query import limits
from almagest.query.errors import BusyError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_MANY_UPLOADS = "as many large uploads as this service reads at once are on their way; please try again soon"


class TemporaryFile(SpooledTemporaryFile[bytes]):
    """A file without a name, which is gone when it is closed."""

    def __init__(self, left_free: int = 0, refusal: str = _MANY_UPLOADS, *, memory: int | None = None) -> None:
        """left_free: bytes of the disk that this one leaves to others; refusal: said when it may take no more of it;
        memory: bytes that it may have before it needs any, limits.MEMORY_BYTES unless there are fewer."""
        self._left_free = left_free
        self._refusal = refusal
        self._memory = limits.MEMORY_BYTES if memory is None else memory
        self._size = self._taken = 0
        # To the class above 0 is no limit.
        super().__init__(max(1, self._memory))

    def write(self, data: ReadableBuffer) -> int:
        """Append. Raises BusyError when all files of the process together would have too much of the disk."""
        size = self._size + memoryview(data).nbytes
        if size > self._memory:
            if not _disk.take(size - self._taken, self._left_free):
                raise BusyError(self._refusal)
            self._taken = size
        self._size = size
        return super().write(data)

    def __exit__(self, *_: object) -> None:
        # The class above closes only what it wraps.
        self.close()

    def close(self) -> None:
        """Free the memory or the disk."""
        super().close()
        taken, self._taken = self._taken, 0
        _disk.give_back(taken)


class _Disk:
    """What the files of this process have of it."""

    def __init__(self) -> None:
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int, left_free: int) -> bool:
        """False, and nothing is taken, when less than that would be left of limits.TEMPORARY_BYTES."""
        with self._lock:
            if self._taken + size + left_free > limits.TEMPORARY_BYTES:
                return False
            self._taken += size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._taken -= size


_disk = _Disk()
