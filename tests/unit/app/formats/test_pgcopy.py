"""Blocks as PostgreSQL's binary rows, read back by a reader that follows the documentation of the format."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.formats import pgcopy
from almagest.formats.block import Array, Block, Fixed, Values, fixed, strings, text
from almagest.formats.pgcopy import encode, pieces


def decode(data: bytes) -> Iterator[list[bytes | None]]:
    at = 0
    while at < len(data):
        (fields,) = struct.unpack_from(">h", data, at)
        at += 2
        row: list[bytes | None] = []
        for _ in range(fields):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row.append(None if length < 0 else data[at : at + length])
            at += max(length, 0)
        yield row


def rows(*columns: Values) -> list[list[bytes | None]]:
    return list(decode(encode(Block(1, columns))))


def test_numbers_are_big_endian_and_nan_is_null() -> None:
    integers = fixed(np.array([1, -2], dtype="<i8"))
    floats = fixed(np.array([1.5, np.nan], dtype=">f4"))
    assert rows(integers, floats) == [[struct.pack(">q", 1), struct.pack(">f", 1.5)], [struct.pack(">q", -2), None]]


def test_booleans_are_one_byte() -> None:
    column = Fixed(np.array([True, False, True]), np.array([False, False, True]))
    assert rows(column) == [[b"\1"], [b"\0"], [None]]


def test_padded_texts_are_stripped_and_empty_ones_null() -> None:
    assert rows(text(np.array([b"ab", b"", b"abcd"]))) == [[b"ab"], [None], [b"abcd"]]


def test_a_part_of_a_text_column_begins_at_its_own_bytes() -> None:
    assert rows(strings(["one", None, "three", "four"]).part(1, 3)) == [[None], [b"three"]]


def test_no_rows_are_no_bytes() -> None:
    assert encode(Block(1, (fixed(np.array([], dtype="f8")), strings([])))) == b""


def test_long_texts_stay_as_they_are() -> None:
    words = ["x" * 1000, None, "y" * 70, ""]
    assert rows(strings(words)) == [[b"x" * 1000], [None], [b"y" * 70], [None]]


def test_pieces_are_the_same_rows_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    lengths = generator.integers(0, 30, 500)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    elements = Fixed(generator.integers(0, 99, offsets[-1]).astype("i2"), generator.integers(0, 2, offsets[-1]) > 0)
    words = strings(["x" * length for length in lengths])
    block = Block(1, (words, Array(offsets, elements, lengths == 0), fixed(generator.uniform(size=500))))
    monkeypatch.setattr(pgcopy, "PIECE", 1000)
    found = list(pieces(block))
    assert b"".join(found) == encode(block)
    assert max(map(len, found)) <= 1000
    monkeypatch.setattr(pgcopy, "PIECE", 1)
    assert len(list(pieces(block))) == len(block)


def test_arrays_carry_their_dimension_type_and_nulls() -> None:
    elements = Fixed(np.array([1, -2, 7, 0], dtype="<i2"), np.array([False, False, False, True]))
    column = Array(np.array([0, 2, 2, 4, 4]), elements, np.array([False, False, False, True]))
    head, one = ">iiiii", ">ih"
    assert rows(column) == [
        [struct.pack(head, 1, 0, 21, 2, 1) + struct.pack(one, 2, 1) + struct.pack(one, 2, -2)],
        [struct.pack(">iii", 0, 0, 21)],
        [struct.pack(head, 1, 1, 21, 2, 1) + struct.pack(one, 2, 7) + struct.pack(">i", -1)],
        [None],
    ]


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=12)),
            st.floats(width=64),
        ),
        max_size=40,
    )
)
def test_whatever_goes_in_comes_out(values: list[tuple[int | None, str | None, float]]) -> None:
    integers = fixed(
        np.array([value or 0 for value, _, _ in values], dtype="i4"), np.array([v is None for v, _, _ in values], bool)
    )
    floats = fixed(np.array([value for _, _, value in values], dtype="f8"))
    expected = [
        [
            None if integer is None else struct.pack(">i", integer),
            word.encode() if word else None,
            None if number != number else struct.pack(">d", number),  # noqa: PLR0124 - NaN differs from itself
        ]
        for integer, word, number in values
    ]
    assert rows(integers, strings([word for _, word, _ in values]), floats) == expected
