"""Files for as long as a request lasts: in memory while they are small, then on a disk that all of a process share."""

from __future__ import annotations

import threading
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from almagest.query import limits
from almagest.query.errors import BusyError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class TemporaryFile(SpooledTemporaryFile[bytes]):
    """A file without a name, which is gone when it is closed."""

    def __init__(self) -> None:
        self._taken = 0
        super().__init__(limits.MEMORY_BYTES)

    def write(self, data: ReadableBuffer) -> int:
        """Raises BusyError when all files of the process together would have more than limits.TEMPORARY_BYTES."""
        size = memoryview(data).nbytes
        _disk.take(size)
        self._taken += size
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

    def take(self, size: int) -> None:
        with self._lock:
            if self._taken + size > limits.TEMPORARY_BYTES:
                raise BusyError(
                    "as many large files as this service keeps at once, answers that are counted before they are sent"
                    " and uploads, are on their way; please try again soon, or choose VOTable, which is sent at once"
                )
            self._taken += size

    def give_back(self, size: int) -> None:
        with self._lock:
            self._taken -= size


_disk = _Disk()
