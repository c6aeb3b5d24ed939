"""The PostgreSQL dialect: what it has beyond ADQL, and that nothing else comes with it."""

from __future__ import annotations

import pytest

from almagest.adql import AdqlError, UnknownTable, translate
from support.stars import SKY


def translated(query: str) -> str:
    return translate(query, SKY, dialect="postgresql").sql


def selected(expression: str) -> str:
    sql = translated(f"SELECT {expression} AS x FROM sky.stars")
    return sql.removeprefix("SELECT ").partition(' AS "x"')[0]


@pytest.mark.parametrize(
    ("expression", "sql"),
    [
        ("ra::integer", 'CAST(t1."ra" AS integer)'),
        ("'1.5'::double precision", "CAST('1.5' AS double precision)"),
        ("ra::int::text", 'CAST(CAST(t1."ra" AS integer) AS text)'),
        ("-n::bigint", '- CAST(t1."n" AS bigint)'),
        ("n % 3", 'mod(t1."n", 3)'),
        ("n ^ 2", 'power(t1."n", 2)'),
        ("2 * n ^ 2", '2 * power(t1."n", 2)'),
        ("ln(ra)", 'ln(t1."ra")'),
        ("flux[n + 1]", '(t1."flux")[CAST(t1."n" + 1 AS integer)]'),
        ("ARRAY[1, n]", 'CAST(ARRAY[1, t1."n"] AS integer[])'),
        ("row_number() OVER (ORDER BY g)", 'row_number() OVER (ORDER BY t1."g")'),
        ("count(*) FILTER (WHERE n > 1)", 'count(*) FILTER (WHERE t1."n" > 1)'),
        (
            "sum(source_id) OVER (PARTITION BY n ORDER BY ra DESC NULLS LAST ROWS 2 PRECEDING)",
            'CAST(sum(t1."source_id") OVER (PARTITION BY t1."n" ORDER BY t1."ra" DESC NULLS LAST \
ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS bigint)',
        ),
        ("left(name, 2)", 'left(t1."name", CAST(2 AS integer))'),
        ("g > 3", 't1."g" > 3'),
    ],
)
def test_what_the_dialect_adds(expression: str, sql: str) -> None:
    assert selected(expression) == sql
    with pytest.raises(AdqlError):
        translate(f"SELECT {expression} AS x FROM sky.stars", SKY)


def test_log_is_each_languages_own() -> None:
    assert selected("LOG(ra)") == 'log(t1."ra")'
    assert 'ln(t1."ra")' in translate("SELECT LOG(ra) FROM sky.stars", SKY).sql


def test_limit_and_maxrec_together_take_the_smaller() -> None:
    for query in (
        "SELECT ra FROM sky.stars LIMIT 5",
        "SELECT ra FROM sky.stars UNION SELECT ra FROM sky.bright LIMIT 5",
    ):
        translation = translate(query, SKY, maxrec=10, dialect="postgresql")
        assert (translation.top, translation.limit) == (5, 5)
        assert translation.sql.endswith(" LIMIT 5")
        assert translate(query, SKY, maxrec=2, dialect="postgresql").limit == 3


def test_names_of_an_inner_with_end_with_it() -> None:
    query = "SELECT * FROM (WITH w AS (SELECT n FROM sky.stars) SELECT n FROM w) AS q"
    assert "(WITH t" in translated(query)
    with pytest.raises(UnknownTable):
        translated(f"{query} JOIN w ON w.n = q.n")
    inner = "WITH w AS (SELECT dec FROM sky.stars) SELECT dec FROM w"
    translated(f"WITH w AS (SELECT ra FROM sky.stars) SELECT w.ra FROM w WHERE w.ra IN ({inner})")


def test_tables_of_windows_and_inner_queries_are_all_told() -> None:
    query = (
        "SELECT rank() OVER (ORDER BY (SELECT MAX(vmag) FROM sky.bright)) FROM sky.stars"
        " WHERE n IN (WITH w AS (SELECT id FROM other.stars) SELECT id FROM w)"
    )
    assert translate(query, SKY, dialect="postgresql").tables == {
        ("sky", "stars"),
        ("sky", "bright"),
        ("other", "stars"),
    }


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ra::regclass FROM sky.stars",
        "SELECT 'pg_class'::regclass::oid FROM sky.stars",
        "SELECT name::xml FROM sky.stars",
        "SELECT ra::numeric(100000) FROM sky.stars",
        "SELECT flux[1:2] FROM sky.stars",
        "SELECT name[1] FROM sky.stars",
        "SELECT ARRAY['a'] FROM sky.stars",
        "SELECT ARRAY[] FROM sky.stars",
        "SELECT ARRAY(SELECT 1) FROM sky.stars",
        "SELECT unnest(flux) FROM sky.stars",
        "SELECT * FROM unnest(ARRAY[1]) AS x",
        "SELECT * FROM generate_series(1, 1000000000) AS x",
        "SELECT ra FROM sky.stars LIMIT ALL",
        "SELECT ra FROM sky.stars LIMIT (SELECT 1)",
        "SELECT ra FROM sky.stars LIMIT 5, 5",
        "SELECT TOP 5 ra FROM sky.stars LIMIT 5",
        "SELECT ra FROM sky.stars FOR UPDATE",
        "SELECT ra FROM sky.stars FETCH FIRST 5 ROWS ONLY",
        "SELECT ra FROM sky.stars WHERE rank() OVER (ORDER BY ra) = 1",
        "SELECT n FROM sky.stars GROUP BY n HAVING rank() OVER (ORDER BY n) = 1",
        "SELECT n FROM sky.stars GROUP BY rank() OVER (ORDER BY n)",
        "SELECT 1 FROM sky.stars a JOIN sky.bright b ON rank() OVER (ORDER BY a.ra) = 1",
        "SELECT sum(rank() OVER (ORDER BY ra)) FROM sky.stars",
        "SELECT rank() OVER (ORDER BY rank() OVER (ORDER BY ra)) FROM sky.stars",
        "SELECT rank() FROM sky.stars",
        "SELECT SQRT(ra) OVER (ORDER BY ra) FROM sky.stars",
        "SELECT count(*) OVER w FROM sky.stars WINDOW w AS (ORDER BY ra)",
        "SELECT count(*) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM sky.stars",
        "SELECT count(*) OVER (ROWS BETWEEN n PRECEDING AND CURRENT ROW) FROM sky.stars",
        "SELECT SQRT(ra) FILTER (WHERE n = 1) FROM sky.stars",
        "SELECT n, count(*) FILTER (WHERE sum(n) > 1) FROM sky.stars GROUP BY n",
        "SELECT DISTINCT ON (ra) ra FROM sky.stars",
        "WITH RECURSIVE w AS (SELECT 1) SELECT * FROM w",
        "WITH w AS (DELETE FROM sky.stars RETURNING *) SELECT * FROM w",
        "WITH w AS MATERIALIZED (SELECT ra FROM sky.stars) SELECT * FROM w",
        "SELECT $$x$$ FROM sky.stars",
        "SELECT E'x' FROM sky.stars",
        "SELECT ra FROM sky.stars WHERE name ~ '(a+)+$'",
        "SELECT (sky.stars).ra FROM sky.stars",
        "SELECT sky.stars FROM sky.stars",
        "SELECT ra AT TIME ZONE 'UTC' FROM sky.stars",
        "SELECT ra COLLATE pg_catalog.default FROM sky.stars",
        "SELECT current_user FROM sky.stars",
        "SELECT session_user::text FROM sky.stars",
        "SELECT CAST(name AS regprocedure) FROM sky.stars",
        "SELECT date_trunc(name, obs) FROM sky.stars",
        "SELECT ctid FROM sky.stars",
        "SELECT tableoid FROM sky.stars",
        "SELECT relname FROM pg_catalog.pg_class",
        "SELECT 1; SELECT 2",
    ],
)  # fmt: skip
def test_the_dialect_stays_restricted(query: str) -> None:
    with pytest.raises(AdqlError) as error:
        translated(query)
    assert error.value.message.endswith(".")
