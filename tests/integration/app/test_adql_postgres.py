"""Translated queries on the real PostgreSQL with pgSphere: same rows as recomputed, and as the old translator gives
where it can."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queryparser.adql import ADQLQueryTranslator

from almagest.adql import translate
from almagest.catalogue import Catalogue
from support.stars import SKY, declared

pytestmark = pytest.mark.integration

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]


@pytest.fixture(scope="module")
def stars(database: Connection) -> dict[str, np.ndarray[Any, Any]]:
    """Positions of sky.stars, to recompute from."""
    rows = database.execute('SELECT source_id, ra, "dec" FROM sky.stars ORDER BY source_id').fetchall()
    return dict(zip(("id", "ra", "dec"), np.array(rows).T, strict=True))


def answer(database: Connection, query: str) -> list[Row]:
    return database.execute(translate(query, SKY).sql).fetchall()


def vectors(ra: Any, dec: Any) -> np.ndarray[Any, Any]:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def separation(ra: Any, dec: Any, ra0: Any, dec0: Any) -> Any:
    """Degrees between positions, right also for small angles."""
    first, second = vectors(ra, dec), vectors(ra0, dec0)
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(cross, np.sum(first * second, axis=-1)))


EXPRESSIONS = [
    "SELECT * FROM sky.stars",
    "SELECT NULL, 'abc', 'é', 1, 10000000000, 1.5, .5, 5., 1e5, TRUE FROM sky.stars",
    "SELECT 123456789012345678901234567890, 0xFF, 2147483647, 2147483648, 007, 9223372036854775808 FROM sky.stars",
    "SELECT x + 1, y FROM (SELECT NULL AS x, 'a' AS y FROM sky.stars) AS z WHERE y = 'a'",
    "SELECT NULL + NULL, -NULL, SQRT(NULL), NULL || name FROM sky.stars",
    "SELECT MOD(s, 2), MOD(n, s + 1), ABS(s), -s, s * s, ABS(g), -g, g + 1, g * g FROM sky.stars",
    "SELECT s / 2.0, g + n, n + s FROM sky.stars",
    "SELECT COALESCE(s, 1), COALESCE(g, 1.5), COALESCE(NULL, g), COALESCE(name, label) FROM sky.stars",
    "SELECT CEILING(n), FLOOR(1.5), ROUND(g, 2), ROUND(ra), TRUNCATE(ra), TRUNCATE(ra, -1) FROM sky.stars",
    "SELECT SQRT(n), POWER(n, 2), POWER(2.0, n), EXP(1), LOG10(100), LOG(2.5) FROM sky.stars",
    "SELECT ATAN2(1, 2), PI(), RAND() FROM sky.stars",
    "SELECT SIN(1), COS(1), TAN(1), COT(1.5), ASIN(0.5), ACOS(0.5), ATAN(1), DEGREES(1), RADIANS(1.5) FROM sky.stars",
    "SELECT CAST(ra AS INTEGER), CAST('1.5' AS REAL), CAST(n AS CHAR(2)), CAST(n AS DOUBLE PRECISION) FROM sky.stars",
    "SELECT CAST('2020-01-01' AS TIMESTAMP), CAST(obs AS VARCHAR(10)), CAST(flag AS INTEGER) FROM sky.stars",
    "SELECT CAST(NULL AS BIGINT), CAST(2.5 AS SMALLINT) FROM sky.stars",
    "SELECT LOWER(name), UPPER(label), name || 'x' FROM sky.stars",
    "SELECT CASE n WHEN 1 THEN s ELSE n END, CASE WHEN flag = 1 THEN 'a' ELSE name END FROM sky.stars",
    "SELECT AVG(g), SUM(n), SUM(s), SUM(source_id), SUM(g), SUM(1.5), MIN(obs), MAX(name), MIN(s) FROM sky.stars",
    "SELECT COUNT(*), COUNT(flag), COUNT(DISTINCT n), AVG(DISTINCT s) FROM sky.stars",
    "SELECT POINT(ra, dec), CIRCLE(pos, 1), BOX(pos, 1, 2), POLYGON(1, 2, 3, 2, 3, 5), pos FROM sky.stars",
    "SELECT CENTROID(CIRCLE(1, 2, 3)), CENTROID(pos), AREA(BOX(0, 0, 2, 2)), COORD1(pos), COORD2(pos) FROM sky.stars",
    "SELECT CONTAINS(pos, CIRCLE(1, 2, 3)), INTERSECTS(pos, pos), DISTANCE(pos, pos) FROM sky.stars",
    "SELECT n FROM sky.stars UNION ALL SELECT s FROM sky.stars UNION ALL SELECT NULL FROM sky.bright ORDER BY 1",
    "SELECT g FROM sky.stars UNION SELECT 1.5 FROM sky.stars UNION SELECT n FROM sky.stars",
    "SELECT name FROM sky.stars UNION SELECT label FROM sky.stars",
    "SELECT pos FROM sky.stars UNION ALL SELECT POINT(ra, dec) FROM sky.bright",
    "SELECT DISTINCT POINT(n, s) FROM sky.stars",
    "SELECT * FROM sky.bright NATURAL FULL OUTER JOIN sky.stars",
    "SELECT (SELECT MAX(vmag) FROM sky.bright b WHERE b.hip = a.n) FROM sky.stars a",
    "WITH a AS (SELECT n, COUNT(*) AS c FROM sky.stars GROUP BY n) SELECT * FROM a WHERE c > 1",
    "SELECT IN_UNIT(ra, 'arcsec'), IN_UNIT(ra, 'deg'), IN_UNIT(g, 'mmag') FROM sky.stars",
    "SELECT COORDSYS(pos), REGION('CIRCLE 1 2 3'), REGION('POSITION 1 2'), CAST('1 2' AS POINT) FROM sky.stars",
    "SELECT ivo_healpix_index(6, ra, dec), ivo_healpix_index(s, pos), ivo_healpix_center(6, n) FROM sky.stars",
    "SELECT ivo_epoch_prop_pos(ra, dec, g, g, g, NULL, 0, 9), ivo_geom_transform('ICRS', 'FK5', pos) FROM sky.stars",
    "SELECT ivo_to_jd(obs), ivo_to_mjd(obs), ivo_normal_random(g, 1), ivo_hms_to_degrees('1 2 3') FROM sky.stars",
    "SELECT ivo_hasword(name, label), ivo_hashlist_has(name, 'x'), ivo_nocasematch(name, 'a%') FROM sky.stars",
    "SELECT ivo_string_agg(name, ','), ivo_string_agg(DISTINCT label, name) FROM sky.bright JOIN sky.stars USING (ra)",
    "SELECT n, ivo_histogram(g, 5, 15, 5), ivo_interval_overlaps(n, 2, 1, 3) FROM sky.stars GROUP BY n",
]


@pytest.mark.parametrize("query", EXPRESSIONS)
def test_answers_have_the_declared_names_and_types(database: Connection, query: str) -> None:
    translation = translate(query, SKY, maxrec=20)
    description = database.execute(translation.sql).description or ()
    names: dict[int, str] = dict(database.execute("SELECT oid::int8, typname FROM pg_type").fetchall())
    assert [column.name for column in description] == [column.name for column in translation.columns]
    assert [names[column.type_code] for column in description] == [declared(column) for column in translation.columns]


@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(56.75, 24.12, 5), (0.5, -10, 3), (200, 89, 4), (10, -89.9, 10), (10, 10, 89)]
)
def test_cones_hold_the_stars_that_they_hold(
    database: Connection, stars: dict[str, Any], ra: float, dec: float, radius: float
) -> None:
    inside = int(np.sum(separation(stars["ra"], stars["dec"], ra, dec) <= radius))
    assert inside
    for condition in (
        f"1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, {radius}))",
        f"0 <> CONTAINS(pos, CIRCLE(POINT({ra}, {dec}), {radius}))",
        f"DISTANCE(ra, dec, {ra}, {dec}) < {radius}",
        f"{radius} >= DISTANCE(POINT({ra}, {dec}), POINT(ra, dec))",
        f"1 = CONTAINS(POINT({ra}, {dec}), CIRCLE(ra, dec, {radius}))",
        f"1 = INTERSECTS(CIRCLE({ra}, {dec}, {radius}), POINT(ra, dec))",
    ):
        assert answer(database, f"SELECT COUNT(*) FROM sky.stars WHERE {condition}") == [(inside,)], condition
    outside = f"SELECT COUNT(*) FROM sky.stars WHERE 0 = CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, {radius}))"
    assert answer(database, outside) == [(len(stars["ra"]) - inside,)]


def test_distances_beyond_a_circle_are_compared(database: Connection, stars: dict[str, Any]) -> None:
    apart = separation(stars["ra"], stars["dec"], 10, 10)
    for condition, expected in (("< 120", apart < 120), ("< -1", apart < -1), ("> 60", apart > 60)):
        query = f"SELECT COUNT(*) FROM sky.stars WHERE DISTANCE(ra, dec, 10, 10) {condition}"
        assert answer(database, query) == [(int(np.sum(expected)),)]


@pytest.mark.parametrize(
    ("ra", "dec", "width", "height"), [(100, 80, 10, 10), (0, 0, 20, 5), (359, -60, 30, 10), (10, 90, 12, 6)]
)
def test_box_has_true_sides(
    database: Connection, stars: dict[str, Any], ra: float, dec: float, width: float, height: float
) -> None:
    position = vectors(stars["ra"], stars["dec"])
    a, d = np.radians(ra), np.radians(dec)
    east = np.array([-np.sin(a), np.cos(a), 0])
    north = np.array([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    depth = position @ vectors(ra, dec)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = position @ east / depth, position @ north / depth
    half = np.tan(np.radians([width, height]) / 2)
    inside = set(stars["id"][(depth > 0) & (abs(x) <= half[0]) & (abs(y) <= half[1])].astype(int))
    query = f"SELECT source_id FROM sky.stars WHERE 1 = CONTAINS(POINT(ra, dec), BOX({ra}, {dec}, {width}, {height}))"
    assert {row[0] for row in answer(database, query)} == inside
    assert inside


def test_areas_and_centroids(database: Connection) -> None:
    query = (
        "SELECT AREA(CIRCLE(1, 2, 90)), AREA(POLYGON(0, 0, 90, 0, 0, 90)), CENTROID(POLYGON(0, 0, 90, 0, 0, 90)),"
        " CENTROID(BOX(100, 80, 10, 10)), CENTROID(POLYGON(0, 90, 90, 0, 0, 0)), COORD1(POINT(-10, 5)) FROM sky.bright"
    )
    hemisphere, octant, middle, box, turned, longitude = answer(database, query)[0]
    assert hemisphere == pytest.approx(2 * np.pi * np.degrees(1) ** 2)
    assert octant == pytest.approx(np.pi / 2 * np.degrees(1) ** 2)
    diagonal = [45, np.degrees(np.arctan(1 / np.sqrt(2)))]
    assert middle == pytest.approx(diagonal)
    assert turned == pytest.approx(diagonal)
    assert box[0] == pytest.approx(100)
    assert longitude == pytest.approx(350)


def test_unknown_corners_make_unknown_shapes(database: Connection) -> None:
    query = "SELECT POLYGON(ra, dec, NULL, 1, 2, 3), BOX(ra, NULL, 1, 1), CIRCLE(ra, dec, NULL) FROM sky.bright"
    assert answer(database, query)[0] == (None, None, None)


@pytest.mark.parametrize(
    "condition",
    [
        "1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1))",
        "DISTANCE(ra, dec, 56.75, 24.12) < 5 / 60.0",
        "1 = CONTAINS(POINT(ra, dec), BOX(56.75, 24.12, 1, 1))",
        "1 = CONTAINS(POINT(ra, dec), POLYGON(10, 10, 12, 10, 12, 12))",
        "1 = INTERSECTS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1))",
    ],
)
def test_shapes_are_found_by_the_index(database: Connection, condition: str) -> None:
    plan = database.execute("EXPLAIN " + translate(f"SELECT ra FROM sky.stars WHERE {condition}", SKY).sql).fetchall()
    assert any("stars_spoint_idx" in line for (line,) in plan), plan


@pytest.mark.parametrize(
    "on",
    [
        "DISTANCE(a.ra, a.dec, b.ra, b.dec) < 5 / 3600.0",
        "1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 5 / 3600.0))",
        "1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, 5 / 3600.0))",
        "DISTANCE(POINT(b.ra, b.dec), POINT(a.ra, a.dec)) < a.s / 3600.0 + 0.002",
    ],
)
def test_cross_match_is_found_by_an_index_and_complete(database: Connection, on: str) -> None:
    query = f"SELECT a.source_id, b.source_id FROM sky.stars AS a JOIN sky.bright AS b ON {on}"
    plan = database.execute("EXPLAIN " + translate(query, SKY).sql).fetchall()
    assert any("spoint_idx" in line for (line,) in plan), plan
    matched = {first for first, second in answer(database, query) if first == second}
    assert len(matched) == 2000


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / 2.0", 3.5),
        ("MOD(-7, 2)", -1),
        ("MOD(5.5, 2)", 1.5),
        ("LOG(EXP(2))", 2.0),
        ("LOG10(1000)", 3.0),
        ("ROUND(2.675, 1)", 2.7),
        ("ROUND(2.5)", 3.0),
        ("ROUND(2.5, 0)", 3.0),
        ("ROUND(CAST(2.5 AS DOUBLE PRECISION))", 3.0),
        ("ROUND(CAST(-2.5 AS DOUBLE PRECISION))", -3.0),
        ("ROUND(1234567, -3)", 1235000.0),
        ("TRUNCATE(-2.5)", -2.0),
        ("MOD(CAST(1 AS DOUBLE PRECISION), 0.1)", math.fmod(1.0, 0.1)),
        ("(SELECT SUM(n) FROM ((SELECT TOP 5 n FROM sky.stars ORDER BY source_id) ORDER BY n DESC OFFSET 3) AS x)", 3),
        ("TRUNCATE(-2.678, 2)", -2.67),
        ("POWER(2, 10)", 1024.0),
        ("10 - 4 - 3", 3),
        ("10 - (4 - 3)", 9),
        ("100 / 5 * 2", 40),
        ("-2 * -3", 6),
        ("- -5", 5),
        ("CAST(65 AS VARCHAR)", "65"),
        ("CASE WHEN NOT 1 = 2 AND 2 = 3 OR 1 = 1 THEN 'yes' ELSE 'no' END", "yes"),
        (r"CASE WHEN 'a\b' LIKE 'a\b' THEN 1 ELSE 0 END", 1),
        ("CASE WHEN 'A' ILIKE 'a' THEN 1 ELSE 0 END", 1),
        ("CONTAINS(POINT(1, 1), CIRCLE(1, 1, 1))", 1),
        ("CONTAINS(POINT(9, 9), CIRCLE(1, 1, 1))", 0),
        ("CONTAINS(CIRCLE(1, 1, 1), CIRCLE(1, 1, 2))", 1),
        ("INTERSECTS(CIRCLE(1, 1, 1), BOX(3, 1, 3, 1))", 1),
        ("0xFF", 255),
        ("'a ( b ) , _ c . d'", "a ( b ) , _ c . d"),
        ("'x_ y'", "x_ y"),
        (r"'\''' || '\\'", r"\'\\"),
        ("'β 𝔸 %s {0} $1 ;--'", "β 𝔸 %s {0} $1 ;--"),
        ("(SELECT COUNT(*) FROM (SELECT TOP 2 n FROM sky.stars UNION ALL SELECT TOP 3 n FROM sky.stars) AS u)", 5),
        ("(SELECT TOP 1 n FROM sky.stars ORDER BY source_id OFFSET 2)", 3),
    ],
)
def test_expressions_mean_what_they_say(database: Connection, expression: str, expected: object) -> None:
    assert answer(database, f"SELECT TOP 1 {expression} FROM sky.bright") == [(expected,)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=st.floats(-1e6, 1e6) | st.floats(allow_nan=False, allow_infinity=False),
    y=st.floats(1e-3, 1e3) | st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)
def test_the_remainder_of_doubles_is_exact(database: Connection, x: float, y: float) -> None:
    (found,) = database.execute("SELECT public.adql_mod(%s::float8, %s::float8)", (x, y)).fetchone() or ()
    assert found == math.fmod(x, y)


def test_the_remainder_of_what_is_no_number_is_none(database: Connection) -> None:
    for x, y in ((math.nan, 1), (1, math.nan), (math.inf, 1)):
        (found,) = database.execute("SELECT public.adql_mod(%s::float8, %s::float8)", (x, y)).fetchone() or ()
        assert math.isnan(found)
    assert database.execute("SELECT public.adql_mod(1, 'Infinity')").fetchone() == (1,)
    with pytest.raises(psycopg.errors.DivisionByZero):
        database.execute("SELECT public.adql_mod(1, 0)")


def test_numbers_smaller_than_the_divisor_are_their_own_remainder(database: Connection) -> None:
    for column in ("ra", "dec", "g"):
        assert answer(database, f"SELECT COUNT(*) FROM sky.stars WHERE MOD({column}, 1000) <> {column}") == [(0,)]


def test_rounding_counts_the_decimals_that_are_written(database: Connection) -> None:
    query = "SELECT ra, ROUND(ra), ROUND(ra, 0), ROUND(ra, 3), TRUNCATE(ra), TRUNCATE(ra, 0) FROM sky.stars"
    for ra, *rounded in answer(database, query):
        written = Decimal(repr(ra))
        whole, third, cut = (
            float(written.quantize(Decimal(step), rounding=how))
            for step, how in (("1", ROUND_HALF_UP), ("0.001", ROUND_HALF_UP), ("1", ROUND_DOWN))
        )
        assert rounded == [whole, whole, third, cut, cut]


UNCOUNTED = Catalogue(
    [replace(table, columns=tuple(column.unbounded for column in table.columns)) for table in SKY.tables]
)
"""The same tables, of which nobody knows what numbers they hold."""

NOWHERE = "(SELECT 10.0 AS ra, 95.0 AS dec UNION ALL SELECT 190, 85 UNION ALL SELECT 10, -91) AS p"
"""A place, and pairs of numbers that pgSphere would take for it or for another."""


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("1 = CONTAINS(POINT(ra, dec), CIRCLE(190, 85, 1))", 1),
        ("0 = CONTAINS(POINT(ra, dec), CIRCLE(190, 85, 1))", 0),
        ("NOT 1 = CONTAINS(POINT(ra, dec), CIRCLE(190, 85, 1))", 0),
        ("1 = CONTAINS(POINT(ra, dec), BOX(190, 85, 10, 2))", 1),
        ("1 = CONTAINS(POINT(190, 85), CIRCLE(ra, dec, 1))", 1),
        ("1 = CONTAINS(POINT(190, 85), BOX(ra, dec, 1, 1))", 1),
        ("1 = INTERSECTS(POINT(ra, dec), CIRCLE(190, 85, 1))", 1),
        ("1 = INTERSECTS(CIRCLE(ra, dec, 1), POLYGON(180, 84, 200, 84, 190, 87))", 1),
        ("1 = INTERSECTS(POINT(ra, dec), POINT(190, 85))", 1),
        ("DISTANCE(ra, dec, 190, 85) < 1", 1),
        ("DISTANCE(POINT(190, 85), POINT(ra, dec)) < ra / 100", 1),
        ("DISTANCE(ra, dec, 190, 85) < 170", 1),
        ("DISTANCE(ra, dec, 190, 85) >= 0", 1),
        ("COORD1(POINT(ra, dec)) > 0", 1),
        ("AREA(POLYGON(ra, dec, 180, 80, 200, 80)) > 0", 1),
        ("ivo_healpix_index(3, ra, dec) >= 0", 1),
    ],
)
def test_numbers_that_are_no_place_are_nowhere(database: Connection, condition: str, count: int) -> None:
    sql = translate(f"SELECT COUNT(*) FROM {NOWHERE} WHERE {condition}", UNCOUNTED).sql
    assert database.execute(sql).fetchall() == [(count,)]


def test_columns_that_nobody_counted_are_found_by_the_index_too(database: Connection) -> None:
    cone = "SELECT ra FROM sky.stars WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1))"
    match = "SELECT 1 FROM sky.stars a JOIN sky.bright b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < 5 / 3600.0"
    for query in (cone, match):
        plan = database.execute("EXPLAIN " + translate(query, UNCOUNTED).sql).fetchall()
        assert any("spoint_idx" in line for (line,) in plan), plan


SAME = [
    "SELECT TOP 20 source_id, ra, dec FROM sky.stars ORDER BY g, source_id",
    "SELECT DISTINCT n FROM sky.stars",
    "SELECT source_id FROM sky.stars WHERE ra BETWEEN 10 AND 20 AND dec > -30 OR n IN (1, 2) AND g < 6",
    "SELECT source_id FROM sky.stars WHERE name LIKE 'abc1%' AND label IS NOT NULL",
    "SELECT n, COUNT(*) AS c, AVG(g) AS m, MIN(ra), SUM(s) FROM sky.stars GROUP BY n HAVING COUNT(*) > 10 ORDER BY n",
    "SELECT COUNT(DISTINCT s) FROM sky.stars",
    "SELECT a.n, b.hip FROM sky.stars AS a INNER JOIN sky.bright AS b ON a.source_id = b.source_id WHERE b.vmag < 8",
    "SELECT a.source_id, b.hip FROM sky.stars AS a LEFT OUTER JOIN sky.bright AS b USING (source_id) WHERE a.n = 3",
    "SELECT b.hip FROM sky.stars AS a, sky.bright AS b WHERE a.source_id = b.source_id AND a.s = 0",
    "SELECT source_id FROM sky.stars WHERE source_id IN (SELECT source_id FROM sky.bright WHERE vmag < 7)",
    "SELECT q.x FROM (SELECT ra + dec AS x FROM sky.stars WHERE n = 1) AS q WHERE q.x > 100",
    "SELECT SQRT(g), LOG(g), LOG10(g), EXP(s), POWER(g, 2), ABS(dec), FLOOR(g), CEILING(g) FROM sky.stars WHERE n = 2",
    "SELECT SIN(ra), COS(ra), ATAN2(ra, dec), DEGREES(g), RADIANS(g), MOD(n, 3), PI() FROM sky.stars WHERE n = 4",
    "SELECT n FROM sky.stars WHERE s = 1 UNION SELECT hip FROM sky.bright WHERE hip < 100",
    "SELECT ra FROM sky.stars ORDER BY ra OFFSET 19990",
    "SELECT source_id FROM sky.stars WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 56.75, 24.12, 10))",
    "SELECT source_id FROM sky.stars WHERE 0 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 56.75, 24.12, 80))",
    "SELECT source_id FROM sky.stars WHERE 1 = INTERSECTS(CIRCLE('ICRS', ra, dec, 1), CIRCLE('ICRS', 56.75, 24.12, 5))",
    "SELECT source_id FROM sky.stars WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), POLYGON('ICRS', 1, 1, 40, 1, 40, 40))",
    "SELECT source_id, DISTANCE(POINT('ICRS', ra, dec), POINT('ICRS', 10, 20)) AS d FROM sky.stars WHERE n = 5",
    "SELECT source_id FROM sky.stars WHERE ra - (dec - g) > 100 AND NOT (n = 1 OR n = 2)",
]


def old_translation(query: str) -> str:
    """What queryparser makes of a query that we wrote ourselves; it evaluates the text that it is given."""
    return str(ADQLQueryTranslator(query).to_postgresql())


def comparable(rows: list[Row]) -> Counter[Row]:
    """Rows without order; numbers to nine digits, whatever their type."""
    return Counter(
        tuple(f"{float(value):.9g}" if isinstance(value, float | int | Decimal) else value for value in row)
        for row in rows
    )


@pytest.mark.parametrize("query", SAME)
def test_rows_are_those_of_the_old_translator(database: Connection, query: str) -> None:
    expected = database.execute(old_translation(query)).fetchall()
    assert expected
    assert comparable(answer(database, query)) == comparable(expected)
