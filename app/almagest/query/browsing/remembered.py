"""What was found out about results, kept by the process: a result never changes, so neither does what is true of it."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """The last `most` things that were found out, by result and question."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[tuple[uuid.UUID, bytes], Found] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, result: uuid.UUID, question: object, find: Callable[[], Found]) -> Found:
        """What was found out, or is now; where several find it out at once, what the first of them found.

        question: whatever its `repr` tells apart, which may be long.
        """
        key = result, hashlib.sha256(repr(question).encode(errors="surrogatepass")).digest()
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = find()
        with self._lock:
            found = self._found.setdefault(key, found)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return found
