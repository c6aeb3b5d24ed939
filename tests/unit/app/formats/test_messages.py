"""Where rows begin and end in what PostgreSQL sends; what it sends for real is tested against it."""

from __future__ import annotations

import struct
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from almagest.formats.messages import found

ENDS = {
    "nothing yet": b"",
    "a part of a row": b"d\0\0\0\x09\0\x02a",
    "a part of a head": b"d\0\0",
    "the end of a binary COPY": b"d\0\0\0\x06\xff\xff",
    "another message": b"c\0\0\0\x04",
    "one as long as a row": b"N\0\0\0\x07abc",
}
VALUES = [
    b"",
    b"abc",
    b"xyz",
    b"longer",
    b"d\0\0\0",
    b"d\0\0\0\x08\0\x02ab",  # looks like a whole row
    b"ad\0\0\0\x40\0\x02",  # looks like one that ends elsewhere
]


FIELDS = b"\0\x02\xff\xff\xff\xff"
"""Of a binary row, which has a field at least, and is so never as short as the end of a binary COPY."""


def message(row: bytes) -> bytes:
    return b"d" + struct.pack(">I", len(row) + 4) + row


@given(
    st.sampled_from([FIELDS, b""]),
    st.lists(st.sampled_from(VALUES), max_size=12),
    st.sampled_from([1, 1000]),
    st.sampled_from([*ENDS]),
)
def test_whole_rows_are_found_whatever_is_in_them_and_whatever_follows(
    fields: bytes, rows: list[bytes], times: int, end: str
) -> None:
    messages = [message(fields + row) for row in rows] * times
    starts, place = found(b"".join(messages) + ENDS[end])
    assert starts.tolist() == [0, *accumulate(map(len, messages))][: len(messages)]
    assert place == sum(map(len, messages))


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=6), st.integers(0, 6))
def test_a_row_that_is_not_whole_yet_is_none(lengths: list[int], missing: int) -> None:
    messages = [message(b"\0\x01" + b"d\0" * (length // 2)) for length in lengths]
    whole = b"".join(messages)
    starts, place = found(whole[: len(whole) - missing])
    assert len(starts) == len(messages) - (missing > 0)
    assert place == (len(whole) - len(messages[-1]) if missing else len(whole))
