"""`ivo_string_agg` on the real PostgreSQL, under a role that may only read: what it gathers, and that it keeps its
bounds however many groups there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from almagest.adql import translate
from almagest.adql.dialects import DialectName
from almagest.adql.udfs import MAX_GATHERED
from almagest.query.failures import explain
from support.application import Application
from support.stars import SKY

pytestmark = pytest.mark.integration

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


@pytest.fixture(scope="module")
def public(application: Application, database: Connection) -> Iterator[Connection]:
    """The data database as nobody's jobs ask it: rights that others are given here go with an archive's next sweep."""
    database.execute("GRANT USAGE ON SCHEMA sky TO almagest_guest")
    database.execute("GRANT SELECT ON ALL TABLES IN SCHEMA sky TO almagest_guest")
    with application.data("almagest_guest") as connection:
        yield connection


def answer(connection: Connection, query: str, dialect: DialectName = "adql") -> list[Row]:
    return connection.execute(translate(query, SKY, dialect=dialect).sql).fetchall()


def grouped(connection: Connection, columns: str) -> dict[int, list[Row]]:
    """Rows of the stars below 1000, by n."""
    groups = defaultdict(list)
    for n, *row in connection.execute(f"SELECT n, {columns} FROM sky.stars WHERE source_id < 1000"):
        groups[n].append(tuple(row))
    return groups


def in_order(texts: Any) -> list[str]:
    return sorted((text for text in texts if text is not None), key=str.encode)


STARS = "FROM sky.stars WHERE source_id < 1000 GROUP BY n"


def test_values_are_joined_in_the_order_of_their_bytes(public: Connection) -> None:
    expected = {n: "; ".join(in_order(name for (name,) in rows)) for n, rows in grouped(public, "name").items()}
    assert dict(answer(public, f"SELECT n, ivo_string_agg(name, '; ') {STARS}")) == expected


def test_each_value_is_taken_once_when_that_is_asked(public: Connection) -> None:
    expected = {n: ",".join(in_order({label for (label,) in rows})) for n, rows in grouped(public, "label").items()}
    assert dict(answer(public, f"SELECT n, ivo_string_agg(DISTINCT label, ',') {STARS}")) == expected


def test_the_delimiter_may_differ_from_row_to_row(public: Connection) -> None:
    """That of the first value stands nowhere, and an unknown one is none."""
    expected = {}
    for n, rows in grouped(public, "name, label").items():
        known = sorted(
            ((name, label) for name, label in rows if name is not None),
            key=lambda row: (row[0].encode(), row[1] is None, (row[1] or "").encode()),
        )
        expected[n] = "".join(("" if i == 0 else label or "") + name for i, (name, label) in enumerate(known))
    assert dict(answer(public, f"SELECT n, ivo_string_agg(name, label) {STARS}")) == expected


def test_nothing_gathered_is_null(public: Connection) -> None:
    query = "SELECT ivo_string_agg(name, ','), COUNT(*) FROM sky.stars WHERE "
    assert answer(public, query + "1 = 0") == [(None, 0)]
    assert answer(public, query + "name IS NULL") == [(None, 5000)]
    assert answer(public, "SELECT ivo_string_agg('', ',') FROM sky.stars WHERE source_id < 4") == [(",,",)]


def test_a_condition_chooses_what_is_gathered(public: Connection) -> None:
    query = "SELECT ivo_string_agg(n::text, ' ') FILTER (WHERE n > 4) FROM sky.stars WHERE source_id < 14"
    assert answer(public, query, "postgresql") == [("5 5 6 6",)]


def test_letters_beyond_ascii_stay_letters(public: Connection) -> None:
    query = "SELECT UPPER(ivo_string_agg(DISTINCT label, ' ')) FROM sky.stars"
    assert answer(public, query) == [("Β ORI 𝔸É",)]


@pytest.mark.parametrize("distinct", ["", "DISTINCT "])
def test_a_group_holds_so_many_bytes_and_no_more(public: Connection, distinct: str) -> None:
    numbered = "(SELECT 'é' || RIGHT('00000' || source_id::text, 6) AS x FROM sky.stars LIMIT {}) AS t"
    call = f"ivo_string_agg({distinct}x, '')"
    fits = f"SELECT {call} FROM {numbered.format(MAX_GATHERED // 8)}"
    (gathered,) = answer(public, fits, "postgresql")[0]
    assert len(gathered.encode()) == MAX_GATHERED
    with pytest.raises(psycopg.DataError) as refused:
        answer(public, f"SELECT {call} FROM {numbered.format(MAX_GATHERED // 8 + 1)}", "postgresql")
    assert str(explain(refused.value, "")) == (
        "the query cannot be computed from these data: ivo_string_agg gathers at most 65,536 bytes in a group"
    )


GROUPS = "FROM sky.stars AS a, (SELECT TOP 5 hip FROM sky.bright) AS b GROUP BY a.source_id, b.hip"
GATHERED = [
    "ivo_string_agg(a.name, ',')",
    "ivo_string_agg(DISTINCT a.name, ',')",
    "ivo_string_agg('x', ',')",
    "ivo_string_agg(a.name, a.label), COUNT(*), MAX(a.ra)",
    "ivo_string_agg(a.name, ','), ivo_string_agg(a.label, ',')",
    "ivo_string_agg(a.name, ',') FILTER (WHERE a.ra > 1)",
    "CASE WHEN COUNT(*) > 1 THEN ivo_string_agg(a.name, ',') END",
]


@pytest.mark.parametrize("gathered", GATHERED)
def test_groups_are_sorted_and_never_hashed(public: Connection, gathered: str) -> None:
    """Hashed groups would keep all their texts until the last row has come; of sorted ones one is held at a time."""
    sql = translate(f"SELECT {gathered} {GROUPS}", SKY, dialect="postgresql").sql
    with public.transaction(force_rollback=True):
        public.execute("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off")
        plan = "\n".join(line for (line,) in public.execute(f"EXPLAIN {sql}"))
    assert "GroupAggregate" in plan
    assert "HashAggregate" not in plan
    assert "MixedAggregate" not in plan


def test_very_many_groups_are_gathered(public: Connection) -> None:
    query = f"SELECT COUNT(*), SUM(c) FROM (SELECT ivo_string_agg(a.name, ',') AS x, COUNT(a.name) AS c {GROUPS}) AS t"
    assert answer(public, f"{query} WHERE x IS NOT NULL") == [(75_000, 75_000)]


def test_only_the_aggregate_is_everybodys(public: Connection) -> None:
    assert public.execute("SELECT public.ivo_string_agg(name, ',') FROM sky.stars WHERE source_id = 1").fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        public.execute("SELECT public.ivo_string_agg_step('a', 'b', 'c')")
