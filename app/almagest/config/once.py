"""What a process has one of and makes when it is first wanted: a pool, a connection, a count of slots.

`functools.cache` makes several when several threads want it first, and each thread goes on with its own: two counts of
slots then let twice as many in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Once(Generic[Made]):
    """A function that makes its result at the first call and gives it to every later one, in all threads.

    A call that raises has made nothing; the next one tries again.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self.__doc__ = make.__doc__
        self._make = make
        self._made: list[Made] = []
        self._lock = threading.Lock()

    def __call__(self) -> Made:
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    def cache_clear(self) -> None:
        """Forget it, as `functools.cache` does: the next call makes another."""
        self._made.clear()


def once(make: Callable[[], Made]) -> Once[Made]:
    """The function made one of that kind."""
    return Once(make)
