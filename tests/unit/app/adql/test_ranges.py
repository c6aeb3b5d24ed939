"""The range of a column goes with the column's own values, and with no others."""

from __future__ import annotations

import pytest

from almagest.adql import translate
from almagest.catalogue import Catalogue, Column, Table

SKY = Catalogue(
    [
        Table(
            "sky",
            name,
            (
                Column("g", "float", unit="mag", minimum=least, maximum=least + 10),
                Column("n", "int", minimum=1, maximum=9),
                Column("flux", "float", "3", minimum=least, maximum=least + 10),
            ),
        )
        for name, least in (("bright", -1.0), ("faint", 10.0))
    ]
)


def ranges(query: str) -> list[tuple[float | None, float | None]]:
    return [(column.minimum, column.maximum) for column in translate(query, SKY).columns]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g AS magnitude FROM sky.bright WHERE n < 5",
        "SELECT MAX(g) FROM sky.bright",
        "SELECT MIN(g) FROM sky.bright GROUP BY n",
        "SELECT b.g FROM sky.faint AS f LEFT JOIN sky.bright AS b ON b.n = f.n",
        "SELECT g FROM sky.bright JOIN sky.faint AS f USING (g)",
        "SELECT x.y FROM (SELECT DISTINCT g AS y FROM sky.bright) AS x",
        "SELECT (SELECT MAX(g) FROM sky.bright) AS brightest FROM sky.faint",
        "WITH a AS (SELECT g FROM sky.bright) SELECT g FROM a",
    ],
)
def test_a_columns_own_values_keep_its_range(query: str) -> None:
    assert ranges(query) == [(-1.0, 9.0)]


@pytest.mark.parametrize(
    "expression",
    [
        "-g",
        "g + 0",
        "g * 2",
        "CAST(g AS VARCHAR) || ''",
        "ABS(g)",
        "ROUND(g)",
        "IN_UNIT(g, 'mag')",
        "COALESCE(g, 0)",
        "COALESCE(flux, flux)",
        "CASE WHEN n = 1 THEN g ELSE 99 END",
        "CASE WHEN n = 1 THEN flux END",
        "CAST(g AS VARCHAR)",
        "CAST(g AS DOUBLE PRECISION)",
        "CAST(g AS INTEGER)",
        "AVG(g)",
        "SUM(n)",
        "COUNT(n)",
        "-MAX(g)",
    ],
)
def test_what_is_calculated_has_no_range(expression: str) -> None:
    assert ranges(f"SELECT {expression} AS x FROM sky.bright") == [(None, None)]


@pytest.mark.parametrize("operation", ["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
def test_what_two_queries_give_has_no_range_of_one(operation: str) -> None:
    assert ranges(f"SELECT g FROM sky.bright {operation} SELECT g FROM sky.faint") == [(None, None)]


def test_a_full_join_gives_shared_columns_of_either_side() -> None:
    assert ranges("SELECT g FROM sky.bright FULL JOIN sky.faint AS f USING (g)") == [(None, None)]
    assert ranges("SELECT g FROM sky.bright RIGHT JOIN sky.faint AS f USING (g)") == [(10.0, 20.0)]
