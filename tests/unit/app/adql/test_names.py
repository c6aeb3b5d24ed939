"""Which table and column a name means, and what a result's columns are called and carry."""

from __future__ import annotations

import pytest

from almagest.adql import AmbiguousColumn, UnknownColumn, UnknownTable, WrongType, translate
from almagest.catalogue import Catalogue, Column, Table
from support.stars import SKY


def names(query: str) -> list[str]:
    return [column.name for column in translate(query, SKY).columns]


def test_regular_identifiers_are_found_in_any_letter_case() -> None:
    assert names("SELECT RA, Sky.STARS.Dec FROM SKY.Stars") == ["ra", "dec"]


def test_delimited_identifiers_mean_exactly_what_they_say() -> None:
    assert names('SELECT "Mixed", mixed FROM sky.stars') == ["Mixed", "Mixed_2"]
    with pytest.raises(UnknownColumn) as error:
        translate('SELECT "RA" FROM sky.stars', SKY)
    assert error.value.position == (1, 8)


def test_names_that_differ_by_case_take_the_one_written_alike() -> None:
    assert names("SELECT id FROM other.stars") == ["id"]
    assert 't1."Id"' in translate("SELECT Id FROM other.stars", SKY).sql


def test_tables_are_read_where_they_are_stored() -> None:
    mine = Table("tap_user", "stars", (Column("ra", "double"),), stored=("almagest_u7", "job_1"))
    translation = translate("SELECT tap_user.stars.ra FROM tap_user.stars", Catalogue([mine]))
    assert 'FROM "almagest_u7"."job_1" AS' in translation.sql
    assert translation.tables == {("tap_user", "stars")}


def test_aliases_are_lower_case_unless_delimited() -> None:
    assert names('SELECT ra AS RightAsc, dec AS "Dec." FROM sky.stars') == ["rightasc", "Dec."]


def test_star_gives_columns_in_declared_order_with_their_metadata() -> None:
    translation = translate("SELECT * FROM sky.bright", SKY)
    assert [column.name for column in translation.columns] == ["hip", "ra", "dec", "source_id", "vmag"]
    assert translation.columns[1].unit == "deg"
    assert translation.tables == {("sky", "bright")}


def test_star_of_one_table() -> None:
    assert names("SELECT b.*, a.g FROM sky.stars AS a, sky.bright AS b") == [
        "hip",
        "ra",
        "dec",
        "source_id",
        "vmag",
        "g",
    ]


def test_result_names_are_unique() -> None:
    assert names("SELECT ra, ra, ra AS ra_2, COUNT(*) FROM sky.stars GROUP BY ra") == ["ra", "ra_2", "ra_2_2", "count"]


def test_metadata_goes_through_subqueries_and_with() -> None:
    query = "WITH a AS (SELECT ra AS r FROM sky.stars) SELECT b.r AS x FROM (SELECT r FROM a) AS b"
    (column,) = translate(query, SKY).columns
    assert (column.name, column.unit, column.ucd, column.description) == (
        "x",
        "deg",
        "pos.eq.ra;meta.main",
        "right ascension",
    )


def test_with_can_name_its_columns_and_hides_a_table() -> None:
    assert names("WITH stars (a, b) AS (SELECT ra, dec FROM sky.bright) SELECT * FROM stars") == ["a", "b"]


def test_natural_and_using_show_shared_columns_once_and_first() -> None:
    using = names("SELECT * FROM sky.bright JOIN sky.stars USING (source_id)")
    assert using[:3] == ["source_id", "hip", "ra"]
    assert using.count("source_id") == 1
    assert names("SELECT * FROM sky.bright NATURAL JOIN sky.stars")[:4] == ["ra", "dec", "source_id", "hip"]


def test_unqualified_column_of_two_tables_is_ambiguous() -> None:
    with pytest.raises(AmbiguousColumn) as error:
        translate("SELECT source_id FROM sky.stars, sky.bright", SKY)
    assert error.value.hint == "Write table.source_id."


def test_shared_column_of_using_is_not_ambiguous() -> None:
    assert names("SELECT source_id FROM sky.stars JOIN sky.bright USING (source_id)") == ["source_id"]


def test_alias_hides_the_name_of_the_table() -> None:
    with pytest.raises(UnknownTable, match="has no table stars"):
        translate("SELECT stars.ra FROM sky.stars AS s", SKY)


def test_one_name_for_two_tables_is_refused() -> None:
    with pytest.raises(AmbiguousColumn, match="are called s"):
        translate("SELECT 1 FROM sky.stars AS s, sky.bright AS S", SKY)


def test_equal_table_names_of_two_schemas_are_told_apart() -> None:
    assert names("SELECT sky.stars.ra, other.stars.id FROM sky.stars, other.stars") == ["ra", "id"]


def test_correlated_subquery_sees_the_outer_query() -> None:
    sql = translate(
        "SELECT a.ra FROM sky.stars a WHERE EXISTS (SELECT 1 FROM sky.bright b WHERE b.source_id = a.source_id)", SKY
    ).sql
    assert 't2."source_id" = t1."source_id"' in sql


def test_on_sees_only_the_tables_that_it_joins() -> None:
    with pytest.raises(UnknownTable):
        translate("SELECT 1 FROM sky.stars a, sky.bright b JOIN sky.stars c ON a.ra = c.ra", SKY)


@pytest.mark.parametrize(
    ("query", "place", "hint"),
    [
        ("SELECT parralax FROM sky.stars", (1, 8), None),
        ("SELECT ra,\n  fluxx FROM sky.stars", (2, 3), "Did you mean flux?"),
        ("SELECT a.vmg\nFROM sky.bright AS a", (1, 8), "Did you mean vmag?"),
    ],
)
def test_unknown_columns_are_told_with_place_and_hint(query: str, place: tuple[int, int], hint: str | None) -> None:
    with pytest.raises(UnknownColumn) as error:
        translate(query, SKY)
    assert (error.value.position, error.value.hint) == (place, hint)


@pytest.mark.parametrize("table", ["pg_catalog.pg_class", "information_schema.tables", "public.sky.stars", "pg_class"])
def test_tables_that_are_not_published_do_not_exist(table: str) -> None:
    with pytest.raises(UnknownTable):
        translate(f"SELECT * FROM {table}", SKY)


def test_misspelt_table_gets_a_hint() -> None:
    with pytest.raises(UnknownTable) as error:
        translate("SELECT * FROM sky.star", SKY)
    assert error.value.hint == "Did you mean sky.stars?"
    assert str(error.value) == "line 1, column 15: There is no table sky.star. Did you mean sky.stars?"


def test_group_by_takes_columns_expressions_numbers_and_aliases() -> None:
    for term in ("FLOOR(g)", "1", "bin"):
        sql = translate(f"SELECT FLOOR(g) AS bin, COUNT(*) FROM sky.stars GROUP BY {term} ORDER BY bin", SKY).sql
        assert 'GROUP BY floor(t1."g") ORDER BY 1' in sql


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g, COUNT(*) FROM sky.stars",
        "SELECT g FROM sky.stars GROUP BY ra",
        "SELECT n FROM sky.stars GROUP BY n HAVING g > 1",
        "SELECT n FROM sky.stars GROUP BY n ORDER BY g",
        "SELECT g + n FROM sky.stars GROUP BY g",
    ],
)
def test_column_beside_an_aggregate_must_be_grouped(query: str) -> None:
    with pytest.raises(WrongType, match="many values in each group"):
        translate(query, SKY)


def test_expression_over_a_grouped_expression_is_one_value_a_group() -> None:
    translate("SELECT FLOOR(g) + 1, MAX(ra) - MIN(ra) FROM sky.stars GROUP BY FLOOR(g) ORDER BY MAX(ra)", SKY)
