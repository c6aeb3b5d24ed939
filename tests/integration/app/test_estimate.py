"""What PostgreSQL foresees of an answer's size, beside what comes."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from almagest import formats
from almagest.adql import Translation, translate
from almagest.query.answers import estimate
from almagest.query.answers.copying import Copied
from support.stars import SKY

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[tuple[Any, ...]]
MOST = 100_000


def foreseen(database: Connection, query: Translation, response_format: str, count: int | None = None) -> int:
    copy = formats.negotiate(response_format).copy(query.columns)
    return estimate.least_bytes(database, query.sql, MOST, copy, count)


def came(database: Connection, query: Translation, response_format: str) -> int:
    copy = formats.negotiate(response_format).copy(query.columns)
    numbered = ", ".join(f"c{number}" for number in range(1, len(query.columns) + 1))
    cells = f"SELECT {', '.join(copy.expressions)} FROM ({query.sql}) AS r ({numbered})"
    copied = Copied(database, f"COPY ({cells}) TO STDOUT ({copy.options})", binary=copy.binary, most=MOST, seconds=30)
    size = sum(len(block.data) for block in copied.blocks())
    copied.close()
    return size


@pytest.mark.parametrize("response_format", ["votable", "csv", "fits", "json"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sky.bright",
        "SELECT source_id FROM sky.stars",
        "SELECT source_id, ra, dec, g FROM sky.stars ORDER BY g",
        "SELECT name, label, obs FROM sky.stars",
        "SELECT ra + dec AS x, LOWER(name) AS y FROM (SELECT * FROM sky.stars) AS t",
        "SELECT TOP 700 source_id, flag, s, n FROM sky.stars",
    ],
)
def test_less_is_foreseen_than_comes_but_not_much_less(database: Connection, query: str, response_format: str) -> None:
    translation = translate(query, SKY)
    size = came(database, translation, response_format)
    assert size / 8 < foreseen(database, translation, response_format) < size


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sky.stars WHERE g < 10",
        "SELECT * FROM sky.stars WHERE source_id = 7",
        "SELECT * FROM sky.stars WHERE DISTANCE(ra, dec, 10, 20) < 5",
        "SELECT n, COUNT(*) FROM sky.stars GROUP BY n",
        "SELECT DISTINCT ra FROM sky.stars",
        "SELECT ra FROM sky.stars UNION SELECT ra FROM sky.bright",
        "SELECT a.ra FROM sky.stars AS a, sky.bright AS b",
        "SELECT a.ra FROM sky.stars AS a JOIN sky.bright AS b USING (source_id)",
        "SELECT ra FROM (SELECT ra FROM sky.stars WHERE n = 1) AS t",
    ],
)
def test_a_guess_foresees_nothing(database: Connection, query: str) -> None:
    assert foreseen(database, translate(query, SKY), "votable") == 0


def test_a_known_number_of_rows_is_no_guess(database: Connection) -> None:
    query = translate("SELECT source_id FROM sky.stars WHERE g < 10", SKY)
    one = foreseen(database, query, "votable", 1)
    assert foreseen(database, query, "votable", 1000) >= 1000 * one > 0
    assert foreseen(database, query, "votable", 1_000_000) == foreseen(database, query, "votable", MOST)


def test_what_is_explained_is_one_statement(database: Connection) -> None:
    harm = Translation("SELECT 1) AS r; CREATE TABLE sky.harm (x int); SELECT * FROM (SELECT 1", (), frozenset())
    with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
        foreseen(database, harm, "csv")
