"""What is wanted of a stored result, from text: every value means what it says, and what means nothing is told so."""

from __future__ import annotations

import json
import time

import pytest

from almagest.catalogue import Column
from almagest.query.browsing.selection import Condition, FieldError, Key, columns, order, real, selection, where, whole
from almagest.query.errors import QueryError, TooLargeError

COLUMNS = (
    Column("s", "short"),
    Column("id", "long"),
    Column("x", "double"),
    Column("f", "float"),
    Column("t", "char", "*"),
    Column("w", "char", "*", xtype="timestamp"),
    Column("b", "boolean"),
    Column("p", "double", "2", xtype="point"),
    Column('a,"b"', "int"),
    Column("-x", "int"),
)


def one(*condition: object) -> Condition:
    (found,) = where(COLUMNS, json.dumps([condition]))
    return found


def refused(text: str) -> str:
    with pytest.raises(FieldError) as caught:
        where(COLUMNS, text)
    assert list(caught.value.errors) == ["where"]
    return str(caught.value)


def test_names_may_hold_anything() -> None:
    assert columns(COLUMNS, 'x, "a,""b""",-x') == (2, 8, 9)
    assert order(COLUMNS, '-x,"-x",-"a,""b"""') == (Key(2, True), Key(9), Key(8, True))
    assert order(COLUMNS, "X") == (Key(2),)
    assert columns(COLUMNS, " ") == tuple(range(10))


@pytest.mark.parametrize("text", [",", "x,,f", '"x', 'x"', "x,x", "parralax", "-", "x;f", '""', "x\0"])
def test_what_names_no_columns_is_refused(text: str) -> None:
    for read in (columns, order):
        with pytest.raises(FieldError):
            read(COLUMNS, text)


def test_a_misspelt_name_is_guessed() -> None:
    with pytest.raises(FieldError, match="did you mean parallax"):
        order((Column("parallax", "float"),), "-parralax")


def test_arrays_have_no_order() -> None:
    with pytest.raises(FieldError, match="p holds arrays"):
        order(COLUMNS, "p")
    assert "isnull notnull only" in refused('[["p", "=", 1]]')
    assert one("p", "isnull").test == "isnull"


@pytest.mark.parametrize(
    ("operator", "value", "test", "values"),
    [
        ("=", 2, "=", (2,)),
        ("=", "2", "=", (2,)),
        ("=", 2.0, "=", (2,)),
        ("=", 2.5, "none", ()),
        ("!=", 2.5, "all", ()),
        ("<", 2.5, "<", (3,)),
        ("<=", 2.5, "<=", (2,)),
        (">", 2.5, ">", (2,)),
        (">=", 2.5, ">=", (3,)),
        ("<", 99999999999999999999, "all", ()),
        (">", 99999999999999999999, "none", ()),
        ("<", -99999999999999999999, "none", ()),
        (">=", -40000, "all", ()),
        ("<", 32767.5, "all", ()),
        ("=", "1e400", "none", ()),
        ("<", "Infinity", "all", ()),
        (">", "-Infinity", "all", ()),
        ("=", "NaN", "none", ()),
        ("between", [1.5, 1e300], "between", (2, 32767)),
        ("between", [40000, 50000], "none", ()),
        ("in", [1, 2.5, "3", 99999999999999999999, "NaN"], "in", (1, 3)),
    ],
)
def test_whole_numbers_are_compared_with_any_number(operator: str, value: object, test: str, values: object) -> None:
    assert one("s", operator, value) == Condition(0, test, values)  # type: ignore[arg-type]


def test_identifiers_of_64_bits_stay_whole() -> None:
    assert one("id", "=", "5853498713190525696").values == (5853498713190525696,)
    assert one("id", "=", 5853498713190525697).values == (5853498713190525697,)


def test_a_float_is_found_by_what_is_shown_of_it() -> None:
    (value,) = one("f", "=", 0.1).values
    assert value == pytest.approx(0.1, rel=1e-7)
    assert value != 0.1
    assert one("f", "<", 1e300).values == (float("inf"),)
    assert one("x", "=", "0.1").values == (0.1,)


def test_rows_are_named_by_numbers_and_intervals() -> None:
    found = one("#", "in", [3, [5, 9], ["10", 2**70], [7, -1]])
    assert found.values == (3,)
    assert found.intervals == ((5, 9), (10, 2**31 - 1), (1, 0))


@pytest.mark.parametrize(
    "text",
    [
        "{}", "1", '"x"', "[1]", '[["x"]]', '[["x", ">"]]', '[["x", ">", null]]', '[["x", ">", true]]',
        '[["x", ">", [1]]]', '[["x", "between", [1]]]', '[["x", "in", 1]]', '[["x", "~", 1]]',
        '[["x", "contains", "1"]]',
        '[["t", "contains", 1e5, 2]]', '[["t", "=", "a\\u0000b"]]', '[["t", "=", "\\ud800"]]', '[["t", "=", null]]',
        '[["b", "=", 1]]', '[["b", "<", true]]', '[["w", ">", "yesterday"]]', '[["w", ">", 5]]', '[["x", "isnull", 1]]',
        '[["x", ">", "NaN"]]', '[["s", "between", ["NaN", 1]]]', '[["x", ">", "1_000"]]', '[["x", ">", "٣"]]',
        '[["x", ">", "0x10"]]', '[["x", ">", "1e9999999"]]', '[[5, ">", 1]]', '[["#", "in", [[1, 2, 3]]]]', "[[[[]]]]",
        "NaN", "[", '[["x", "=", 1e99999999999999999999]]', "[" + ",".join(['["x", "isnull"]'] * 51) + "]",
        "[" * 100_000, '{"a":' * 50_000, '[["x", "=", ' + "9" * 5000 + "]]",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_told_so_in_a_sentence(text: str) -> None:
    began = time.process_time()
    assert refused(text).startswith("where: ")
    assert time.process_time() - began < 1


def test_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        where(COLUMNS, " " * 4_000_001)
    with pytest.raises(TooLargeError):
        where(COLUMNS, json.dumps([["#", "in", list(range(200_001))]]))


def test_numbers_of_parameters() -> None:
    assert whole({"offset": " 12 "}, "offset", 0, 99) == 12
    assert whole({}, "offset", 7, 99) == 7
    for text in ("-1", "100", "1.5", "٣", "1e3", "9" * 5000):
        with pytest.raises(FieldError):
            whole({"offset": text}, "offset", 0, 99)
    assert real({"x0": "-1.5e3"}, "x0") == -1500
    for text in ("NaN", "inf", "x", "1e999", "٣"):
        with pytest.raises(FieldError):
            real({"x0": text}, "x0")


def test_a_selection_is_all_of_it_by_default() -> None:
    assert selection(COLUMNS, {}) == selection(COLUMNS, {"columns": "", "sort": "", "where": ""})
    with pytest.raises(QueryError):
        selection(COLUMNS, {"where": "nonsense"})
