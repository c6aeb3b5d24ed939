"""Who is let in: how many requests of this process may take long at once, and how many of them may send much.

A request holds a thread of the web server until it is done. A few threads are therefore kept for those that never take
long, so that pages, probes and polls are answered however busy the queries are; and of the slots for queries some are
kept for those that have just begun, so that a short query finds one however many large answers are on their way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from almagest.config.environment import environment
from almagest.config.once import once
from almagest.formats import RawBlock
from almagest.query import limits
from almagest.query.errors import BusyError

FREE_THREADS = 2
"""Threads for requests that take no slot."""

FOR_NEWCOMERS = 3
"""One slot in so many is for requests that have not been going on for long."""

WAIT_SECONDS = 1.0
"""How long a request waits for another one to end before it is told to come back."""

MANY_QUERIES = "too many queries are running at this moment; please try again soon"

_MANY_LARGE = (
    "as many large answers as this service sends at once are on their way; please try again soon,"
    " or run the query as an asynchronous job and fetch its result later"
)


class Slot:
    """A request's right to take some time, and the one place where it is asked whether it may take long.

    brief: whether whoever takes its answer stops before that is large.
    """

    def __init__(self, slots: Slots, *, brief: bool = False) -> None:
        self._slots = slots
        self._brief = brief
        self._long = False

    def stay(self, refusal: str) -> None:
        """Say that this one takes long. Raises BusyError with these words when as many as may do so already."""
        if not self._long:
            self._long = self._slots.take_long()
        if not self._long:
            raise BusyError(refusal)

    def announce(self, size: int) -> None:
        """Say that the answer has so many bytes. Raises BusyError when it is large and as many large ones as may be are
        on their way: whoever reads slowly, stays."""
        if size > limits.LARGE_BYTES and not self._brief:
            self.stay(_MANY_LARGE)

    def passed(self, blocks: Iterable[RawBlock]) -> Iterator[RawBlock]:
        """An answer's blocks, as long as it may go on; where it could not stay, as things are when it begins, none
        comes out before it is clear that it need not. Raises BusyError."""
        held = not self._long and not self._brief and self._slots.long_left == 0
        size = 0
        waiting: list[RawBlock] = []
        for block in blocks:
            size += len(block.data)
            if size > limits.LARGE_BYTES:
                self.stay(_MANY_LARGE)
            waiting.append(block)
            if not held or size > limits.LARGE_BYTES:
                yield from waiting
                waiting.clear()
        yield from waiting

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
    def slot(self, seconds: float, refusal: str = MANY_QUERIES, *, brief: bool = False) -> Iterator[Slot]:
        """Hold a slot during the block. Raises BusyError when none came free within so many seconds."""
        if not self.all.acquire(timeout=seconds):
            raise BusyError(refusal)
        held = Slot(self, brief=brief)
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
            if not self.all.acquire(blocking=False):
                yield False
                return
            try:
                yield True
            finally:
                self.all.release()
        finally:
            self._waiters.release()


def capacity() -> int:
    """Slots of this process."""
    return max(1, environment().web_threads - FREE_THREADS)


@contextmanager
def slot(refusal: str = MANY_QUERIES, *, brief: bool = False) -> Iterator[Slot]:
    """Hold one of this process's slots during the block. Raises BusyError with these words when none comes free."""
    with _slots().slot(WAIT_SECONDS, refusal, brief=brief) as held:
        yield held


@contextmanager
def waiter() -> Iterator[bool]:
    """Hold one of this process's slots for waiting during the block; whether there was one."""
    with _slots().waiter() as held:
        yield held


@once
def _slots() -> Slots:
    return Slots(capacity())
