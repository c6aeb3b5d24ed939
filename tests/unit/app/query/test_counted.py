"""A filter's rows are counted in pieces, by whoever asks, and pages are found in what is counted so far."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.query.browsing.counted import BLOCK_BITS, Counted, Counting

BLOCK = 1 << BLOCK_BITS


def in_blocks(numbers: list[int]) -> list[tuple[int, int]]:
    """As PostgreSQL counts them, in no order."""
    blocks = [number >> BLOCK_BITS for number in numbers]
    return [(block, blocks.count(block)) for block in sorted(set(blocks), reverse=True)]


@given(
    passing=st.sets(st.integers(0, 20 * BLOCK - 1), min_size=1, max_size=60).map(sorted),
    pieces=st.integers(1, 7),
    data=st.data(),
)
def test_every_page_is_found_in_what_is_counted_so_far(passing: list[int], pieces: int, data: st.DataObject) -> None:
    found = Counted(20 * BLOCK)
    while not found.complete:
        seen = min(found.rows, found.seen + pieces * BLOCK)
        found = found.and_then(seen, in_blocks([number for number in passing if found.seen <= number < seen]))
        known = [number for number in passing if number < seen]
        assert (found.total, found.seen) == (len(known), seen)
        if known:
            offset = data.draw(st.integers(0, len(known) - 1))
            rows = data.draw(st.integers(1, len(known) - offset))
            within, skipped = found.find(offset, rows)
            assert [number for number in known if number in within][skipped:][:rows] == known[offset:][:rows]
    assert found.total == len(passing)


def piece(before: Counted) -> Counted:
    return before.and_then(before.seen + BLOCK, [(before.seen >> BLOCK_BITS, 3)])


def test_each_who_asks_does_a_piece_and_the_next_goes_on_from_there() -> None:
    counting = Counting(3 * BLOCK)
    assert [counting.go_on(piece, 0).total for _ in range(4)] == [3, 6, 9, 9]


def test_who_has_time_counts_to_the_end() -> None:
    assert Counting(50 * BLOCK).go_on(piece, 60).total == 150


def test_who_comes_while_another_counts_takes_what_there_is() -> None:
    counting, began, done = Counting(2 * BLOCK), threading.Event(), threading.Event()

    def slow(before: Counted) -> Counted:
        began.set()
        assert done.wait(60)
        return piece(before)

    other = threading.Thread(target=counting.go_on, args=(slow, 0))
    other.start()
    assert began.wait(60)
    assert counting.go_on(piece, 0).seen == 0
    done.set()
    other.join(60)
    assert counting.go_on(piece, 0).complete


def test_what_fails_is_tried_again_by_the_next() -> None:
    def broken(_: Counted) -> Counted:
        raise ValueError("the database went away")

    counting = Counting(2 * BLOCK)
    with pytest.raises(ValueError, match="went away"):
        counting.go_on(broken, 60)
    assert counting.go_on(piece, 60).complete
