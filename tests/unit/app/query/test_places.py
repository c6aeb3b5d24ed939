"""What is told of a wrong query: the piece of text, and a fix that makes it right."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest import adql
from almagest.catalogue import Catalogue, Column, Table
from almagest.query.errors import WrongQueryError
from almagest.query.places import wrong_query

COLUMNS = (Column("parallax", "double"), Column("ra", "double"), Column("Odd Name", "double"), Column("order", "int"))
CATALOGUE = Catalogue([Table("gaiadr3", "bright", COLUMNS), Table("other", "select", COLUMNS)])


WORDS = ["SELECT", "ra", "FROM", "gaiadr3.bright", ",", "(", ")", "'", '"', "x.y", "\n", "1"]


def wrong(query: str, catalogue: Catalogue = CATALOGUE) -> WrongQueryError | None:
    try:
        adql.translate(query, catalogue)
    except adql.AdqlError as error:
        return wrong_query(error, query)
    return None


def piece(query: str, error: WrongQueryError) -> str:
    assert error.place is not None
    line = query.split("\n")[error.place.line - 1]
    return line[error.place.column - 1 :][: error.place.length]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT parralax FROM gaiadr3.bright", "parralax"),
        ("SELECT\n  b.parralax\nFROM gaiadr3.bright AS b", "parralax"),
        ('SELECT b . "Odd Nam" FROM gaiadr3.bright b', '"Odd Nam"'),
        ("SELECT ordr FROM gaiadr3.bright", "ordr"),
        ("SELECT ra FROM gaiadr3.brigt", "gaiadr3.brigt"),
        ("SELECT ra FROM other.selct", "other.selct"),
        ("SELECT SQTR(ra) FROM gaiadr3.bright", "SQTR"),
    ],
)
def test_a_misspelt_name_is_told_and_its_fix_makes_the_query_right(query: str, said: str) -> None:
    error = wrong(query)
    assert error is not None
    assert piece(query, error) == said
    assert error.fix is not None
    lines = query.split("\n")
    line = lines[error.fix.place.line - 1]
    begin = error.fix.place.column - 1
    lines[error.fix.place.line - 1] = line[:begin] + error.fix.text + line[begin + error.fix.place.length :]
    assert wrong("\n".join(lines)) is None


def test_the_message_of_tap_tells_the_place_and_the_reason_does_not() -> None:
    error = wrong("SELECT parralax FROM gaiadr3.bright")
    assert error is not None
    assert str(error).startswith("line 1, column 8: ")
    assert error.reason == "gaiadr3.bright has no column parralax. Did you mean parallax?"


@given(st.text(max_size=80) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_every_place_lies_in_the_query_or_at_its_end(query: str) -> None:
    error = wrong(query)
    if error is not None and error.place is not None:
        assert error.place.length >= 1
        assert error.place.line >= 1
        assert error.place.column >= 1


@pytest.mark.parametrize(
    "query",
    ["SELECT colum77 FROM schema2.table42", "SELECT c FROM schema3.tabel42", "SELECT column77 FROM tabel4"],
)
def test_a_check_in_a_large_archive_takes_no_time_that_is_felt(query: str) -> None:
    columns = tuple(Column(f"column{number}", "double") for number in range(150))
    large = Catalogue([Table(f"schema{n % 20}", f"table{n}", columns) for n in range(2000)])
    assert wrong(query, large)
    took = []
    for _ in range(5):
        begin = time.thread_time()
        wrong(query, large)
        took.append(time.thread_time() - begin)
    assert min(took) < 0.05
