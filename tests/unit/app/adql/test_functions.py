"""Every function that exists: told in docs/app/adql.md, and writing its arguments no more often than it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from almagest.adql import translate, windows
from almagest.adql.dialects import ADQL, POSTGRESQL
from almagest.catalogue import Catalogue, Column, Table

PAGE = (Path(__file__).parents[4] / "docs/app/adql.md").read_text()
IVOA = {name for name in (*ADQL.functions, *ADQL.aggregates) if name.startswith("IVO_")}
LISTS: Mapping[str, set[str]] = {
    "ADQL 2.1": {*ADQL.functions, "CAST"} - IVOA,
    "the IVOA's catalogue": IVOA,
    "aggregates": {*ADQL.aggregates} - IVOA,
    "PostgreSQL dialect, beyond": {*POSTGRESQL.functions} - {*ADQL.functions},
    "its aggregates, beyond": {*POSTGRESQL.aggregates} - {*ADQL.aggregates},
    "its functions of windows": {*windows.FUNCTIONS},
}


@pytest.mark.parametrize("name", LISTS)
def test_the_page_names_every_function_and_no_other(name: str) -> None:
    row = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", PAGE, re.MULTILINE)
    assert row is not None
    assert re.findall(r"`([^`]+)`", row[1]) == sorted(LISTS[name])


COLUMNS = Table(
    "s",
    "t",
    (
        *(Column(f"number_{index}", "double", unit="deg") for index in range(1, 9)),
        *(Column(f"whole_{index}", "int") for index in range(1, 5)),
        *(Column(f"text_{index}", "char", "*") for index in range(1, 4)),
        *(Column(f"point_{index}", "double", "2", "point") for index in range(1, 4)),
        Column("time", "char", "*", "timestamp"),
        Column("circle", "double", "3", "circle"),
        Column("polygon", "double", "*", "polygon"),
        Column("truth", "boolean"),
        Column("flux", "double", "*"),
    ),
)
SKY = Catalogue([COLUMNS])

_WORDS = {"n": "number", "i": "whole", "t": "text", "p": "point"}
CALLS = {
    "AREA": "polygon", "ATAN2": "n n", "AVG": "n", "BOOL_AND": "truth", "BOOL_OR": "truth", "BOX": "n n n n",
    "CARDINALITY": "flux", "CENTROID": "polygon", "CHAR_LENGTH": "t", "BTRIM": "t", "CIRCLE": "n n n",
    "COALESCE": "n n n", "CONTAINS": "p polygon", "COORD1": "p", "COORD2": "p", "COORDSYS": "p", "CORR": "n n",
    "COUNT": "n", "COVAR_POP": "n n", "COVAR_SAMP": "n n", "DATE_PART": "'year' time", "DATE_TRUNC": "'year' time",
    "DISTANCE": "n n n n", "GREATEST": "n n n", "INITCAP": "t", "INTERSECTS": "circle polygon",
    "IN_UNIT": "number_1 'deg'", "IVO_DMS_TO_DEGREES": "t", "IVO_EPOCH_PROP_POS": "n n n n n n n n",
    "IVO_GEOM_TRANSFORM": "'ICRS' 'FK5' p", "IVO_HASHLIST_HAS": "t t", "IVO_HASWORD": "t t",
    "IVO_HEALPIX_CENTER": "i i", "IVO_HEALPIX_INDEX": "i n n", "IVO_HISTOGRAM": "n 0 1 100", "IVO_HMS_TO_DEGREES": "t",
    "IVO_INTERVAL_OVERLAPS": "n n n n", "IVO_NOCASEMATCH": "t t", "IVO_NORMAL_RANDOM": "n n", "IVO_STRING_AGG": "t t",
    "IVO_TO_JD": "time", "IVO_TO_MJD": "time", "LEAST": "n n n", "LEFT": "t i", "LENGTH": "t", "LOWER": "t",
    "LTRIM": "t", "MAX": "n", "MIN": "n", "MOD": "n n", "NULLIF": "n n", "PI": "", "POINT": "n n",
    "POLYGON": "n n n n n n", "POW": "n n", "POWER": "n n", "RAND": "7", "RANDOM": "", "REGION": "'CIRCLE~1~2~3'",
    "REGR_INTERCEPT": "n n", "REGR_SLOPE": "n n", "REVERSE": "t", "RIGHT": "t i", "ROUND": "n i", "RTRIM": "t",
    "SPLIT_PART": "t t i", "STARTS_WITH": "t t", "STRPOS": "t t", "SUBSTR": "t i i", "SUBSTRING": "t i i", "TRIM": "t",
    "TRUNC": "n i", "TRUNCATE": "n i", "UPPER": "t", "WIDTH_BUCKET": "n n n i",
}  # fmt: skip
"""Arguments of each function, as short words, a blank as ~; of all others one number."""
OVER = {"FIRST_VALUE": "n", "LAG": "n i", "LAST_VALUE": "n", "LEAD": "n i", "NTH_VALUE": "n i", "NTILE": "i"}


def arguments(kinds: str) -> list[str]:
    """Each of another column."""
    counts: dict[str, int] = {}
    found = []
    for kind in kinds.split():
        if kind in _WORDS:
            counts[kind] = counts.get(kind, 0) + 1
        found.append(f"{_WORDS[kind]}_{counts[kind]}" if kind in _WORDS else kind.replace("~", " "))
    return found


def most(query: str, given: list[str]) -> int:
    """How often the one of these columns that stands there most often does."""
    sql = translate(query, SKY, dialect="postgresql").sql
    return max((sql.count(f't1."{name}"') for name in given), default=0)


@pytest.mark.parametrize("name", sorted({*POSTGRESQL.functions, *POSTGRESQL.aggregates}))
def test_no_function_writes_an_argument_more_often_than_it_says(name: str) -> None:
    given = arguments(CALLS.get(name, "n"))
    call = f"{name}({', '.join(given)})"
    condition = {"DISTANCE": f"{call} < number_8"}.get(name, f"{call} = 1" if name in POSTGRESQL.truths else None)
    allowed = POSTGRESQL.copies.get(name, 1)
    assert most(f"SELECT {call} AS x FROM s.t", given) <= allowed
    if condition:
        assert most(f"SELECT 1 FROM s.t WHERE {condition}", given) <= allowed


@pytest.mark.parametrize("name", sorted(windows.FUNCTIONS))
def test_no_function_of_a_window_does(name: str) -> None:
    given = arguments(OVER.get(name, ""))
    assert most(f"SELECT {name}({', '.join(given)}) OVER (ORDER BY whole_4) AS x FROM s.t", given) <= 1


def test_what_says_that_it_repeats_exists() -> None:
    assert set(POSTGRESQL.copies) <= {*POSTGRESQL.functions, *POSTGRESQL.aggregates}
