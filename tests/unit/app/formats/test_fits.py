"""FITS, whose header says first how many rows follow and how wide they are."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable

import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.catalogue import Column
from almagest.formats import FORMATS, About, Format, TooWideError, negotiate
from support.answers import Given, document, value_block

FITS = FORMATS["fits"]
NUMBERS = (Column("n", "long"), Column("x", "double"))
TEXT = (Column("t", "char", "*"), Column("n", "int"))
BLOCKS = [
    value_block(*([struct.pack(">q", n), struct.pack(">d", n / 2)] for n in range(first, first + 100)))
    for first in (0, 100, 200)
]
TEXTS = [
    value_block(*([b"x" * (n % width), struct.pack(">i", n)] for n in range(first, first + 50)))
    for first, width in ((0, 3), (50, 12))
]


class Watched(Given):
    """Rows that remember what had to be kept of them."""

    stored: list[bytes] | None = None
    announced: int | None = None

    def spooled(self, parts: Iterable[bytes | memoryview]) -> list[bytes]:
        self.stored = super().spooled(parts)
        return self.stored

    def announce(self, size: int) -> None:
        self.announced = size


@pytest.mark.parametrize("columns", [NUMBERS, TEXT], ids=["declared", "measured"])
def test_the_document_is_the_same_whether_the_number_of_rows_was_known(columns: tuple[Column, ...]) -> None:
    blocks = BLOCKS if columns is NUMBERS else TEXTS
    count = sum(len(block.starts) for block in blocks)
    whole = document(FITS, columns, Given(blocks, count=count))
    assert document(FITS, columns, Given(blocks)) == whole
    with fits.open(io.BytesIO(whole)) as opened:
        opened.verify("exception")
        assert opened[1].data["n"].tolist() == list(range(count))
        if columns is TEXT:
            assert opened[1].header["TFORM1"] == "11A"


@pytest.mark.parametrize(("columns", "count"), [(NUMBERS, 300), (NUMBERS, None), (TEXT, None)])
def test_the_size_of_all_rows_is_announced_before_the_first_byte(
    columns: tuple[Column, ...], count: int | None
) -> None:
    rows = Watched(BLOCKS if columns is NUMBERS else TEXTS, count=count)
    next(FITS.document(columns, About(), rows))
    assert rows.announced == (300 * 16 if columns is NUMBERS else 100 * 15)


def test_rows_of_a_known_number_and_width_are_sent_as_they_come() -> None:
    rows = Watched(BLOCKS, count=300)
    assert len(document(FITS, NUMBERS, rows)) == FITS.length(NUMBERS, About(), 300, rows.ending())
    assert rows.stored is None


def test_rows_of_a_known_width_are_written_while_they_come_and_kept_as_they_are_sent() -> None:
    rows = Watched(BLOCKS)
    whole = document(FITS, NUMBERS, rows)
    assert rows.stored is not None
    assert [len(part) for part in rows.stored] == [100 * 16] * 3
    assert b"".join(rows.stored) in whole


def test_a_few_long_texts_do_not_make_every_row_as_long() -> None:
    block = value_block([b"x" * 1_000_000], *([b"y"] for _ in range(999)))
    with pytest.raises(TooWideError, match="'t', which has 1000000 characters"):
        document(FITS, TEXT[:1], Given([block], count=1000))


def test_headers_hold_long_and_odd_texts() -> None:
    described = "it''s 'quoted' – " * 20
    column = Column("x", "double", unit="deg", description=described)
    with fits.open(io.BytesIO(document(FITS, (column,)))) as opened:
        opened.verify("exception")
        assert opened[1].header["TCOMM1"] == described.replace("–", "?").rstrip()


@pytest.mark.filterwarnings("ignore:It is strongly recommended that column names")
@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("aA'é ü中\n"), max_size=63), min_size=1, max_size=12))
def test_columns_have_names_that_fit_on_a_card_and_differ(names: list[str]) -> None:
    columns = tuple(Column(name, "int") for name in names)
    whole = document(FITS, columns, Given([value_block([struct.pack(">i", 1)] * len(names))], count=1))
    with fits.open(io.BytesIO(whole)) as opened:
        opened.verify("exception")
        found = [opened[1].header[f"TTYPE{number}"] for number in range(1, len(names) + 1)]
        # astropy refuses a name that does not fit on a card.
        assert len(opened[1].columns) == len(names)
    assert len({name.rstrip().lower() for name in found}) == len(names)
    plain = [name for name in names if name.isascii() and name.strip() == name and "\n" not in name]
    if plain == names and len({name.lower() for name in names}) == len(names) and all(len(n) < 34 for n in names):
        assert found == names


@pytest.mark.parametrize("form", [FITS, negotiate("fits_gzip")])
@pytest.mark.parametrize("count", [1, 998, 999, 1000, 1600])
def test_a_table_has_no_more_columns_than_a_header_can_name(form: Format, count: int) -> None:
    columns = tuple(Column(f"c{number}", "short") for number in range(count))
    if count > 999:
        with pytest.raises(TooWideError, match=f"at most 999 columns, and this one has {count:,}; choose another"):
            form.check(columns)
        return
    form.check(columns)
    whole = document(FITS, columns, Given([value_block([struct.pack(">h", 1)] * count)], count=1))
    with fits.open(io.BytesIO(whole)) as opened:
        opened.verify("exception")
        assert [opened[1].data[column.name].tolist() for column in columns] == [[1]] * count


@pytest.mark.parametrize("name", FORMATS.keys() - {"fits"})
def test_other_formats_hold_as_many_columns_as_a_query_can_have(name: str) -> None:
    FORMATS[name].check(tuple(Column(f"c{number}", "short") for number in range(1600)))
