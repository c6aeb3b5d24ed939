"""PostgreSQL's messages are found at their boundaries: whatever is in them, however they come, whatever is between."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from almagest.formats import LARGEST
from almagest.query.answers.messages import ROOM, LongRowError, Message, MessageError, Messages, found

PREAMBLE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
READY = b"Z\0\0\0\5"

OTHERS = [
    (b"N", b"SNOTICE\0VNOTICE\0C00000\0Mword\nd\0Fdict.c\0\0"),
    (b"S", b"TimeZone\0UTC\0"),
    (b"A", b"\0\0\1\2channel\0d\0\0\0\x08\0\x02ab\0"),
    (b"N", b"M" + READY + b"\0\0"),
]
"""What may come between any two messages (§53.2.7), each with something in it that looks like another one."""

HOSTILE = [
    b"",
    b"abc",
    b"longer",
    b"d\0\0\0",
    b"d\0\0\0\x08\0\x02ab",  # looks like a whole row
    b"ad\0\0\0\x40\0\x02",  # looks like one that ends elsewhere
    b"d\0\0\0\x06\xff\xff",  # looks like the end of the rows
    READY + b"T",  # looks like the end of everything
    b"Z\0\0\0\x05?hello",
    b"C\0\0\0\x0bCOPY 9\0",
]


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def fields(*values: bytes | None) -> bytes:
    """A row of a binary COPY."""
    parts = (b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value for value in values)
    return struct.pack(">h", len(values)) + b"".join(parts)


def line(*values: bytes | None) -> bytes:
    """The same in text, where NUL cannot be."""
    return b",".join((value or b"").replace(b"\0", b"") for value in values) + b"\n"


def read(stream: bytes, cuts: Iterable[int], *, binary: bool) -> tuple[list[bytes], list[Message]]:
    """Rows and other messages of a stream that is cut at these places."""
    messages = Messages(binary=binary)
    rows: list[bytes] = []
    heard: list[Message] = []
    begin = 0
    for end in (*sorted(cuts), len(stream)):
        while begin < end:
            room = messages.room()
            size = min(len(room), end - begin)
            room[:size] = stream[begin : begin + size]
            messages.received(size)
            begin += size
        rows += taken(messages)
        heard += messages.heard()
    assert not messages.waiting
    return rows, heard


def taken(messages: Messages) -> Iterator[bytes]:
    waiting = messages.waiting
    for block in messages.rows():
        waiting -= len(block.data)
        ends = [*block.starts[1:], len(block.data)]
        for start, end in zip(block.starts, ends, strict=True):
            yield bytes(block.data[start:end])
    assert waiting == 0


VALUES = st.one_of(st.none(), st.sampled_from(HOSTILE), st.binary(max_size=40))
TABLES = st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[VALUES] * width), max_size=30))


@settings(deadline=None)
@given(
    table=TABLES,
    times=st.sampled_from([1, 200]),
    binary=st.booleans(),
    alone=st.booleans(),
    between=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(OTHERS)), max_size=6),
    cuts=st.data(),
)
def test_rows_are_found_whatever_is_in_them_wherever_they_are_cut_and_whatever_comes_between(
    table: list[tuple[bytes | None, ...]],
    times: int,
    binary: bool,
    alone: bool,
    between: list[tuple[int, tuple[bytes, bytes]]],
    cuts: st.DataObject,
) -> None:
    rows = [message(b"d", fields(*row) if binary else line(*row)) for row in table] * times
    # The preamble and what follows it are one message, as PostgreSQL 17 sends them, or two.
    bodies = [*(row[5:] for row in rows), TRAILER] if binary else [row[5:] for row in rows]
    if binary:
        bodies = [PREAMBLE, *bodies] if alone else [PREAMBLE + bodies[0], *bodies[1:]]
    stream = [message(b"d", body) for body in bodies]
    others = sorted(((min(place, len(stream)), other) for place, other in between), key=lambda found: found[0])
    for place, other in reversed(others):
        stream.insert(place, message(*other))
    stream += [message(b"c", b""), message(b"C", b"COPY 3\0"), READY + b"T"]
    sent = b"".join(stream)
    places = cuts.draw(st.lists(st.integers(0, len(sent)), max_size=8))

    seen, heard = read(sent, places, binary=binary)

    assert seen == rows
    assert [(told.kind, told.body) for told in heard[:-3]] == [other for _, other in others]
    assert [told.kind for told in heard[-3:]] == [b"c", b"C", b"Z"]


@pytest.mark.parametrize("binary", [False, True])
def test_a_stream_that_comes_byte_by_byte_is_the_same(*, binary: bool) -> None:
    rows = [message(b"d", (fields if binary else line)(value, None)) for value in HOSTILE]
    stream = [*rows, message(*OTHERS[0]), *rows]
    if binary:
        stream = [message(b"d", PREAMBLE), *stream, message(b"d", TRAILER)]
    sent = b"".join([*stream, READY + b"I"])
    assert read(sent, range(len(sent)), binary=binary)[0] == rows * 2


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 5000, ROOM - 10, ROOM, 3 * ROOM]), min_size=1, max_size=4), st.booleans())
def test_a_row_may_be_longer_than_there_is_room_at_first(lengths: list[int], binary: bool) -> None:
    rows = [message(b"d", (fields if binary else line)(b"d" * length)) for length in lengths]
    sent = b"".join([message(b"d", PREAMBLE), *rows] if binary else rows)
    assert read(sent, (), binary=binary)[0] == rows


@pytest.mark.parametrize("before", [b"", message(b"d", b"a\n"), message(*OTHERS[0])])
@pytest.mark.parametrize("length", [LARGEST + 1, (1 << 32) - 1])
def test_a_row_that_is_too_long_is_refused_before_it_has_come(before: bytes, length: int) -> None:
    with pytest.raises(LongRowError, match=f"may have {LARGEST}"):
        read(before + b"d" + struct.pack(">I", length), (), binary=False)


@pytest.mark.parametrize("length", [0, 3, LARGEST + 1, (1 << 32) - 1])
def test_what_is_no_message_ends_the_reading(length: int) -> None:
    with pytest.raises(MessageError):
        read(b"N" + struct.pack(">I", length), (), binary=False)


ENDS: Sequence[bytes] = (
    b"",
    b"d\0\0\0\x09\0\x02a",
    b"d\0\0",
    message(b"d", TRAILER),
    b"c\0\0\0\x04",
    b"N\0\0\0\x07abc",
)
"""What is no whole row: nothing yet, parts of one, the end of a binary COPY, another message, one as long as a row."""


@settings(deadline=None)
@given(
    st.sampled_from([b"\0\x02\xff\xff\xff\xff", b""]),
    st.lists(st.sampled_from(HOSTILE[:6]), max_size=12),
    st.sampled_from([1, 1000]),
    st.sampled_from(ENDS),
)
def test_whole_rows_are_found_whatever_follows(begin: bytes, values: list[bytes], times: int, end: bytes) -> None:
    assume(begin or end != message(b"d", TRAILER))
    rows = [message(b"d", begin + (value if begin else value.replace(b"\0", b""))) for value in values] * times
    starts, place = found(np.frombuffer(b"".join(rows) + end, np.uint8), binary=bool(begin))
    assert starts.tolist() == [0, *accumulate(map(len, rows))][: len(rows)]
    assert place == sum(map(len, rows))


@settings(deadline=None)
@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=6), st.integers(0, 6))
def test_a_row_that_is_not_whole_yet_is_none(lengths: list[int], missing: int) -> None:
    rows = [message(b"d", b"\0\x01" + b"d\0" * (length // 2)) for length in lengths]
    whole = b"".join(rows)
    starts, place = found(np.frombuffer(whole[: len(whole) - missing], np.uint8), binary=True)
    assert len(starts) == len(rows) - (missing > 0)
    assert place == (len(whole) - len(rows[-1]) if missing else len(whole))
