"""Functions and features: what a service may declare is what exists, and shapes that are written as text."""

from __future__ import annotations

import re

import pytest

from almagest.adql import FEATURES, UDFS, AdqlError, NotAllowed, TooComplex, WrongType, translate
from almagest.adql.dialects import ADQL, DialectName
from support.stars import SKY

FORM = re.compile(r"([a-z_]+)\(((?:[A-Za-z][A-Za-z0-9]* [A-Z]+(?:, )?)*)\) -> ([A-Z]+)")
ARGUMENTS = {
    "INTEGER": "3",
    "BIGINT": "source_id",
    "DOUBLE": "ra",
    "NUMERIC": "g",
    "TEXT": "name",
    "TIMESTAMP": "obs",
    "POINT": "pos",
}
WRITTEN_OUT = {
    "ivo_geom_transform": "'ICRS', 'FK5', pos",
    "ivo_histogram": "g, 1, 20, 10",
}


@pytest.mark.parametrize("form", [udf.form for udf in UDFS])
def test_declared_functions_exist_and_give_what_they_declare(form: str) -> None:
    match = FORM.fullmatch(form)
    assert match, form
    name, parameters, returned = match.groups()
    given = [parameter.split(" ")[1] for parameter in parameters.split(", ")]
    arguments = WRITTEN_OUT.get(name) or ", ".join(ARGUMENTS[kind] for kind in given)
    (column,) = translate(f"SELECT {name}({arguments}) AS x FROM sky.stars", SKY).columns
    types = {"INTEGER": "int", "ARRAY": "int", "BIGINT": "long", "TEXT": "char"}
    expected = types.get(returned, "double")
    assert column.datatype == expected
    assert (column.xtype == "point") == (returned in ("POINT", "GEOMETRY"))


def test_every_function_of_the_catalogue_is_declared() -> None:
    declared = {udf.form.partition("(")[0].upper() for udf in UDFS}
    existing = {*ADQL.functions, *ADQL.aggregates}
    assert declared == {name for name in existing if name.startswith("IVO_")}
    assert all(udf.description for udf in UDFS)


def test_declared_features_exist() -> None:
    for feature in ("features-adqlgeo", "features-adql-conditional", "features-adql-unit"):
        assert set(FEATURES[feature]) <= ADQL.functions.keys()
    translate(
        "WITH a AS (SELECT CAST(n AS BIGINT) AS n, LOWER(name) AS name FROM sky.stars WHERE UPPER(name) ILIKE 'x%')"
        " SELECT n FROM a UNION SELECT n FROM a EXCEPT SELECT n FROM a INTERSECT ALL SELECT n FROM a OFFSET 2",
        SKY,
    )


def test_text_is_gathered_in_its_order_alone_and_each_value_once_or_always() -> None:
    """The order is what makes PostgreSQL sort groups and not hash them."""
    both = """(t1."name") COLLATE "C", (CAST(',' AS text)) COLLATE "C\""""
    for distinct in ("", "DISTINCT "):
        sql = translate(f"SELECT ivo_string_agg({distinct}name, ',') FROM sky.stars", SKY).sql
        assert sql.startswith(f'SELECT public.ivo_string_agg({distinct}{both} ORDER BY {both}) COLLATE "default" AS ')


def test_gathered_text_is_unicode_where_it_may_be() -> None:
    query = "SELECT ivo_string_agg(name, ','), ivo_string_agg(name, label), ivo_string_agg(NULL, ' ') FROM sky.stars"
    columns = translate(query, SKY).columns
    assert [(column.name, column.datatype, column.arraysize) for column in columns] == [
        ("string_agg", "char", "*"),
        ("string_agg_2", "unicodeChar", "*"),
        ("string_agg_3", "char", "*"),
    ]


@pytest.mark.parametrize(
    "call",
    [
        "ivo_string_agg(name)",
        "ivo_string_agg(*)",
        "ivo_string_agg(DISTINCT name)",
        "ivo_string_agg(ra, ',')",
        "ivo_string_agg(name, 1)",
        "ivo_string_agg(ivo_string_agg(name, ','), ',')",
        "ivo_string_agg(name, ',') OVER ()",
        "ivo_string_agg(name, ',') OVER (ORDER BY ra ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
        "ivo_string_agg(name, ',') FILTER (WHERE ra > 1) OVER ()",
        "ivo_string_agg(name, ',' ORDER BY ra)",
        "ivo_histogram(DISTINCT g, 1, 20, 10)",
    ],
)
@pytest.mark.parametrize("dialect", ["adql", "postgresql"])
def test_what_would_gather_otherwise_is_refused(call: str, dialect: DialectName) -> None:
    with pytest.raises(AdqlError) as error:
        translate(f"SELECT {call} FROM sky.stars", SKY, dialect=dialect)
    assert error.value.position is not None


def test_gathered_texts_are_not_multiplied() -> None:
    inner = "(SELECT ivo_string_agg(name, ',') AS x FROM sky.stars) AS t"
    translate(f"SELECT '[' || x || '|' || x || '|' || x || ']' FROM {inner}", SKY)
    with pytest.raises(TooComplex):
        translate(f"SELECT x || x FROM (SELECT x || x AS x FROM {inner}) AS t", SKY)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("REGION('CIRCLE ICRS 10 -20.5 1')", "CIRCLE(10.0, -20.5, 1.0)"),
        ("REGION('Position GEOCENTER 1 2')", "POINT(1.0, 2.0)"),
        ("REGION('box 1 2 3 4')", "BOX(1.0, 2.0, 3.0, 4.0)"),
        ("REGION('POLYGON ICRS 1 2 3 2 3 4')", "POLYGON(1.0, 2.0, 3.0, 2.0, 3.0, 4.0)"),
        ("CAST('10 20' AS POINT)", "POINT(10.0, 20.0)"),
        ("CAST('1e1 +20 1' AS CIRCLE)", "CIRCLE(10.0, 20.0, 1.0)"),
        ("CAST('1 2 3 2 3 4' AS POLYGON)", "POLYGON(1.0, 2.0, 3.0, 2.0, 3.0, 4.0)"),
    ],
)
def test_shapes_written_as_text_are_those_shapes(text: str, written: str) -> None:
    first, second = (
        translate(f"SELECT ra FROM sky.stars WHERE 1 = INTERSECTS(POINT(ra, dec), {shape})", SKY).sql
        for shape in (text, written)
    )
    assert first == second


@pytest.mark.parametrize(
    "call",
    [
        "REGION('UNION (CIRCLE 1 2 3 CIRCLE 2 3 4)')",
        "REGION('CIRCLE FK5 1 2 3')",
        "REGION('CIRCLE 1 2')",
        "REGION('CIRCLE 1 2 x')",
        "REGION('CIRCLE 1 2 1e99')",
        "REGION('CIRCLE 1 95 1')",
        "REGION(name)",
        "REGION('')",
        "CAST('1 2 3' AS POINT)",
        "CAST('' AS POLYGON)",
        "CAST(name AS CIRCLE)",
        "CAST(ra AS POINT)",
        "ivo_geom_transform('ICRS', 'FK4', pos)",
        "ivo_geom_transform(name, 'ICRS', pos)",
        "ivo_healpix_index(30, pos)",
        "ivo_healpix_index(1.5, pos)",
        "ivo_histogram(g, 1, 20, 1000)",
        "ivo_histogram(g, 20, 1, 10)",
        "ivo_histogram(g, n, 20, 10)",
        "ivo_to_jd(ra)",
        "ivo_hasword(ra, 'x')",
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(call: str) -> None:
    with pytest.raises(AdqlError) as error:
        translate(f"SELECT {call} FROM sky.stars", SKY)
    assert isinstance(error.value, NotAllowed | WrongType)
    assert error.value.position is not None


def test_tests_of_the_catalogue_become_conditions() -> None:
    sql = translate(
        "SELECT ra FROM sky.stars WHERE 1 = ivo_nocasematch(name, 'a%') AND ivo_hasword(name, 'x') <> 1", SKY
    ).sql
    assert sql.partition(" WHERE ")[2] == (
        """(t1."name" ILIKE CAST('a%' AS text) ESCAPE '') AND """
        """(NOT (to_tsvector('english', t1."name") @@ plainto_tsquery('english', CAST('x' AS text))))"""
    )


def test_statistics_keep_the_meaning_of_their_column() -> None:
    query = "SELECT MIN(ra), MAX(g), AVG(g), SUM(g), COUNT(g), MIN(n) FROM sky.stars"
    columns = translate(query, SKY).columns
    assert [column.ucd for column in columns] == [
        "pos.eq.ra;stat.min",
        "phot.mag;stat.max;em.opt",
        "phot.mag;stat.mean;em.opt",
        None,
        "meta.number",
        None,
    ]
    assert [column.unit for column in columns] == ["deg", "mag", "mag", "mag", None, None]


def test_a_misspelled_column_is_told_with_its_table_and_place() -> None:
    with pytest.raises(AdqlError) as error:
        translate("SELECT ra,\n  nam FROM sky.stars", SKY)
    assert str(error.value) == "line 2, column 3: sky.stars has no column nam. Did you mean name?"
