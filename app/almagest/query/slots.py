"""How many requests of this process may take long at once: running queries, sending results, waiting for jobs.

A request holds a thread of the web server until it is done. A few threads are therefore kept for those that never take
long, so that pages, probes and polls are answered however busy the queries are; and of the slots for queries some are
kept for those that have just begun, so that a short query finds one however many large answers are on their way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from almagest.config.environment import environment

KEPT_FREE = 2
"""Threads for requests that take no slot."""

FOR_NEWCOMERS = 3
"""One slot in so many is for requests that have not been going on for long."""


class Slot:
    """A request's right to take some time. It ends with `give_back`."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._long = False

    def prolong(self) -> bool:
        """Say that this one takes long; False when as many as may do so already."""
        if not self._long:
            self._long = self._slots.long.acquire(blocking=False)
        return self._long

    def give_back(self) -> None:
        """Let others have it."""
        if self._long:
            self._slots.long.release()
        self._slots.all.release()


class Slots:
    """All of a process. capacity: how many; a third of them are for newcomers, the others for whoever needs long."""

    def __init__(self, capacity: int) -> None:
        self.all = threading.BoundedSemaphore(capacity)
        self.long = threading.BoundedSemaphore(max(1, capacity - capacity // FOR_NEWCOMERS))

    @contextmanager
    def slot(self, seconds: float) -> Iterator[Slot | None]:
        """Hold a slot during the block; None when none came free within so many seconds."""
        if not self.all.acquire(timeout=seconds):
            yield None
            return
        held = Slot(self)
        try:
            yield held
        finally:
            held.give_back()


def capacity() -> int:
    """Slots of this process."""
    return max(1, environment().web_threads - KEPT_FREE)


@contextmanager
def slot(seconds: float) -> Iterator[Slot | None]:
    """Hold one of this process's slots during the block; None when none came free within so many seconds."""
    with _slots().slot(seconds) as held:
        yield held


@cache
def _slots() -> Slots:
    return Slots(capacity())
