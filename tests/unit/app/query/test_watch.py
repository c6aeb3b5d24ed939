"""A thread that gets nowhere is ended, whatever it does; one that waits with right, or is done, is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from almagest.query.watch import GRACE, TURNS, StalledError, Watch

SECONDS = 60


@contextmanager
def thread(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """A thread that works until the test is done with it."""
    started = threading.Thread(target=work, daemon=True)
    started.start()
    yield started
    started.join(SECONDS)
    assert not started.is_alive()


def turns(watch: Watch, count: int) -> None:
    for _ in range(count):
        watch.look()


def spin() -> None:
    while True:
        pass


def recurse() -> None:
    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)

    while True:
        deeper(50)


def wait_by_turns() -> None:
    while True:
        threading.Event().wait(0.01)


@pytest.mark.parametrize("work", [spin, recurse, wait_by_turns])
def test_a_step_without_a_sign_is_ended_wherever_it_is(work: Callable[[], None]) -> None:
    watch = Watch()
    begun, ended = threading.Event(), threading.Event()

    def in_step() -> None:
        with watch.step():
            begun.set()
            work()

    def step() -> None:
        with pytest.raises(StalledError):
            in_step()
        ended.set()

    with thread(step):
        assert begun.wait(SECONDS)
        turns(watch, TURNS)
        assert not ended.is_set()
        watch.look()
        assert ended.wait(SECONDS)
    turns(watch, 2 * GRACE)
    assert watch.lost() == 0


def test_a_thread_that_cannot_be_ended_is_lost() -> None:
    watch = Watch()
    begun, told, enough = threading.Event(), threading.Event(), threading.Event()

    def stubborn() -> None:
        with watch.step():
            begun.set()
            while not enough.is_set():
                try:
                    spin()
                except StalledError:
                    told.set()
                    enough.wait(SECONDS)

    with thread(stubborn):
        assert begun.wait(SECONDS)
        turns(watch, TURNS + 1)
        assert told.wait(SECONDS)
        turns(watch, GRACE)
        assert watch.lost() == 0
        watch.look()
        assert watch.lost() == 1
        enough.set()
    assert watch.lost() == 0


def test_signs_and_waiting_with_right_prolong_a_step() -> None:
    watch = Watch()
    with watch.step():
        for _ in range(3):
            turns(watch, TURNS)
            watch.sign()
        with watch.waiting(100):
            turns(watch, TURNS + 100)
        turns(watch, TURNS)
    with pytest.raises(StalledError), watch.step(), watch.waiting(100):
        spin_through(watch, TURNS + 101)


def test_a_step_within_a_step_counts_for_itself() -> None:
    watch = Watch()
    with watch.step():
        turns(watch, TURNS)
        with watch.step():
            turns(watch, TURNS)
        with pytest.raises(StalledError):
            spin_through(watch, 1)


def spin_through(watch: Watch, count: int) -> None:
    turns(watch, count)
    spin()


def test_between_two_steps_nothing_counts() -> None:
    watch = Watch()
    for _ in range(3):
        with watch.step():
            turns(watch, TURNS)
        turns(watch, 2 * TURNS)


def test_what_was_told_too_late_is_raised_in_the_step_or_nowhere() -> None:
    watch = Watch()
    done = threading.Event()
    raised = 0

    def steps() -> None:
        nonlocal raised
        number = 0
        # Whether the watch looks during any of so many short steps is up to the scheduler.
        while number < 5000 or (not raised and number < 5_000_000):
            number += 1
            try:
                with watch.step(0):
                    sum(range(20))
            except StalledError:
                raised += 1
            # It would be raised here, and end the thread.
            sum(range(20))
        done.set()

    with thread(steps) as working:
        while working.is_alive():
            watch.look()
    assert done.is_set()
    assert raised
