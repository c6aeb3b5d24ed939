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
            self._long = self._slots.take_long()
        return self._long

    @property
    def crowded(self) -> bool:
        """Whether this one could not take long, as things are."""
        return not self._long and self._slots.long_left == 0

    def give_back(self) -> None:
        """Let others have it."""
        if self._long:
            self._slots.give_long_back()
        self._slots.all.release()


class Slots:
    """All of a process. capacity: how many; a third of them are for newcomers, the others for whoever needs long, of
    which `long_left` are free. Who only waits has some of the newcomers', so that waiting keeps nobody from working."""

    def __init__(self, capacity: int) -> None:
        newcomers = capacity // FOR_NEWCOMERS
        self.all = threading.BoundedSemaphore(capacity)
        self.long_left = max(1, capacity - newcomers)
        self._waiters = threading.BoundedSemaphore(newcomers // 2)
        self._lock = threading.Lock()

    def take_long(self) -> bool:
        """Have one more take long; False when as many as may do so already."""
        with self._lock:
            if self.long_left == 0:
                return False
            self.long_left -= 1
            return True

    def give_long_back(self) -> None:
        """Let another one take long."""
        with self._lock:
            self.long_left += 1

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

    @contextmanager
    def waiter(self) -> Iterator[bool]:
        """Hold a slot during the block in which to wait for others' work; whether there was one."""
        if not self._waiters.acquire(blocking=False):
            yield False
            return
        try:
            with self.slot(0) as held:
                yield held is not None
        finally:
            self._waiters.release()


def capacity() -> int:
    """Slots of this process."""
    return max(1, environment().web_threads - KEPT_FREE)


@contextmanager
def slot(seconds: float) -> Iterator[Slot | None]:
    """Hold one of this process's slots during the block; None when none came free within so many seconds."""
    with _slots().slot(seconds) as held:
        yield held


@contextmanager
def waiter() -> Iterator[bool]:
    """Hold one of this process's slots for waiting during the block; whether there was one."""
    with _slots().waiter() as held:
        yield held


@cache
def _slots() -> Slots:
    return Slots(capacity())
