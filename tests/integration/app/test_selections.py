"""Pages of a stored result against a naive reading of the same rows: any type, order and condition, by sorting and by
index; no row comes twice over its pages and none is lost."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cmp_to_key, partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from almagest.catalogue import Column
from almagest.query.browsing import sampled, statements
from almagest.query.browsing.sampled import Index
from almagest.query.browsing.selection import Order, Where, order, where
from almagest.query.browsing.statements import Stored

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

COLUMNS = (
    Column("s", "short"),
    Column("l", "long"),
    Column("f", "float"),
    Column("d", "double"),
    Column("t", "unicodeChar", "*"),
    Column("w", "char", "*", xtype="timestamp"),
    Column("b", "boolean"),
    Column("p", "double", "2", xtype="point"),
)
TABLE = Stored(sql.Identifier("public", "job_test"), COLUMNS)
CREATE = (
    'CREATE UNLOGGED TABLE public.job_test ("#" integer, s smallint, l bigint, f real, d double precision, t text,'
    " w timestamp, b boolean, p double precision[])"
)
Row = tuple[Any, ...]

SHORTS = [-32768, -1, 0, 1, 2, 32767]
LONGS = [-(2**63), -(2**53) - 1, 0, 7, 2**53, 2**53 + 1, 2**63 - 1]
FLOATS = [0.0, -0.0, 0.1, -0.1, 5.0, math.inf, -math.inf, math.nan, 3.4e38]
DOUBLES = [*FLOATS, 1e-300, 1.7e308, 0.1 + 0.2]
TEXTS = ["", "a", "A", "ab", "%", "_", "a%b", "\\", "'", '"', "ä", "é", "\n", "NGC 224", "z" * 50]
TIMES = [datetime(2016, 1, 1), datetime(2016, 1, 1, 12, 0, 0, 500_000), datetime(1, 1, 1), datetime(9999, 12, 31)]  # noqa: DTZ001 - as PostgreSQL's `timestamp`


def narrowed(value: float) -> float:
    """The nearest number of 32 bits."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def maybe(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from(values))


rows_of = st.lists(
    st.tuples(
        maybe(SHORTS),
        maybe(LONGS),
        maybe([narrowed(value) for value in FLOATS]),
        maybe(DOUBLES),
        maybe(TEXTS),
        maybe(TIMES),
        maybe([True, False]),
        maybe([[1.0, 2.0]]),
    ),
    max_size=40,
)
orders = st.lists(
    st.tuples(st.booleans(), st.sampled_from([column.name for column in COLUMNS[:-1]])),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key[1],
).map(lambda keys: ",".join(("-" if descending else "") + name for descending, name in keys))

NUMBERS = [
    *SHORTS, *LONGS, 0.1, 5.5, -0.5, 1e300, -1e300, 99999999999999999999, "0.1", "Infinity", "-Infinity",
    "9007199254740993", "1e-400", "1e400",
]  # fmt: skip
compared = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
numeric_conditions = st.one_of(
    st.tuples(st.sampled_from(["s", "l", "f", "d", "#"]), compared, st.sampled_from(NUMBERS)),
    st.tuples(st.sampled_from(["s", "l", "f", "d"]), st.just("in"), st.lists(st.sampled_from([*NUMBERS, "NaN"]))),
    st.tuples(
        st.sampled_from(["s", "l", "f", "d", "#"]),
        st.just("between"),
        st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
    ),
    st.tuples(st.sampled_from(["s", "l", "f", "d"]), st.sampled_from(["=", "!="]), st.just("NaN")),
    st.tuples(
        st.just("#"),
        st.just("in"),
        st.lists(st.one_of(st.integers(-5, 50), st.tuples(st.integers(-5, 50), st.integers(-5, 50)))),
    ),
)
other_conditions = st.one_of(
    st.tuples(st.just("t"), st.sampled_from(["=", "!=", "<", ">=", "contains", "starts"]), st.sampled_from(TEXTS)),
    st.tuples(st.just("t"), st.just("in"), st.lists(st.sampled_from(TEXTS))),
    st.tuples(st.just("w"), compared, st.sampled_from([time.isoformat() for time in TIMES])),
    st.tuples(st.just("b"), st.sampled_from(["=", "!="]), st.booleans()),
    st.tuples(st.sampled_from([c.name for c in COLUMNS]), st.sampled_from(["isnull", "notnull"])),
)
conditions = st.lists(st.one_of(numeric_conditions, other_conditions), max_size=3)


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def place(name: str) -> int:
    return [column.name for column in COLUMNS].index(name)


def fulfils(number: int, row: Row, condition: Sequence[Any]) -> bool:
    """Whether a row fulfils a condition."""
    name, test, *rest = condition
    value = number if name == "#" else row[place(name)]
    if test in ("isnull", "notnull"):
        return bool((value is None) == (test == "isnull"))
    if value is None:
        return False
    (asked,) = rest
    if test == "in":
        return any(
            asked_one[0] <= number <= asked_one[1]
            if isinstance(asked_one, (tuple, list))
            else TESTS["="](*alike(name, value, asked_one))
            for asked_one in asked
        )
    if test == "between":
        return TESTS[">="](*alike(name, value, asked[0])) and TESTS["<="](*alike(name, value, asked[1]))
    return TESTS[str(test)](*alike(name, value, asked))


TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b or (is_nan(a) and is_nan(b)),
    "!=": lambda a, b: not (a == b or (is_nan(a) and is_nan(b))),
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "contains": lambda a, b: b.lower() in a.lower(),
    "starts": lambda a, b: a.lower().startswith(b.lower()),
}


def alike(name: str, value: Any, asked: Any) -> tuple[Any, Any]:
    """Both as what Python compares exactly."""
    if name == "w":
        return value, datetime.fromisoformat(asked)
    if name in ("t", "b"):
        return value, asked
    if name == "d":
        return value, float(asked)
    if name == "f":
        return value, narrowed(float(asked))
    if asked in ("NaN", "Infinity", "-Infinity"):
        return value, float(asked)
    return value, Decimal(asked) if isinstance(asked, (str, int)) else Decimal(repr(asked))


def before(keys: Order, a: tuple[int, Row], b: tuple[int, Row]) -> int:
    """Below 0 when row a comes before row b."""
    for key in keys:
        x, y = (row[key.place] for _, row in (a, b))
        if x is None or y is None:
            if (x is None) != (y is None):
                return 1 if x is None else -1
            continue
        if is_nan(x) and is_nan(y):
            continue
        less = is_nan(y) or (not is_nan(x) and x < y)
        more = is_nan(x) or (not is_nan(y) and x > y)
        if less or more:
            return (-1 if less else 1) * (-1 if key.descending else 1)
    return (a[0] - b[0]) * (-1 if keys and keys[0].descending else 1)


def naive(rows: Sequence[Row], keys: Order, asked: Sequence[Sequence[Any]]) -> list[int]:
    """The numbers of the rows that fulfil the conditions, in the order."""
    chosen = [(number, row) for number, row in enumerate(rows) if all(fulfils(number, row, one) for one in asked)]
    return [number for number, _ in sorted(chosen, key=cmp_to_key(partial(before, keys)))]


@pytest.fixture(scope="module")
def stored(server: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    server.execute("DROP TABLE IF EXISTS public.job_test")
    server.execute(CREATE)
    yield server
    server.execute("DROP TABLE public.job_test")


def store(connection: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
    connection.execute("TRUNCATE public.job_test")
    with connection.cursor().copy("COPY public.job_test FROM STDIN") as copy:
        for number, row in enumerate(rows):
            copy.write_row((number, *row))


def numbers(connection: psycopg.Connection[Any], statement: sql.Composable) -> list[int]:
    return [row[0] for row in connection.execute(statement.as_string(connection).encode()).fetchall()]


def paged(total: int, size: int, page: Callable[[int, int], list[int]]) -> list[int]:
    """All pages, the last first, so that none profits from the one before."""
    offsets = range(0, total, size)
    found = {offset: page(offset, min(size, total - offset)) for offset in reversed(offsets)}
    return [number for offset in offsets for number in found[offset]]


often = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@often
@given(rows=rows_of, sort=st.one_of(st.just(""), orders), asked=conditions, size=st.integers(1, 7))
def test_pages_are_what_a_naive_reading_finds(
    stored: psycopg.Connection[Any], rows: list[Row], sort: str, asked: list[Any], size: int
) -> None:
    store(stored, rows)
    keys, chosen = order(COLUMNS, sort), where(COLUMNS, json.dumps(asked))
    expected = naive(rows, keys, asked)
    assert numbers(stored, statements.rows(TABLE, (0,), chosen, keys)) == expected

    def page(offset: int, limit: int) -> list[int]:
        addresses = statements.sorted_addresses(TABLE, chosen, keys, offset, limit)
        return numbers(stored, statements.page(TABLE, (3,), keys, addresses))

    assert paged(len(expected), size, page) == expected


@often
@given(rows=rows_of, sort=orders, step=st.integers(1, 9), size=st.integers(1, 7))
def test_an_index_finds_the_same_pages_in_both_directions(
    stored: psycopg.Connection[Any], rows: list[Row], sort: str, step: int, size: int
) -> None:
    store(stored, rows)
    wanted = order(COLUMNS, sort)
    expected = naive(rows, wanted, [])
    index = made(stored, wanted, len(rows), step)

    def page(offset: int, limit: int) -> list[int]:
        addresses = index.addresses(TABLE, wanted, offset, limit)
        return numbers(stored, statements.page(TABLE, (0, 4), wanted, addresses))

    try:
        assert paged(len(rows), size, page) == expected
    finally:
        stored.execute("DROP INDEX public.sorted_test")


def made(connection: psycopg.Connection[Any], wanted: Order, rows: int, step: int) -> Index:
    """The index as the archive makes it."""
    kept = sampled.serving(wanted)
    connection.execute(sampled.creation(TABLE, kept, "sorted_test"))
    sample = connection.execute(sampled.sampling(TABLE, kept, step)).fetchall()
    ((nulls,),) = connection.execute(sampled.without_value(TABLE, kept)).fetchall()
    return Index.read(kept, sampled.comment(rows, nulls, sample))


@often
@given(rows=rows_of, asked=conditions, block=st.integers(1, 9), size=st.integers(1, 7))
def test_rows_in_their_own_order_are_found_from_any_number_on(
    stored: psycopg.Connection[Any], rows: list[Row], asked: list[Any], block: int, size: int
) -> None:
    store(stored, rows)
    chosen: Where = where(COLUMNS, json.dumps(asked))
    expected = naive(rows, (), asked)

    def page(offset: int, limit: int) -> list[int]:
        first = expected[offset] // block * block
        skipped = sum(first <= number < expected[offset] for number in expected)
        within = range(first, expected[offset + limit - 1] // block * block + block)
        addresses = statements.filtered_addresses(TABLE, chosen, within, skipped, limit)
        return numbers(stored, statements.page(TABLE, (), (), addresses))

    assert paged(len(expected), size, page) == expected
    assert numbers(stored, statements.numbered(TABLE, (1,), 2, 5)) == list(range(len(rows)))[2:7]


def test_a_result_of_an_earlier_release_is_numbered_as_it_is_read(stored: psycopg.Connection[Any]) -> None:
    stored.execute("CREATE UNLOGGED TABLE public.job_old AS SELECT n, n % 3 AS k FROM generate_series(0, 99) AS n")
    try:
        old = Stored(sql.Identifier("public", "job_old"), (Column("n", "int"), Column("k", "int")), numbered=False)
        assert numbers(stored, statements.numbered(old, (0,), 90, 20)) == list(range(90, 100))
        keys = order(old.columns, "-k")
        addresses = statements.sorted_addresses(old, where(old.columns, '[["#", ">=", 50]]'), keys, 1, 3)
        assert numbers(stored, statements.page(old, (0,), keys, addresses)) == [95, 92, 89]
    finally:
        stored.execute("DROP TABLE public.job_old")
