"""Long requests leave room for short ones, however many there are; a large answer is one, a brief one is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from almagest.formats import RawBlock
from almagest.query import limits
from almagest.query.errors import BusyError
from almagest.query.slots import Slot, Slots

MANY = "so many are on their way"


def stays(slot: Slot) -> bool:
    try:
        slot.stay(MANY)
    except BusyError:
        return False
    return True


def blocks(count: int, taken: list[int] | None = None) -> Iterator[RawBlock]:
    """Blocks of a quarter of what makes an answer large, and which of them were asked for."""
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield RawBlock(bytes(limits.LARGE_BYTES // 4), np.empty(0, np.intp))


@pytest.fixture
def crowded() -> Iterator[Slots]:
    """Three slots, one of which is left; the others are long."""
    slots = Slots(3)
    with slots.slot(0) as first, slots.slot(0) as second:
        assert stays(first)
        assert stays(second)
        yield slots


def test_long_requests_leave_slots_for_newcomers() -> None:
    slots = Slots(6)
    with ExitStack() as stack:
        held = [stack.enter_context(slots.slot(0)) for _ in range(4)]
        assert [stays(slot) for slot in held] == [True] * 4
        newcomer = stack.enter_context(slots.slot(0))
        # The slots for newcomers are not for staying.
        with pytest.raises(BusyError, match=MANY):
            newcomer.stay(MANY)


def test_slot_that_is_long_counts_once_and_is_free_again_at_its_end() -> None:
    slots = Slots(3)
    for _ in range(5):
        with slots.slot(0) as held:
            assert stays(held)
            assert stays(held)


def test_an_answer_that_is_large_stays_or_is_refused(crowded: Slots) -> None:
    with crowded.slot(0) as newcomer:
        newcomer.announce(limits.LARGE_BYTES)
        with pytest.raises(BusyError, match="as many large answers"):
            newcomer.announce(limits.LARGE_BYTES + 1)
    with crowded.slot(0, brief=True) as brief:
        brief.announce(limits.LARGE_BYTES + 1)
    with Slots(3).slot(0) as alone:
        alone.announce(limits.LARGE_BYTES + 1)


def test_in_a_crowd_nothing_is_sent_before_it_is_clear_that_it_is_not_too_much(crowded: Slots) -> None:
    taken: list[int] = []
    with crowded.slot(0) as newcomer:
        small = newcomer.passed(blocks(3, taken))
        next(small)
        assert taken == [0, 1, 2]
        assert len(list(small)) == 2
        large = newcomer.passed(blocks(5))
        with pytest.raises(BusyError, match="as many large answers"):
            next(large)
    with crowded.slot(0, brief=True) as brief:
        taken.clear()
        next(brief.passed(blocks(3, taken)))
        assert taken == [0]


def test_an_answer_that_began_before_the_crowd_came_is_sent_until_it_is_large() -> None:
    slots = Slots(3)
    with slots.slot(0) as early, slots.slot(0) as first, slots.slot(0) as second:
        sent = early.passed(blocks(6))
        next(sent)
        assert stays(first)
        assert stays(second)
        assert len([next(sent) for _ in range(3)]) == 3
        with pytest.raises(BusyError, match="as many large answers"):
            next(sent)


def test_who_waits_keeps_nobody_from_working() -> None:
    slots = Slots(12)
    with ExitStack() as stack:
        assert [stack.enter_context(slots.waiter()) for _ in range(9)] == [True, True] + [False] * 7
        held = [stack.enter_context(slots.slot(0)) for _ in range(10)]
        assert [stays(slot) for slot in held] == [True] * 8 + [False] * 2
    with slots.waiter() as again:
        assert again


def test_nobody_waits_where_all_are_at_work() -> None:
    slots = Slots(6)
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(slots.slot(0))
        assert not stack.enter_context(slots.waiter())


def test_nobody_gets_more_slots_than_there_are() -> None:
    slots = Slots(1)
    with slots.slot(0), pytest.raises(BusyError, match="too many uploads"), slots.slot(0, "too many uploads"):
        pass
    with slots.slot(0):
        pass
