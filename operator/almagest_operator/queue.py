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
    """Seconds to wait after the n-th failure in a row: `base · 2ⁿ` up to `cap`, of which up to half is jitter.

    deaf: seconds after a failure in which a mark does not shorten the wait. The report of a failure is an event itself,
    so a failure whose message is never the same would otherwise repeat itself without a pause.
    """

    base: float = 0.05
    cap: float = 300.0
    deaf: float = 1.0

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
    """One key. failures: in a row; deaf_until: the loop's time before which a mark does not shorten the wait."""

    dirty: bool = False
    failures: int = 0
    deaf_until: float = 0.0
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
    has a task, or a timer that will make one; a key that keeps failing and is marked all the time runs once in
    `Backoff.deaf` seconds.
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
        if item.task is not None:
            return
        if item.timer is not None and asyncio.get_running_loop().time() < item.deaf_until:
            self._wake(key, item, min(item.timer.when(), item.deaf_until))
        else:
            self._start(key, item)

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

    def _start(self, key: K, item: _Item) -> None:
        item.rest()
        item.task = asyncio.create_task(self._turn(key, item), name=f"reconcile {key}")

    def _wake(self, key: K, item: _Item, when: float) -> None:
        """Start at that time of the loop, unless a mark comes first."""
        item.rest()
        item.timer = asyncio.get_running_loop().call_at(when, self._start, key, item)

    async def _turn(self, key: K, item: _Item) -> None:
        """One run of `work`, and what follows from it: run again, wait, back off, or forget the key."""
        async with self._slots:
            item.dirty = False
            outcome = await self._attempt(key)
        item.task = None
        if self._closed:
            return
        if outcome.forget and not item.dirty:
            self._items.pop(key, None)
            return
        now = asyncio.get_running_loop().time()
        item.failures = item.failures + 1 if outcome.failed else 0
        item.deaf_until = now + self.backoff.deaf if outcome.failed else now
        self._wake(key, item, now + self._delay(key, item, outcome))
        if item.dirty:
            self.mark(key)

    def _delay(self, key: K, item: _Item, outcome: Outcome) -> float:
        """Seconds until the next run if nothing marks the key."""
        delay = self.backoff.delay(item.failures, self.dice) if outcome.failed else self.resync.delay(self.dice)
        if outcome.requeue_after is not None:
            delay = outcome.requeue_after if outcome.failed else min(delay, outcome.requeue_after)
        if outcome.failed:
            facts = {"archive": str(key), "failures": item.failures, "retry_in": round(delay, 2)}
            log.warning("reconcile failed %d times in a row", item.failures, extra=facts)
        return delay

    async def _attempt(self, key: K) -> Outcome:
        """`work(key)`; an exception is a failure. This is the edge of a reconcile: no error may end the queue."""
        try:
            return await self.work(key)
        except Exception as error:
            log.exception("reconcile failed: %s", error, extra={"archive": str(key)})  # noqa: TRY401 the line alone must say why
            return Outcome(failed=True)
