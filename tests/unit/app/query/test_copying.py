"""Where rows begin and end in what PostgreSQL sends; what it sends for real is tested against it."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from almagest.query.answers.copying import _found

ENDS = {
    "nothing yet": b"",
    "a part of a row": b"d\0\0\0\x09abc",
    "a part of a head": b"d\0\0",
    "the end of a binary COPY": b"d\0\0\0\x06\xff\xff",
    "another message": b"c\0\0\0\x04",
    "one as long as a row": b"N\0\0\0\x07abc",
}


def message(row: bytes) -> bytes:
    return b"d" + struct.pack(">I", len(row) + 4) + row


@given(st.lists(st.sampled_from([b"abc", b"xyz", b"d\0\0\0", b"", b"longer"]), max_size=12), st.sampled_from([*ENDS]))
def test_whole_rows_are_found_whatever_their_lengths_and_whatever_follows(rows: list[bytes], end: str) -> None:
    messages = [message(row) for row in rows]
    starts, place = _found(b"".join(messages) + ENDS[end])
    assert starts.tolist() == [sum(map(len, messages[:number])) for number in range(len(rows))]
    assert place == sum(map(len, messages))
