"""Numbers that are no place on the sphere: refused where they are written out, no point where a column has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from almagest.adql import WrongType, translate
from almagest.catalogue import Catalogue
from support.stars import SKY

UNCOUNTED = Catalogue(
    [replace(table, columns=tuple(column.unbounded for column in table.columns)) for table in SKY.tables]
)
"""The same sky, where nobody has counted what is in the columns."""

SITE, GUARD = 'spoint(radians(t1."ra"), radians(t1."dec"))', 't1."dec" BETWEEN -90 AND 90'


def where(condition: str) -> str:
    return translate(f"SELECT n FROM sky.stars WHERE {condition}", UNCOUNTED).sql.partition(" WHERE ")[2]


def test_a_cone_still_has_the_form_that_the_index_answers() -> None:
    cone = f"{SITE} <@ scircle(spoint(radians(1), radians(2)), radians(3)) AND {GUARD}"
    assert where("1 = CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))") == cone
    assert where("DISTANCE(ra, dec, 1, 2) < 3") == cone
    assert where("n > 1 AND (1 = CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3)) OR s = 2)") == (
        f'(t1."n" > 1) AND (({cone}) OR (t1."s" = 2))'
    )


def test_what_is_no_place_is_not_outside_either() -> None:
    outside = where("0 = CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))")
    assert outside == where("NOT 1 = CONTAINS(POINT(ra, dec), CIRCLE(1, 2, 3))").replace("NOT CASE", "NOT (CASE") + ")"
    assert outside.startswith(f"NOT (CASE WHEN {GUARD} THEN {SITE} <@ ")


def test_a_point_as_a_value_is_null_where_it_is_no_place() -> None:
    sql = translate("SELECT COORD1(POINT(ra, dec)), POINT(ra, dec - 1) FROM sky.stars", UNCOUNTED).sql
    assert f"degrees(long(CASE WHEN {GUARD} THEN {SITE} END))" in sql
    assert 'CASE WHEN (t1."dec" - 1) BETWEEN -90 AND 90 THEN spoint(' in sql


@pytest.mark.parametrize("dec", ["-90", "90", "NULL", "-0.5", "180 / 2"])
def test_what_is_written_out_needs_no_test(dec: str) -> None:
    assert "CASE" not in where(f"1 = CONTAINS(POINT(1, {dec}), POLYGON(1, 2, 3, 2, 3, 4))")


@pytest.mark.parametrize(
    "shape",
    [
        "POINT(1, 95)",
        "POINT(1, -90.5)",
        "CIRCLE(1, 90.1, 1)",
        "BOX(1, 95, 1, 1)",
        "POLYGON(1, 2, 3, 91, 5, 6)",
        "REGION('POSITION 1 95')",
        "CAST('1 95 1' AS CIRCLE)",
    ],
)
def test_what_is_written_out_and_no_place_is_refused(shape: str) -> None:
    with pytest.raises(WrongType, match="latitude"):
        translate(f"SELECT {shape} FROM sky.stars", SKY)


def test_columns_that_were_counted_need_no_test() -> None:
    assert " CASE " not in translate("SELECT n FROM sky.stars WHERE DISTANCE(ra, dec, 1, 2) < 3", SKY).sql
