"""Text that means harm, or nothing: it is refused with a reason, in bounded time, and none of it reaches the SQL."""

from __future__ import annotations

import re
import sys
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.adql import AdqlError, AdqlSyntaxError, NotAllowed, TooComplex, UnknownFunction, translate
from almagest.adql.dialects import ADQL, POSTGRESQL
from support.stars import SKY

FORBIDDEN = re.findall(
    r"\w+",
    """
    set_config pg_sleep pg_sleep_for query_to_xml table_to_xml database_to_xml xpath pg_read_file
    pg_read_binary_file pg_ls_dir lo_import lo_export dblink dblink_exec pg_terminate_backend pg_cancel_backend
    pg_advisory_lock generate_series repeat lpad rpad current_setting version inet_server_addr regexp_replace
    regexp_matches string_agg array_agg row_number nextval setval has_table_privilege pg_relation_size to_regclass
    ts_stat unnest format concat substring spoint scircle spoint_dwithin random ln ceil
    """,
)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_functions_of_postgresql_do_not_exist(name: str) -> None:
    with pytest.raises(UnknownFunction):
        translate(f"SELECT {name}('x') FROM sky.stars", SKY)


PLAIN = frozenset(("substring", "random", "ln", "ceil", "row_number"))
"""Functions of PostgreSQL that its dialect has, and ADQL has not."""


@pytest.mark.parametrize("name", [name for name in FORBIDDEN if name not in PLAIN])
def test_the_dialect_has_no_function_that_knows_the_server_or_grows(name: str) -> None:
    for call in (f"{name}('x')", f"{name}()", f"{name}(1, 2)", f"{name}('x') OVER ()", f"pg_catalog.{name}('x')"):
        with pytest.raises(AdqlError):
            translate(f"SELECT {call} FROM sky.stars", SKY, dialect="postgresql")


def test_the_dialect_has_every_function_of_adql() -> None:
    assert ADQL.functions.keys() <= POSTGRESQL.functions.keys()


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM sky.stars",
        "DROP TABLE sky.stars",
        "COPY sky.stars TO PROGRAM 'id'",
        "SET ROLE postgres",
        "VALUES (1)",
        "TABLE sky.stars",
        "EXPLAIN SELECT 1",
        "SELECT 1; DROP TABLE sky.stars",
        "SELECT 1;;SELECT 2",
        "SELECT * INTO evil FROM sky.stars",
        "SELECT ra FROM sky.stars FOR UPDATE",
        "SELECT ra FROM sky.stars LIMIT 5",
        "SELECT ra FROM sky.stars FETCH FIRST 5 ROWS ONLY",
        "SELECT ra FROM ONLY sky.stars",
        "SELECT ra FROM sky.stars TABLESAMPLE SYSTEM (1)",
        "SELECT ra FROM sky.stars, LATERAL (SELECT 1) x",
        "SELECT ra FROM pg_ls_dir('/')",
        "SELECT ra FROM (VALUES (1)) AS x",
        "WITH x AS (DELETE FROM sky.stars) SELECT * FROM x",
        "WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x",
        "SELECT ra::text FROM sky.stars",
        "SELECT CAST(ra AS regclass) FROM sky.stars",
        "SELECT ra[1] FROM sky.stars",
        "SELECT (sky.stars).ra FROM sky.stars",
        "SELECT ROW(1, 2) FROM sky.stars",
        "SELECT (ra, dec) FROM sky.stars",
        "SELECT COUNT(*) OVER () FROM sky.stars",
        "SELECT COUNT(*) FILTER (WHERE 1=1) FROM sky.stars",
        "SELECT MAX(ra ORDER BY ra) FROM sky.stars",
        "SELECT DISTINCT ON (ra) ra FROM sky.stars",
        "SELECT ra FROM sky.stars WHERE ra = ANY (SELECT 1)",
        "SELECT ra FROM sky.stars WHERE ra IS DISTINCT FROM dec",
        "SELECT ra FROM sky.stars WHERE name SIMILAR TO 'x'",
        "SELECT ra FROM sky.stars WHERE name ~ 'x'",
        "SELECT ra FROM sky.stars WHERE name LIKE 'x' ESCAPE 'y'",
        "SELECT ra FROM sky.stars ORDER BY ra NULLS FIRST",
        "SELECT ra FROM sky.stars GROUP BY ROLLUP (ra)",
        "SELECT ra FROM sky.stars WINDOW w AS ()",
        "SELECT ra COLLATE \"C\" FROM sky.stars",
        "SELECT INTERVAL '1' DAY FROM sky.stars",
        "SELECT DATE '2020-01-01' FROM sky.stars",
        "SELECT current_user FROM sky.stars",
        "SELECT ra ^ 2 FROM sky.stars",
        "SELECT ra FROM sky.stars -- \n /* x */",
        "SELECT $1",
        "SELECT :x",
        "SELECT ?",
        "SELECT @x",
        "SELECT {fn NOW()}",
        "SELECT `ra` FROM sky.stars",
        "SELECT ra FROM a.b.c",
        "",
        "  -- nothing",
    ],
)  # fmt: skip
def test_what_is_not_adql_is_refused(query: str) -> None:
    with pytest.raises(AdqlError) as error:
        translate(query, SKY)
    assert error.value.message.endswith(".")


@pytest.mark.parametrize(
    "literal",
    ["E'a'", "e'\\''", "U&'\\0041'", "N'a'", "X'ff'", "B'01'", "$$a$$", "$x$a$x$", "'a' 'b'", "'a", '"a', '""'],
)
def test_other_literals_of_postgresql_are_refused(literal: str) -> None:
    with pytest.raises(AdqlError) as error:
        translate(f"SELECT {literal} FROM sky.stars", SKY)
    assert error.value.position is not None


def test_nul_and_broken_unicode_are_refused_with_their_place() -> None:
    with pytest.raises(AdqlSyntaxError) as error:
        translate("SELECT\n '\0'", SKY)
    assert error.value.position == (2, 3)
    with pytest.raises(AdqlSyntaxError):
        translate("SELECT '\ud800'", SKY)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("SELECT a,,b FROM sky.stars", (1, 10)),
        ("SELECT ra FROM sky.stars WHERE ra BETWEEN 1 2", (1, 45)),
        ("SELECT ra\nFROM sky.stars\nWHERE", (3, 6)),
        ("SELECT ra FROM sky.stars WHERE (ra = 1", (1, 39)),
        ("SELECT ra FROM sky.stars ORDER BY", (1, 34)),
        ("SELECT ra b c FROM sky.stars", (1, 13)),
        ("SELEC ra FROM sky.stars", (1, 1)),
        ("SELECT CASE WHEN 1=1 'a' END", (1, 22)),
        ("SELECT ra FROM sky.stars JOIN sky.bright", (1, 31)),
        ("SELECT ra FROM sky.stars WHERE n IN ()", (1, 32)),
        ("SELECT ra FROM ..stars", (1, 16)),
        ("SELECT ra FROM sky..stars", (1, 20)),
        ("SELECT ra FROM sky.stars a, .bright", (1, 29)),
    ],
)
def test_syntax_errors_point_to_the_word(query: str, place: tuple[int, int]) -> None:
    with pytest.raises(AdqlSyntaxError) as error:
        translate(query, SKY)
    assert error.value.position == place


WHERE = "SELECT ra FROM sky.stars WHERE "
HUGE = {
    "parentheses": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "subqueries": "SELECT ra FROM " + "(SELECT ra FROM " * 50 + "sky.stars" + " x)" * 50,
    "signs": "SELECT " + "- " * 5000 + "1",
    "nots": WHERE + "NOT " * 5000 + "ra = 1",
    "cases": "SELECT " + "CASE WHEN 1=1 THEN " * 500 + "1" + " END" * 500,
    "tokens": WHERE + " OR ".join(["ra = 1"] * 9000),
    "bytes": "SELECT '" + "x" * 200_000 + "'",
    "digits": "SELECT 1" + "0" * 90_000,
    "hexadecimal": "SELECT 0x" + "f" * 90_000,
    "exponent": "SELECT 1e999999999",
    "small exponent": "SELECT 1e-999999999",
    "name": 'SELECT "' + "x" * 90_000 + '" FROM sky.stars',
    "columns": "SELECT " + ",".join(["*"] * 6000) + " FROM sky.stars",
    "joins that must be tried twice": "SELECT 1 FROM sky.stars a "
    + " ".join(f"JOIN sky.stars a{i}" for i in range(60)),
    "texts that double": "SELECT x FROM "
    + "(SELECT x || x AS x FROM " * 20
    + "(SELECT name AS x FROM sky.stars) AS y"
    + ") AS z" * 20,
    "stars of stars": "WITH a0 AS (SELECT * FROM sky.stars)"
    + "".join(f", a{i} AS (SELECT * FROM a{i - 1} x, a{i - 1} y)" for i in range(1, 30))
    + " SELECT * FROM a29",
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("query", HUGE.values(), ids=HUGE.keys())
def test_what_would_exhaust_the_server_is_refused(query: str) -> None:
    with pytest.raises(TooComplex):
        translate(query, SKY)


SUM = " + ".join(["ra"] * 700)
NESTED = "1 = 1"
for _ in range(20):
    NESTED = f"a.n = (SELECT 1 FROM sky.stars a FULL JOIN sky.bright b ON a.n = b.hip AND {NESTED})"

REPEATED = {
    "a sum in every bin": f"SELECT IVO_HISTOGRAM(IVO_INTERVAL_OVERLAPS({SUM}, {SUM}, 1, 2), 0, 1, 100) FROM sky.stars",
    "an operand of many WHENs": f"SELECT CASE {SUM} "
    + " ".join(f"WHEN {i} THEN 1" for i in range(1500))
    + " END FROM sky.stars",
    "joins USING the last": "SELECT 1 FROM sky.bright a "
    + " ".join(f"FULL JOIN sky.bright a{i} USING (ra)" for i in range(500)),
    "columns of joins": "SELECT 1 FROM sky.stars a " + " ".join(f"JOIN sky.stars a{i} USING (ra)" for i in range(420)),
    "columns of branches": " UNION ALL ".join(["SELECT * FROM sky.stars a, sky.stars b"] * 500),
}
"""Where what is written once would be there many times: refused before it is."""

BY_NAME = {
    "groups": f"SELECT {SUM} AS x FROM sky.stars GROUP BY " + ", ".join(["x", "1"] * 1700),
    "orders": "SELECT "
    + ", ".join(f"1 AS a{i}" for i in range(800))
    + " FROM sky.stars ORDER BY "
    + ", ".join(["a1"] * 2000),
    "joins in joins": f"SELECT 1 FROM sky.stars a FULL JOIN sky.bright b ON a.n = b.hip AND {NESTED}",
}
"""What names the same many times, and is answered in the time that it takes to read it."""


def peak(query: str) -> int:
    """Bytes that the translation of a query holds at once, answered or refused."""
    tracemalloc.start()
    try:
        translate(query, SKY)
    except TooComplex:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.timeout(300)
@pytest.mark.parametrize("query", REPEATED.values(), ids=REPEATED.keys())
def test_what_a_translation_would_repeat_is_refused_before_it_is_there(query: str) -> None:
    assert peak(query) < 40_000_000
    with pytest.raises(TooComplex):
        translate(query, SKY)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("query", BY_NAME.values(), ids=BY_NAME.keys())
def test_what_is_named_a_thousand_times_is_translated_once(query: str) -> None:
    assert peak(query) < 40_000_000
    assert len(translate(query, SKY).sql) < 2 * len(query) + 100_000


LARGE = {
    "conditions": WHERE + " OR ".join(["ra = 1"] * 3000),
    "sum": "SELECT " + " + ".join(["ra"] * 6000) + " FROM sky.stars",
    "list": WHERE + "source_id IN (" + ", ".join(map(str, range(6000))) + ")",
    "union": " UNION ".join(["SELECT ra FROM sky.stars"] * 1000),
    "joins": "SELECT 1 FROM sky.stars a " + " ".join(f"JOIN sky.stars a{i} ON a{i}.ra = a.ra" for i in range(300)),
    "parentheses": "SELECT " + "(" * 24 + "1" + ")" * 24,
    "subqueries": "SELECT ra FROM " + "(SELECT ra FROM " * 22 + "sky.stars" + " x)" * 22,
}


@pytest.mark.parametrize("query", LARGE.values(), ids=LARGE.keys())
def test_large_queries_of_machines_are_answered(query: str) -> None:
    translate(query, SKY)


def test_nesting_at_the_limit_leaves_room_for_the_caller() -> None:
    """A web server's own frames lie under ours: the deepest queries must fit above some hundred of them."""

    def below(frames: int) -> str:
        return below(frames - 1) if frames else translate(LARGE["subqueries"], SKY).sql

    sizes: list[int] = []
    thread = threading.Thread(target=lambda: sizes.append(len(below(150))))
    thread.start()
    thread.join()
    assert sizes
    assert sys.getrecursionlimit() == 1000


FRAGMENTS = st.sampled_from(
    re.findall(
        r"\S+",
        r"""
        SELECT TOP~5 DISTINCT ALL FROM sky.stars sky.bright AS a b a.ra ra dec g name flag pos * WHERE AND OR NOT IN
        EXISTS BETWEEN LIKE IS NULL pg_sleep
        GROUP~BY ORDER~BY HAVING OFFSET 1 0.5 1e3 0x1f 'x' 'it''s' "ra" ( ) , . + - * / = <
        <> || JOIN LEFT NATURAL ON USING UNION EXCEPT INTERSECT WITH CASE WHEN THEN ELSE END CAST VARCHAR COUNT(*) MAX
        POINT CIRCLE CONTAINS DISTANCE ; -- LATERAL LIMIT OVER :: [ ] { } $$ E' \ ' " VALUES UNNEST FOR UPDATE INTO
        """,
    )
).map(lambda word: word.replace("~", " "))

SQL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        ALL AND ARRAY AS ASC BETWEEN BIGINT BOOLEAN BY CASE CAST COALESCE CROSS DESC DISTINCT DOUBLE E ELSE END
        ESCAPE EXCEPT EXISTS FALSE FROM FULL GREATEST GROUP HAVING ILIKE IN INNER INTEGER INTERSECT IS JOIN LATERAL
        LEFT LIKE LIMIT NOT NULL NUMERIC OFFSET ON OR ORDER ORDINALITY OVER PRECISION REAL RIGHT SELECT SMALLINT
        TEXT THEN TIMESTAMP TRUE UNION VALUES VARCHAR VARIADIC WHEN WHERE WINDOW WITH ABS ACOS AREA ARRAY_AGG ASIN
        ATAN ATAN2 AVG CEIL CENTER COS COT COUNT DEGREES EXP FIRST_VALUE FLOOR LAT LEAD LN LOG LONG LOWER MAX MIN
        MOD NULLIF NUM_NULLS PI POWER RADIANS RADIUS RANDOM ROUND SCIRCLE SIGN SIN SPOINT SPOINT_DWITHIN SPOLY
        SPOLY_AS_ARRAY SQRT SUM TAN TRUNC UNNEST UPPER
        """,
    )
)
"""Every word of three letters and more, and E, that the generator writes by itself."""


def unquoted_words(sql: str) -> set[str]:
    """The words of a statement that stand outside of strings and quoted names."""
    bare = re.sub(r"E'(?:[^'\\]|''|\\\\)*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", " ", sql)
    assert "'" not in bare
    assert '"' not in bare
    assert not re.search(r"[;$\\:]|--|/\*", bare)
    return set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", bare))


def check(text: str) -> None:
    try:
        sql = translate(text, SKY, maxrec=10).sql
    except AdqlError:
        return
    for word in unquoted_words(sql):
        assert re.fullmatch(r"[tc][0-9]+|[a-z]|e[0-9]+", word) or word.upper() in SQL_WORDS, word


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=40).map(" ".join))
def test_any_heap_of_words_is_translated_or_refused(text: str) -> None:
    check(text)
    check(f"SELECT {text} FROM sky.stars AS a")
    check(f"SELECT ra FROM sky.stars AS a WHERE {text}")


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_translated_or_refused(text: str) -> None:
    check(text)
    check(f"SELECT ra AS \"{text}\", '{text}' FROM sky.stars")
    check(f"SELECT ra {text} FROM sky.stars")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_any_string_comes_out_as_it_went_in(text: str) -> None:
    quoted = text.replace("'", "''")
    sql = translate(f"SELECT '{quoted}' FROM sky.stars", SKY).sql
    literal = sql.removeprefix("SELECT CAST(").partition(' AS text) AS "')[0]
    if "\\" in text:
        assert literal == "E'" + quoted.replace("\\", "\\\\") + "'"
    else:
        assert literal == f"'{quoted}'"


def test_a_string_that_looks_like_the_end_of_the_statement_stays_a_string() -> None:
    sql = translate(r"SELECT ra FROM sky.stars WHERE name = 'x\''; DROP TABLE sky.stars; --'", SKY).sql
    assert sql.endswith(r"""WHERE t1."name" = E'x\\''; DROP TABLE sky.stars; --'""")


def test_a_name_that_looks_like_sql_stays_a_name() -> None:
    sql = translate('SELECT ra AS "x"" FROM pg_class; --" FROM sky.stars', SKY).sql
    assert sql.startswith('SELECT t1."ra" AS "x"" FROM pg_class; --" FROM ')


def test_names_of_functions_are_all_of_adql() -> None:
    assert len(ADQL.functions) + len(ADQL.aggregates) < 65
    assert {name.upper() for name in FORBIDDEN}.isdisjoint(ADQL.functions)
    with pytest.raises(NotAllowed):
        translate('SELECT "SQRT"(2)', SKY)
