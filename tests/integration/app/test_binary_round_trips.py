"""The grammar of types out of PostgreSQL as FITS and Parquet, and in again, as an upload and by ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from almagest.catalogue import Column
from almagest.formats.sql import is_text
from support.answers import written
from support.binary_types import (
    WAYS,
    Read,
    ascii_without_end,
    blank_is_null,
    changed,
    least_is_null,
    missing_array_is_full_of_nulls,
    plain,
)
from support.types_grammar import Table, differences

pytestmark = pytest.mark.integration

TABLES = plain(lambda _: True)


def filled_up(table: Table) -> Table:
    """FITS fills arrays of any length up with nulls, to the length of the longest."""
    longest = [
        max((len(row[place]) for row in table.rows if isinstance(row[place], list)), default=1)
        for place in range(len(table.columns))
    ]

    def made(column: Column, value: Any) -> Any:
        if column.arraysize is None or is_text(column):
            return value
        size = max(1, longest[table.columns.index(column)])
        found = [*(value or []), *[None] * (size - len(value or []))]
        return found if size > 1 else found[0]

    return changed(table, made)


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
def test_parquet_comes_in_again_equal(server: psycopg.Connection[Any], read: Read, tmp_path: Path) -> None:
    wrong = {}
    for table in TABLES:
        columns, found = read(written(server, "parquet", table), "parquet", tmp_path)
        wrong[table.name] = differences(found, changed(table, lambda _, value: None if value == [] else value))
        assert [column.xtype for column in columns] == [column.xtype for column in table.columns]
    assert {name: said for name, said in wrong.items() if said} == {}


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
def test_fits_comes_in_again_with_what_fits_can_say(
    server: psycopg.Connection[Any], read: Read, tmp_path: Path
) -> None:
    wrong = {}
    for table in TABLES:
        _, found = read(written(server, "fits", table), "fits", tmp_path)
        asked = changed(table, ascii_without_end, blank_is_null, least_is_null, missing_array_is_full_of_nulls)
        wrong[table.name] = differences(found, filled_up(asked))
    assert {name: said for name, said in wrong.items() if said} == {}
