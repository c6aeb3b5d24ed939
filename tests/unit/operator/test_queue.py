"""The work queue, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest_operator.plan import GONE, SETTLED, Outcome
from almagest_operator.queue import Backoff, Resync, WorkQueue
from support import virtualtime


@dataclass
class Work:
    """Records what the queue does with it; each run takes `takes` virtual seconds."""

    takes: float = 1.0
    outcome: Outcome = SETTLED
    fail: int = 0
    runs: list[tuple[str, float]] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    most: int = 0

    async def __call__(self, key: str) -> Outcome:
        self.runs.append((key, asyncio.get_running_loop().time()))
        self.running[key] += 1
        assert self.running[key] == 1, f"{key} runs twice at once"
        self.most = max(self.most, self.running.total())
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.running[key] -= 1
        if self.fail:
            self.fail -= 1
            raise RuntimeError("as the test wants it")
        return self.outcome

    def times(self) -> list[float]:
        return [time for _, time in self.runs]


def queue_of(work: Callable[[str], Awaitable[Outcome]], **options: object) -> WorkQueue[str]:
    return WorkQueue(work, dice=random.Random(1), **options)  # type: ignore[arg-type]  # options of several types


def test_marks_before_a_run_coalesce_into_one() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work())
        for _ in range(5):
            queue.mark("a")
        await asyncio.sleep(10)
        await queue.close()
        return work

    assert virtualtime.run(scenario()).times() == [0]


def test_a_mark_during_a_run_causes_exactly_one_more() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(takes=2))
        queue.mark("a")
        await asyncio.sleep(1)
        queue.mark("a")
        queue.mark("a")
        await asyncio.sleep(20)
        await queue.close()
        return work

    assert virtualtime.run(scenario()).times() == [0, 2]


def test_no_more_than_the_limit_work_at_once() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(), concurrency=3)
        for number in range(20):
            queue.mark(str(number))
        await asyncio.sleep(60)
        await queue.close()
        return work

    work = virtualtime.run(scenario())
    assert len(work.runs) == 20
    assert work.most == 3


def gaps_between_tries(work: Work) -> list[float]:
    """Seconds from each of one key's runs to the next."""

    async def scenario() -> None:
        queue = queue_of(work)
        queue.mark("a")
        await asyncio.sleep(5_000)
        await queue.close()

    virtualtime.run(scenario())
    return [late - early for early, late in pairwise(work.times())]


def test_failures_back_off_and_a_success_forgives_them() -> None:
    gaps = gaps_between_tries(Work(takes=0, fail=20))
    assert len(gaps) == 20, "none after the success"
    assert gaps[0] <= 0.1
    assert all(gap <= 300 for gap in gaps)
    assert all(gap >= 150 for gap in gaps[-5:]), "capped, with at most half of it jitter"


def test_a_mark_ends_a_backoff() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(takes=0, fail=1), backoff=Backoff(base=100))
        queue.mark("a")
        await asyncio.sleep(1)
        queue.mark("a")
        await asyncio.sleep(1)
        await queue.close()
        return work

    assert virtualtime.run(scenario()).times() == [0, 1]


@pytest.mark.parametrize(
    ("outcome", "at_least"), [(Outcome(failed=True), 5), (Outcome(failed=True, requeue_after=60), 3)]
)
def test_a_failure_that_marks_its_own_key_makes_no_busy_loop(outcome: Outcome, at_least: int) -> None:
    """The report of a failure is an event; where its message is another each time, each report asks for a run."""

    async def scenario() -> Work:
        work = Work(takes=0, outcome=outcome)

        async def report_and_fail(key: str) -> Outcome:
            found = await work(key)
            asyncio.get_running_loop().call_later(0.01, queue.mark, key)
            return found

        queue = queue_of(report_and_fail)
        queue.mark("a")
        await asyncio.sleep(60)
        await queue.close()
        return work

    assert at_least <= len(virtualtime.run(scenario()).runs) <= 70


def test_an_outcome_that_failed_backs_off_as_an_exception_does() -> None:
    gaps = gaps_between_tries(Work(takes=0, outcome=Outcome(failed=True)))
    assert gaps[0] <= 0.1
    assert all(150 <= gap <= 300 for gap in gaps[-5:])


def test_requeue_after_is_obeyed() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(takes=0, outcome=Outcome(requeue_after=60)))
        queue.mark("a")
        await asyncio.sleep(150)
        await queue.close()
        return work

    assert virtualtime.run(scenario()).times() == pytest.approx([0, 60, 120])


def test_a_quiet_key_comes_round_within_ten_hours_and_a_fifth() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(takes=0))
        queue.mark("a")
        await asyncio.sleep(24 * 3600)
        await queue.close()
        return work

    gap = virtualtime.run(scenario()).times()[1]
    assert 8 * 3600 <= gap <= 12 * 3600


def test_a_forgotten_key_never_comes_round() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(outcome=GONE))
        queue.mark("a")
        await asyncio.sleep(100 * 3600)
        await queue.close()
        return work

    assert len(virtualtime.run(scenario()).runs) == 1


def test_close_cancels_what_runs_and_takes_no_more() -> None:
    async def scenario() -> Work:
        queue = queue_of(work := Work(takes=100))
        queue.mark("a")
        await asyncio.sleep(1)
        await queue.close()
        queue.mark("b")
        await asyncio.sleep(100)
        return work

    work = virtualtime.run(scenario())
    assert [key for key, _ in work.runs] == ["a"]
    assert work.running.total() == 0


@given(
    marks=st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 50)), max_size=40),
    concurrency=st.integers(1, 4),
    failures=st.integers(0, 10),
)
def test_every_mark_is_followed_by_a_run_that_began_after_it(
    marks: list[tuple[str, float]], concurrency: int, failures: int
) -> None:
    """The queue's promise, for any sequence of marks: nothing is lost, nothing runs twice at once."""

    async def scenario() -> Work:
        work = Work(takes=3, fail=failures)
        queue = queue_of(work, concurrency=concurrency, backoff=Backoff(cap=20), resync=Resync(period=1e9))
        loop = asyncio.get_running_loop()
        for key, when in marks:
            loop.call_at(when, queue.mark, key)
        await asyncio.sleep(5_000)
        await queue.close()
        return work

    work = virtualtime.run(scenario())
    assert work.most <= concurrency
    for key, when in marks:
        assert any(ran == key and time >= when - 1e-6 for ran, time in work.runs)  # the loop's own tolerance
    assert len(work.runs) <= len(marks) + failures


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_backoff_stays_within_its_bounds(failures: int, seed: int) -> None:
    backoff = Backoff()
    full = min(300.0, 0.05 * 2.0 ** min(failures, 32))
    assert full / 2 <= backoff.delay(failures, random.Random(seed)) <= full
