"""Ranges and nulls of columns, block by block, as the metadata will write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.catalogue import Column
from almagest.formats.block import Block, Fixed, fixed, strings
from almagest.ingest.findings import Finding, find, notation, nothing, read, written

COLUMNS = (Column("n", "long"), Column("x", "double"), Column("t", "char", "*"))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=3)), max_size=30), st.data())
def test_blocks_tell_together_what_they_tell_as_one(rows: list[tuple[int, float, str]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rows)))

    def block(part: list[tuple[int, float, str]]) -> Block:
        n, x, t = (list(column) for column in zip(*part, strict=True)) if part else ([], [], [])
        return Block(1, (fixed(np.array(n, "i8")), fixed(np.array(x, "f8")), strings([v.replace("\0", "") for v in t])))

    assert nothing(COLUMNS) | find(block(rows[:cut])) | find(block(rows[cut:])) == nothing(COLUMNS) | find(block(rows))


def test_nulls_and_infinities_are_no_extremes() -> None:
    integers = Fixed(np.array([-99, 5, 7], ">i4"), np.array([True, False, False]))
    floats = fixed(np.array([np.nan, np.inf, 1.5], ">f4"))
    assert find(Block(1, (integers, floats))).columns == (Finding(5, 7, 1), Finding(1.5, 1.5, 1))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (Column("a", "float"), float(np.float32(0.1)), "0.1"),
        (Column("a", "double"), 0.1, "0.1"),
        (Column("a", "long"), 2**62, "4611686018427387904"),
        (Column("a", "char", "*", "timestamp"), 0, "2000-01-01T00:00:00"),
        (Column("a", "char", "*", "timestamp"), -500_000, "1999-12-31T23:59:59.5"),
        (Column("a", "char", "*"), None, ""),
    ],
)
def test_extremes_are_written_as_values_of_their_column(column: Column, value: float | None, text: str) -> None:
    assert notation(column, value) == text


def test_the_ledger_gives_back_what_it_was_given() -> None:
    found = find(Block(1, (fixed(np.array([1, 2])), fixed(np.array([0.5, np.nan])), strings(["é", None]))))
    assert read(COLUMNS, 2, written(COLUMNS, found)) == found
