"""Long requests leave room for short ones, however many there are."""

from __future__ import annotations

from contextlib import ExitStack

from almagest.query.slots import Slots


def test_long_requests_leave_slots_for_newcomers() -> None:
    slots = Slots(6)
    with ExitStack() as stack:
        held = [stack.enter_context(slots.slot(0)) for _ in range(4)]
        assert [slot.prolong() for slot in held if slot] == [True] * 4
        newcomer = stack.enter_context(slots.slot(0))
        assert newcomer is not None
        assert not newcomer.prolong(), "the slots for newcomers are not for staying"


def test_a_newcomer_is_told_when_it_could_not_stay() -> None:
    slots = Slots(3)
    with slots.slot(0) as newcomer:
        assert newcomer is not None
        told = []
        with slots.slot(0) as first, slots.slot(0) as second:
            for other in (first, second):
                assert other is not None
                assert other.prolong()
                told.append(newcomer.crowded)
                assert not other.crowded, "it stays already"
        assert [*told, newcomer.crowded] == [False, True, False]


def test_slot_that_is_long_counts_once_and_is_free_again_at_its_end() -> None:
    slots = Slots(3)
    for _ in range(5):
        with slots.slot(0) as held:
            assert held is not None
            assert held.prolong()
            assert held.prolong()


def test_who_waits_keeps_nobody_from_working() -> None:
    slots = Slots(12)
    with ExitStack() as stack:
        assert [stack.enter_context(slots.waiter()) for _ in range(9)] == [True, True] + [False] * 7
        held = [stack.enter_context(slots.slot(0)) for _ in range(10)]
        assert [slot.prolong() for slot in held if slot] == [True] * 8 + [False] * 2
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
    with slots.slot(0) as first:
        assert first is not None
        with slots.slot(0) as second:
            assert second is None
    with slots.slot(0) as again:
        assert again is not None
