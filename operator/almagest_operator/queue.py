"""A keyed work queue: marks coalesce, one task a key at most, failures back off, everything comes round again.

The queue knows nothing about archives. It calls `work(key)`, which may be called at any time and any number of
times, and obeys the `Outcome`. It uses the running loop's clock alone, so tests drive it in virtual time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from almagest_operator.plan.outcome import Outcome

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait after the n-th failure in a row: `base · 2ⁿ` up to `cap`, of which up to half is jitter."""

    base: float = 0.05
    cap: float = 300.0

    def delay(self, failures: int, dice: random.Random) -> float:
        """Seconds; `failures` counts from 1. The exponent is bounded so that no float overflows."""
        full = min(self.cap, self.base * 2.0 ** min(failures, 32))
        return full * dice.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Resync:
    """Seconds until a quiet key is looked at again: `period` ± `spread`, so that archives do not march in step."""

    period: float = 36_000.0
    spread: float = 0.2

    def delay(self, dice: random.Random) -> float:
        return self.period * dice.uniform(1 - self.spread, 1 + self.spread)


@dataclass
class _Item:
    dirty: bool = False
    failures: int = 0
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    def rest(self) -> None:
        """Drop the pending timer: something more urgent has come up, or nothing will."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass
class WorkQueue(Generic[K]):
    """Runs `work` for keys that were marked dirty.

    Invariants, whatever the order of calls: a key has at most one running task; a mark that arrives while its task
    runs causes exactly one more run; at most `concurrency` tasks work at once; a key that is not forgotten always
    has a task, or a timer that will make one.
    """

    work: Callable[[K], Awaitable[Outcome]]
    concurrency: int = 10
    backoff: Backoff = Backoff()
    resync: Resync = Resync()
    dice: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._items: dict[K, _Item] = {}
        self._slots = asyncio.Semaphore(self.concurrency)
        self._closed = False

    def mark(self, key: K) -> None:
        """Say that something about `key` may have changed; returns at once."""
        if self._closed:
            return
        item = self._items.setdefault(key, _Item())
        item.dirty = True
        item.rest()
        if item.task is None:
            item.task = asyncio.create_task(self._turn(key, item), name=f"reconcile {key}")

    async def close(self) -> None:
        """Take no more marks, cancel timers and running work, and wait until it has ended."""
        self._closed = True
        running = []
        for item in self._items.values():
            item.rest()
            if item.task is not None:
                item.task.cancel()
                running.append(item.task)
        await asyncio.gather(*running, return_exceptions=True)
        self._items.clear()

    async def _turn(self, key: K, item: _Item) -> None:
        """One run of `work`, and what follows from it: run again, wait, back off, or forget the key."""
        async with self._slots:
            item.dirty = False
            outcome = await self._attempt(key, item)
        item.task = None
        if self._closed:
            return
        if item.dirty:
            self.mark(key)
        elif outcome.forget:
            self._items.pop(key, None)
        else:
            delay = self.resync.delay(self.dice)
            if outcome.requeue_after is not None:
                delay = min(delay, outcome.requeue_after)
            item.timer = asyncio.get_running_loop().call_later(delay, self.mark, key)

    async def _attempt(self, key: K, item: _Item) -> Outcome:
        """`work(key)`; an exception becomes a delay. This is the edge of a reconcile: no error may end the queue."""
        try:
            outcome = await self.work(key)
        except Exception as error:
            item.failures += 1
            delay = self.backoff.delay(item.failures, self.dice)
            facts = {"archive": str(key), "failures": item.failures, "retry_in": round(delay, 2)}
            log.exception("reconcile failed: %s", error, extra=facts)  # noqa: TRY401 the line alone must say why
            return Outcome(requeue_after=delay)
        item.failures = 0
        return outcome
