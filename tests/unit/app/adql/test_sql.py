"""The SQL that comes out, where one wrong sign would give wrong answers without a word."""

from __future__ import annotations

import pytest

from almagest.adql import AdqlError, NotAllowed, translate
from support.stars import SKY


def where(condition: str) -> str:
    return translate(f"SELECT ra FROM sky.stars WHERE {condition}", SKY).sql.partition(" WHERE ")[2]


def selected(expression: str) -> str:
    sql = translate(f"SELECT {expression} AS x FROM sky.stars", SKY).sql
    return sql.removeprefix("SELECT ").partition(' AS "x"')[0]


def kind(expression: str) -> tuple[str, str | None, str | None, str | None]:
    (column,) = translate(f"SELECT {expression} AS x FROM sky.stars", SKY).columns
    return column.datatype, column.arraysize, column.xtype, column.unit


POSITION = 'spoint(radians(t1."ra"), radians(t1."dec"))'


@pytest.mark.parametrize(
    "condition",
    [
        "1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 56.75, 24.12, 1))",
        "CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1)) = 1",
        "0 <> CONTAINS(POINT(ra, dec), CIRCLE(POINT(56.75, 24.12), 1))",
        "1 = INTERSECTS(CIRCLE('', 56.75, 24.12, 1), POINT(ra, dec))",
        "DISTANCE(ra, dec, 56.75, 24.12) < 1",
        "DISTANCE(POINT(56.75, 24.12), POINT(ra, dec)) <= 1",
        "1 > DISTANCE(POINT(56.75, 24.12), POINT(ra, dec))",
    ],
)
def test_every_cone_becomes_the_form_that_the_index_answers(condition: str) -> None:
    assert where(condition) == f"{POSITION} <@ scircle(spoint(radians(56.75), radians(24.12)), radians(1))"


def test_cone_not_contained() -> None:
    assert where("0 = CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))").startswith(f"NOT ({POSITION} <@ scircle(")


def test_cross_match_lets_the_planner_choose_the_index() -> None:
    sql = translate(
        "SELECT * FROM sky.stars a JOIN sky.bright b "
        "ON 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 5/3600.0))",
        SKY,
    ).sql
    assert sql.endswith(
        'ON spoint_dwithin(spoint(radians(t1."ra"), radians(t1."dec")), '
        'spoint(radians(t2."ra"), radians(t2."dec")), radians(5 / 3600.0))'
    )


@pytest.mark.parametrize("radius", ["120", "-1", "0"])
def test_distance_below_what_no_circle_has_is_compared(radius: str) -> None:
    assert "<->" in where(f"DISTANCE(ra, dec, 1, 2) < {radius}")
    assert "scircle" not in where(f"DISTANCE(ra, dec, 1, 2) < {radius}")


def test_distance_below_a_column_is_searched_and_compared() -> None:
    sql = where("DISTANCE(ra, dec, 1, 2) < g")
    assert sql.startswith(f"{POSITION} <@ scircle(")
    assert sql.endswith('< t1."g"')


def test_contains_in_the_select_list_is_one_or_zero() -> None:
    assert selected("CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))").startswith(f"CAST({POSITION} <@ scircle(")
    assert kind("CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))")[0] == "int"


@pytest.mark.parametrize("text", ["a ( b ) , _ c . d", "x_ y", "--", "/* */", "", " ", "%s {0} $1", "β Ori", ";"])
def test_string_literals_stay_as_they_are(text: str) -> None:
    assert selected(f"'{text}'") == f"CAST('{text}' AS text)"


def test_quotes_and_backslashes_mean_themselves_whatever_the_server_is_set_to() -> None:
    assert selected("'it''s'") == "CAST('it''s' AS text)"
    assert selected(r"'a\b'") == r"CAST(E'a\\b' AS text)"
    assert selected(r"'\'' OR 1=1 --'") == r"CAST(E'\\'' OR 1=1 --' AS text)"


def test_strings_on_two_lines_are_one() -> None:
    assert selected("'a'\n'b'") == "CAST('ab' AS text)"


@pytest.mark.parametrize(
    ("adql", "sql"),
    [
        ("LOG(2)", "ln(2)"),
        ("LOG10(2)", "log(2)"),
        ("CEILING(2.5)", "ceil(CAST(2.5 AS double precision))"),
        (
            "ROUND(ra, 2)",
            'CAST(round(CAST(CAST(t1."ra" AS text) AS numeric), CAST(2 AS integer)) AS double precision)',
        ),
        ("ROUND(2.5)", "CAST(round(CAST(2.5 AS numeric), 0) AS double precision)"),
        ("TRUNCATE(n)", 'CAST(trunc(CAST(t1."n" AS numeric), 0) AS double precision)'),
        ("MOD(n, 2)", 'mod(t1."n", 2)'),
        ("MOD(5.5, 2)", "CAST(mod(CAST(5.5 AS numeric), CAST(2 AS numeric)) AS double precision)"),
        ("MOD(g, 2)", 'public.adql_mod(CAST(t1."g" AS double precision), CAST(2 AS double precision))'),
        ("RAND()", "random()"),
        ("RAND(42)", "random()"),
        ("PI()", "pi()"),
        ("ra - (dec - g)", 't1."ra" - (t1."dec" - t1."g")'),
        ("(ra - dec) - g", '(t1."ra" - t1."dec") - t1."g"'),
        ("ra / dec * g", 't1."ra" / t1."dec" * t1."g"'),
        ("-ra", '- t1."ra"'),
        ("- -1", "- (-1)"),
        ("0x1F", "31"),
        ("AREA(CIRCLE(1, 2, 3))", "3282.806350011744 * area(scircle(spoint(radians(1), radians(2)), radians(3)))"),
        ("COORD1(POINT(ra, dec))", f"degrees(long({POSITION}))"),
        ("CAST(n AS CHAR(2))", 'CAST(CAST(t1."n" AS varchar(2)) AS text)'),
        ("COALESCE(name, 'x')", "coalesce(t1.\"name\", 'x')"),
        ("CASE s WHEN 1 THEN 'a' ELSE name END", 'CASE WHEN t1."s" = 1 THEN \'a\' ELSE t1."name" END'),
        ("(SELECT MAX(vmag) FROM sky.bright)", '(SELECT max(t2."vmag") AS c1 FROM "sky"."bright" AS t2)'),
        ("COUNT(DISTINCT n)", 'count(DISTINCT t1."n")'),
    ],
)
def test_expressions(adql: str, sql: str) -> None:
    assert selected(adql) == sql


@pytest.mark.parametrize(
    ("adql", "sql"),
    [
        ("name NOT LIKE 'a%'", "t1.\"name\" NOT LIKE 'a%' ESCAPE ''"),
        ("name ILIKE 'a%'", "t1.\"name\" ILIKE 'a%' ESCAPE ''"),
        ("ra NOT BETWEEN 1 AND 2", 'NOT (t1."ra" BETWEEN 1 AND 2)'),
        ("ra IS NOT NULL", 'NOT (t1."ra" IS NULL)'),
        ("n NOT IN (1, 2)", 'NOT (t1."n" IN (1, 2))'),
        ("n = 1 OR n = 2 AND s = 3", '(t1."n" = 1) OR ((t1."n" = 2) AND (t1."s" = 3))'),
        ("NOT n = 1", 'NOT (t1."n" = 1)'),
        ("n != 1", 't1."n" <> 1'),
        ("flag = 1", 'CAST(t1."flag" AS integer) = 1'),
        ("flag = TRUE", 't1."flag" = TRUE'),
        ("obs > '2020-01-01'", "t1.\"obs\" > '2020-01-01'"),
    ],
)
def test_conditions(adql: str, sql: str) -> None:
    assert where(adql) == sql


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ra", ("double", None, None, "deg")),
        ("n / 2", ("int", None, None, None)),
        ("n / 2.0", ("double", None, None, None)),
        ("s * s", ("short", None, None, None)),
        ("g + 1", ("double", None, None, None)),
        ("g - g", ("float", None, None, "mag")),
        ("10000000000", ("long", None, None, None)),
        ("1e3", ("double", None, None, None)),
        ("COUNT(*)", ("long", None, None, None)),
        ("SUM(n)", ("long", None, None, None)),
        ("AVG(g)", ("double", None, None, "mag")),
        ("MAX(g)", ("float", None, None, "mag")),
        ("MIN(obs)", ("char", "*", "timestamp", None)),
        ("name || label", ("unicodeChar", "*", None, None)),
        ("'é'", ("unicodeChar", "*", None, None)),
        ("NULL", ("char", "*", None, None)),
        ("pos", ("double", "2", "point", "deg")),
        ("CIRCLE(pos, 1)", ("double", "3", "circle", "deg")),
        ("BOX(pos, 1, 1)", ("double", "*", "polygon", "deg")),
        ("flux", ("float", "*", None, "Jy")),
        ("DISTANCE(pos, POINT(1, 2))", ("double", None, None, "deg")),
        ("CAST(name AS INTEGER)", ("int", None, None, None)),
        ("CAST('2020-01-01' AS TIMESTAMP)", ("char", "*", "timestamp", None)),
    ],
)
def test_results_are_typed(expression: str, expected: tuple[str, str | None, str | None, str | None]) -> None:
    assert kind(expression) == expected


def test_top_and_maxrec_fold_into_one_limit_that_shows_overflow() -> None:
    query = "SELECT TOP 5 ra FROM sky.stars OFFSET 3"
    below, above, without = (translate(query, SKY, maxrec=maxrec) for maxrec in (2, 10, None))
    assert below.sql.endswith(" LIMIT 3 OFFSET 3")
    assert (below.top, below.limit) == (5, 3)
    assert above.sql.endswith(" LIMIT 5 OFFSET 3")
    assert without.limit == 5
    assert translate("SELECT ra FROM sky.stars", SKY, maxrec=0).limit == 1


def test_top_in_a_branch_stays_in_its_branch() -> None:
    translation = translate("SELECT TOP 2 ra FROM sky.stars UNION SELECT TOP 3 vmag FROM sky.bright ORDER BY ra", SKY)
    assert translation.sql == (
        'SELECT t3.c1 AS "ra" FROM ((SELECT t1."ra" AS c1 FROM "sky"."stars" AS t1 LIMIT 2) UNION '
        '(SELECT t2."vmag" AS c1 FROM "sky"."bright" AS t2 LIMIT 3)) AS t3 ORDER BY 1'
    )
    assert translation.top is None


def test_intersect_binds_tighter() -> None:
    sql = translate("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", SKY).sql
    assert "(SELECT 1 AS c1) UNION ((SELECT 2 AS c1) INTERSECT (SELECT 3 AS c1))" in sql
    sql = translate("(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3", SKY).sql
    assert "((SELECT 1 AS c1) UNION (SELECT 2 AS c1)) INTERSECT (SELECT 3 AS c1)" in sql


def test_order_by_takes_names_numbers_and_expressions() -> None:
    sql = translate("SELECT ra AS x, dec FROM sky.stars ORDER BY x DESC, 2, dec, g + 1", SKY).sql
    assert sql.endswith(' ORDER BY 1 DESC, 2, 2, t1."g" + 1')


@pytest.mark.parametrize("frame", ["GALACTIC", "FK5", "ECLIPTIC"])
def test_other_frames_are_refused_and_not_taken_for_icrs(frame: str) -> None:
    with pytest.raises(NotAllowed, match=frame):
        translate(f"SELECT ra FROM sky.stars WHERE 1 = CONTAINS(POINT('{frame}', ra, dec), CIRCLE(1, 2, 3))", SKY)


@pytest.mark.parametrize(
    "expression",
    [
        "POINT(1, 91)",
        "CIRCLE(1, 2, -1)",
        "CIRCLE(1, 2, 91)",
        "POLYGON(1, 2, 3, 4)",
        "POLYGON(1, 2, 3, 4, 5)",
        "BOX(1, 2, 0, 1)",
        "POINT(name, dec)",
        "CONTAINS(POINT(1, 2), POINT(1, 2))",
        "DISTANCE(1, 2, 3)",
        "AREA(POINT(1, 2))",
        "COORD1(ra)",
        "SQRT(name)",
        "name + 1",
        "name || 1",
        "ra = 1",
        "COALESCE(name, 1)",
        "CASE WHEN n = 1 THEN 1 ELSE 'a' END",
        "CASE WHEN n THEN 1 END",
        "POWER(1)",
        "SUM(name)",
        "COUNT(n, s)",
        "LOWER(n)",
        "CAST(pos AS VARCHAR)",
        "-name",
        "(SELECT ra, dec FROM sky.bright)",
        "RAND(n)",
        "RAND('x')",
        "RAND(1, 2)",
        "SUM(*)",
    ],
)
def test_things_that_do_not_fit_are_refused_with_their_place(expression: str) -> None:
    with pytest.raises(AdqlError) as error:
        translate(f"SELECT {expression} FROM sky.stars", SKY)
    assert error.value.position is not None
    assert error.value.position >= (1, 8)


@pytest.mark.parametrize(
    "condition",
    ["name = 1", "ra", "pos = pos", "n IN (SELECT n, s FROM sky.stars)", "MAX(ra) > 1", "ra LIKE 'x'", "ra IS 1"],
)
def test_conditions_that_make_no_sense_are_refused(condition: str) -> None:
    with pytest.raises(AdqlError) as error:
        where(condition)
    assert error.value.position is not None


@pytest.mark.parametrize(
    "on", ["a.ra < b.ra", "a.ra = a.dec", "1 = 1", "a.n = b.hip OR a.s = b.hip", "NOT a.n = b.hip"]
)
def test_full_join_without_pairs_is_refused_as_postgresql_would(on: str) -> None:
    with pytest.raises(NotAllowed, match="FULL JOIN"):
        translate(f"SELECT a.ra FROM sky.stars AS a FULL JOIN sky.bright AS b ON {on}", SKY)


@pytest.mark.parametrize(
    "on", ["a.n = b.hip", "b.hip + 1 = a.n", "(a.n = b.hip AND a.ra < b.ra)", "a.ra < 3 AND a.s = b.hip"]
)
def test_full_join_with_pairs_is_answered(on: str) -> None:
    translate(f"SELECT a.ra FROM sky.stars AS a FULL JOIN sky.bright AS b ON {on}", SKY)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT POINT(COUNT(*), 0) FROM sky.stars",
        "SELECT POINT(360 * RAND(), 0) FROM sky.stars",
        "SELECT CIRCLE(0, 0, n + 1), COUNT(*) FROM sky.stars GROUP BY n + 1",
        "SELECT ivo_healpix_center(3, ivo_healpix_index(3, pos)) FROM sky.stars GROUP BY ivo_healpix_index(3, pos)",
    ],
)
def test_shapes_of_groups_and_random_numbers_are_made_before_they_go_out(query: str) -> None:
    """Inside the query that makes an array of a shape, PostgreSQL would count other rows, and draw once for all."""
    sql = translate(query, SKY, maxrec=5).sql
    assert sql.startswith("SELECT (SELECT ARRAY[")
    assert "(SELECT t2.c1 AS p)" in sql
    assert sql.endswith("LIMIT 6) AS t2")


@pytest.mark.parametrize("width", ["COUNT(*)", "SUM(1)", "RAND()", "ivo_normal_random(5, 1)"])
def test_boxes_take_no_counts(width: str) -> None:
    with pytest.raises(NotAllowed, match="cannot stand inside"):
        translate(f"SELECT AREA(BOX(1, 2, 3, {width})) FROM sky.stars", SKY)


def test_points_are_not_grouped_by() -> None:
    with pytest.raises(AdqlError, match="cannot be grouped by"):
        translate("SELECT COUNT(*) FROM sky.stars GROUP BY pos", SKY)


@pytest.mark.parametrize(
    ("query", "sorts"),
    [
        ("SELECT ra FROM sky.stars WHERE n IN (1, 2)", 1),
        ("SELECT COUNT(n) FROM sky.stars GROUP BY s ORDER BY s", 3),
        ("SELECT COUNT(DISTINCT n), SUM(DISTINCT s), IVO_STRING_AGG(name, ',') FROM sky.stars", 4),
        ("SELECT a.ra FROM sky.stars AS a, sky.stars AS b JOIN sky.stars AS c ON b.n = c.n", 3),
        ("SELECT ra FROM sky.stars WHERE n IN (SELECT n FROM sky.stars) OR EXISTS (SELECT 1 FROM sky.stars)", 3),
        ("WITH x AS (SELECT DISTINCT n FROM sky.stars) SELECT n FROM x UNION SELECT s FROM sky.stars", 5),
    ],
)
def test_what_may_be_held_in_memory_is_counted(query: str, sorts: int) -> None:
    assert translate(query, SKY).sorts == sorts
