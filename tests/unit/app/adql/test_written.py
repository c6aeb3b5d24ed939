"""Names as queries have to write them, and as they are found again when they do."""

from __future__ import annotations

import pytest

from almagest.adql import translate
from almagest.catalogue import RESERVED, Catalogue, Column, Table, written


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ra", "ra"), ("Mixed_1", "Mixed_1"), ("size", '"size"'), ("2mass", '"2mass"'), ("b-v", '"b-v"'), ('"', '""""')],
)
def test_only_what_needs_quotes_gets_them(name: str, expected: str) -> None:
    assert written(name) == expected


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_words_name_columns_in_quotes(word: str) -> None:
    table = Table("s", word.lower(), (Column(word.lower(), "int"),))
    query = f"SELECT {written(word.lower())} FROM {table.written}"
    assert [column.name for column in translate(query, Catalogue([table]), maxrec=1).columns] == [word.lower()]
