"""Whole numbers that stand where a query counts: any number of digits, in range or refused by a sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.adql import AdqlError, translate
from almagest.adql.dialects import DialectName
from support.stars import SKY

NUMBERS = st.one_of(
    st.integers(0, 12).map(str),
    st.integers(0, 10**30).map(str),
    st.tuples(st.integers(1, 60), st.integers(0, 99)).map(lambda parts: "0" * parts[0] + str(parts[1])),
    st.sampled_from(
        ["0x1", "1.", "1.0", "1e0", "1e400", "1e-400", ".1", "2147483647", "2147483648", "9223372036854775808", "-1"]
    ),
)
PLACES = [
    "SELECT TOP {} n FROM sky.stars",
    "SELECT n, s FROM sky.stars OFFSET {}",
    "SELECT n, s FROM sky.stars ORDER BY {}",
    "SELECT n, s FROM sky.stars GROUP BY {}, 1, 2",
    "SELECT n FROM sky.stars UNION SELECT s FROM sky.stars ORDER BY {} OFFSET {}",
    "SELECT *, COUNT(*) FROM sky.bright GROUP BY 1, 2, 3, 4, {}",
    "SELECT ROUND(ra, {}), CAST(n AS VARCHAR({})), ivo_healpix_index({}, pos), RAND({}) FROM sky.stars",
    "SELECT n FROM sky.stars LIMIT {} OFFSET {}",
    "SELECT flux[{}], ARRAY[1, 2][{}] FROM sky.stars",
    "SELECT left(name, {}), substring(name, {}, {}), split_part(name, 'a', {}) FROM sky.stars",
    "SELECT ntile({}) OVER (ORDER BY n ROWS {} PRECEDING), lag(n, {}) OVER (ORDER BY n) FROM sky.stars",
    "SELECT width_bucket(n, 1, 2, {}) FROM sky.stars",
]


@pytest.mark.parametrize("dialect", ["adql", "postgresql"])
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=25, deadline=None)
@given(number=NUMBERS)
def test_any_number_is_meant_or_refused_by_a_sentence(place: str, dialect: DialectName, number: str) -> None:
    refusal, sql = ".", ""
    try:
        sql = translate(place.replace("{}", number), SKY, dialect=dialect).sql
    except AdqlError as error:
        refusal = error.message
    assert refusal.endswith(".")
    assert all(int(size) < 2**31 for size in re.findall(r"CAST\((\d+) AS integer\)", sql)), sql
    assert all(int(size) < 2**63 for size in re.findall(r"(?:LIMIT|OFFSET) (\d+)", sql)), sql


@pytest.mark.parametrize("zeros", [1, 9, 31, 90])
def test_zeros_before_a_number_mean_nothing(zeros: int) -> None:
    for place in PLACES[:5]:
        plain, padded = (place.replace("{}", text) for text in ("1", "0" * zeros + "1"))
        assert translate(padded, SKY).sql == translate(plain, SKY).sql


def test_the_number_of_a_column_counts_those_of_a_star() -> None:
    sql = translate("SELECT a.*, n AS x FROM sky.bright AS a, sky.stars GROUP BY 1, 2, 3, 4, 5, 6", SKY).sql
    assert sql.endswith('GROUP BY t1."hip", t1."ra", t1."dec", t1."source_id", t1."vmag", t2."n"')
