"""PURE. What is wanted of a stored result, from text to checked values: columns, an order, conditions.

Values are compared as numbers whatever their type: a condition with a value that no row can have, such as 2.5 among
whole numbers or one of 20 digits, becomes the one that says the same with values of the column's own type, or holds for
every row, or for none. No text of a user becomes SQL here or later: only these values do, as literals with a type.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

import numpy as np

from almagest.catalogue import Column
from almagest.formats.page import NUMBER
from almagest.query.errors import InvalidFieldsError, TooLargeError

KEYS = 4
"""Columns that one order has at most."""

CONDITIONS = 50
"""Conditions of one request."""

VALUES = 200_000
"""Values and intervals in all lists of one request."""

CHARACTERS = 4_000_000
"""Length of `where`; what is sent in a body may be so long."""

DIGITS = 400
"""Characters of a number."""

NUMBER_PLACE = -1
"""Instead of a column's place: that of the row's number."""

_BITS = {"short": 15, "int": 31, "long": 63}
_ITEM = re.compile(r'\s*(-?)(?:"((?:[^"]|"")+)"|([^",]+?))\s*(?:,|$)')
Value: TypeAlias = "int | float | str | bool | datetime"
Test = Literal[
    "=", "!=", "<", "<=", ">", ">=", "between", "in", "contains", "starts", "isnull", "notnull", "all", "none"
]
"""What a condition says of a value; `all` holds for every value that is not NULL, `none` for no row."""

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between", "in", "contains", "starts", "isnull", "notnull")


class FieldError(InvalidFieldsError):
    """One field of a request is wrong. field: which; sentence: what is wrong with it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}", {field: [sentence]})


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an order. place: among the result's columns, from 0 on."""

    place: int
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold for a row. place: as of a Key, or NUMBER_PLACE; values: of the column's type, none, one, two, or
    for `in` any number of them; intervals: of row numbers, both ends included, for `in` too."""

    place: int
    test: Test
    values: tuple[Value, ...] = ()
    intervals: tuple[tuple[int, int], ...] = ()


Order: TypeAlias = tuple[Key, ...]
Where: TypeAlias = tuple[Condition, ...]
"""Conditions that all have to hold."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a result, in which order, and which of its columns by place. Rows that are equal in all of the
    order come by their numbers, from the largest on where the first key descends; NULL comes last in every key."""

    columns: tuple[int, ...]
    order: Order = ()
    where: Where = ()


def selection(described: Sequence[Column], asked: Mapping[str, str]) -> Selection:
    """What the parameters `columns`, `sort` and `where` say. Raises FieldError, TooLargeError."""
    return Selection(
        columns(described, asked.get("columns", "")),
        order(described, asked.get("sort", "")),
        where(described, asked.get("where", "")),
    )


def whole(asked: Mapping[str, str], field: str, default: int, most: int) -> int:
    """A whole number from 0 on. Raises FieldError."""
    text = asked.get(field, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or int(text) > most:
        raise FieldError(field, f"it has to be a whole number from 0 to {most:,}, not {_shown(text)}")
    return int(text)


def real(asked: Mapping[str, str], field: str) -> float | None:
    """A finite number, None where there is none. Raises FieldError."""
    text = asked.get(field, "").strip()
    if not text:
        return None
    try:
        number = float(text) if len(text) <= DIGITS and text.isascii() else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FieldError(field, f"it has to be a number, not {_shown(text)}")
    return number


def flag(asked: Mapping[str, str], field: str) -> bool:
    """true or false, which is also what nothing means. Raises FieldError."""
    text = asked.get(field, "").strip().lower()
    if text not in ("", "true", "false", "1", "0"):
        raise FieldError(field, f"it has to be true or false, not {_shown(text)}")
    return text in ("true", "1")


def numeric(described: Sequence[Column], field: str, text: str) -> int:
    """The place of a column of numbers. Raises FieldError."""
    place = _place(described, field, text)
    if _kind(described[place]) not in ("whole", "real"):
        raise FieldError(field, f"{described[place].name} holds no numbers")
    return place


def columns(described: Sequence[Column], text: str) -> tuple[int, ...]:
    """The places of columns named by `a,b,"c,d"`, all of none. Raises FieldError."""
    if not text.strip():
        return tuple(range(len(described)))
    found = tuple(place for descending, place in _items(described, "columns", text, signs=False))
    if len(set(found)) != len(found):
        raise FieldError("columns", "each column may be named once")
    return found


def order(described: Sequence[Column], text: str) -> Order:
    """The order that `-a,b` means: by a descending, then by b. Raises FieldError."""
    if not text.strip():
        return ()
    keys = tuple(Key(place, descending) for descending, place in _items(described, "sort", text, signs=True))
    if len(keys) > KEYS:
        raise FieldError("sort", f"{len(keys)} columns are named; {KEYS} are allowed")
    if len({key.place for key in keys}) != len(keys):
        raise FieldError("sort", "each column may be named once")
    for key in keys:
        if _kind(described[key.place]) == "array":
            raise FieldError("sort", f"{described[key.place].name} holds arrays, which have no order")
    return keys


def where(described: Sequence[Column], text: str) -> Where:
    """The conditions of a JSON array of triples, `[["parallax", ">=", 5], ["#", "in", [1, 2, [5, 9]]]]`.

    Raises FieldError, TooLargeError.
    """
    if not text.strip():
        return ()
    if len(text) > CHARACTERS:
        raise TooLargeError(f"where has {len(text):,} characters; {CHARACTERS:,} are allowed")
    asked = _json(text)
    if not isinstance(asked, list) or not all(isinstance(one, list) for one in asked):
        raise FieldError("where", 'it has to be a JSON array of conditions such as ["parallax", ">=", 5]')
    if len(asked) > CONDITIONS:
        raise FieldError("where", f"there are {len(asked)} conditions; {CONDITIONS} are allowed")
    found = tuple(_condition(described, one) for one in asked)
    if sum(len(one.values) + len(one.intervals) for one in found) > VALUES:
        raise TooLargeError(f"the lists of where have more than {VALUES:,} values")
    return found


def _items(described: Sequence[Column], field: str, text: str, *, signs: bool) -> list[tuple[bool, int]]:
    found: list[tuple[bool, int]] = []
    start = 0
    while start < len(text) or not found:
        item = _ITEM.match(text, start)
        if item is None or item.end() == start or len(found) > len(described):
            raise FieldError(
                field, f'it has to be names with commas between them, not {_shown(text)}; "a,b" in quotes is one'
            )
        sign, quoted, bare = item.groups()
        name = quoted.replace('""', '"') if quoted is not None else bare
        if not signs and sign:
            name = sign + name
        found.append((bool(sign) and signs, _place(described, field, name)))
        start = item.end()
    return found


def _place(described: Sequence[Column], field: str, name: str) -> int:
    names = [column.name for column in described]
    if name in names:
        return names.index(name)
    folded = [place for place, other in enumerate(names) if other.lower() == name.lower()]
    if len(folded) == 1:
        return folded[0]
    near = get_close_matches(name[:128], names, n=1, cutoff=0.7)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise FieldError(field, f"the result has no column {_shown(name)}{hint}")


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_int=_whole, parse_constant=Decimal)
    except RecursionError as error:
        raise FieldError("where", "its JSON is nested too deeply") from error
    except (ValueError, InvalidOperation) as error:
        raise FieldError("where", f"it is no JSON: {error}") from error


def _whole(digits: str) -> Decimal:
    if len(digits) > DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return Decimal(digits)


def _condition(described: Sequence[Column], asked: list[Any]) -> Condition:
    if not 2 <= len(asked) <= 3 or not isinstance(asked[0], str) or not isinstance(asked[1], str):
        raise FieldError(
            "where",
            f'a condition is a column, an operator and a value, such as ["x", ">", 5]; not {_shown(str(asked))}',
        )
    name, operator = asked[0], asked[1]
    place = NUMBER_PLACE if name == NUMBER.name else _place(described, "where", name)
    column = NUMBER if place == NUMBER_PLACE else described[place]
    if operator not in OPERATORS:
        raise FieldError("where", f"there is no operator {_shown(operator)}; there are {' '.join(OPERATORS)}")
    if operator in ("isnull", "notnull"):
        if len(asked) == 3 and asked[2] is not None:
            raise FieldError("where", f"{operator} takes no value")
        return Condition(place, operator)  # type: ignore[arg-type] # it is one of them
    if len(asked) < 3:
        raise FieldError("where", f"{name} {operator} needs a value")
    kind = _kind(column)
    if operator not in _ALLOWED[kind]:
        raise FieldError("where", f"{name} can be asked for {' '.join(_ALLOWED[kind])} only, not for {operator}")
    return _CONDITIONS[kind](column, place, operator, asked[2])


def _kind(column: Column) -> str:
    if column.xtype == "timestamp":
        return "time"
    if column.datatype in ("char", "unicodeChar"):
        return "text"
    if column.arraysize is not None:
        return "array"
    return "whole" if column.datatype in _BITS else "boolean" if column.datatype == "boolean" else "real"


_COMPARED = ("=", "!=", "<", "<=", ">", ">=", "between", "in", "isnull", "notnull")
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "whole": _COMPARED,
    "real": _COMPARED,
    "time": _COMPARED,
    "text": OPERATORS,
    "boolean": ("=", "!=", "in", "isnull", "notnull"),
    "array": ("isnull", "notnull"),
}


def _operands(column: Column, operator: str, value: Any) -> list[Any]:
    """The values of a condition before they are looked at: as many as the operator takes."""
    if operator in ("between", "in"):
        if not isinstance(value, list) or (operator == "between" and len(value) != 2):
            wanted = "a list of two values" if operator == "between" else "a list of values"
            raise FieldError("where", f"{column.name} {operator} takes {wanted}")
        return value
    return [value]


def _whole_numbers(column: Column, place: int, operator: str, value: Any) -> Condition:
    given = _operands(column, operator, value)
    bits = _BITS[column.datatype]
    least, most = -(1 << bits), (1 << bits) - 1
    if operator == "in":
        numbers: list[int] = []
        intervals = []
        for one in given:
            if place == NUMBER_PLACE and isinstance(one, list):
                intervals.append(_interval(column, one, most))
                continue
            number = _number(column, one)
            if number.is_finite() and least <= number <= most and number == number.to_integral_value():
                numbers.append(int(number))
        return Condition(place, "in", tuple(numbers), tuple(intervals))
    found = [_number(column, one) for one in given]
    if operator == "between":
        _ordered(column, found)
        if found[0] > most or found[1] < least:
            return Condition(place, "none")
        low, high = max(found[0], Decimal(least)), min(found[1], Decimal(most))
        return Condition(
            place, "between", (int(low.to_integral_value(ROUND_CEILING)), int(high.to_integral_value(ROUND_FLOOR)))
        )
    return _compared(column, place, operator, found[0], least, most)


def _compared(column: Column, place: int, operator: str, number: Decimal, least: int, most: int) -> Condition:
    """One comparison of whole numbers with any number."""
    if number.is_nan():
        if operator in ("=", "!="):
            return Condition(place, "none" if operator == "=" else "all")
        raise _not_comparable(column)
    if operator in ("=", "!="):
        if not number.is_finite() or not least <= number <= most or number != number.to_integral_value():
            return Condition(place, "none" if operator == "=" else "all")
        return Condition(place, operator, (int(number),))  # type: ignore[arg-type] # it is one of them
    if number > most or number < least:
        return Condition(place, "all" if (operator[0] == "<") == (number > most) else "none")
    rounding = ROUND_CEILING if operator in ("<", ">=") else ROUND_FLOOR
    # x < 2.5 is x < 3, and x <= 2.5 is x <= 2.
    rounded = int(number.to_integral_value(rounding))
    if rounded > most:
        return Condition(place, "all" if operator == "<" else "none")
    return Condition(place, operator, (rounded,))  # type: ignore[arg-type] # it is one of them


def _interval(column: Column, given: list[Any], most: int) -> tuple[int, int]:
    if len(given) != 2:
        raise FieldError("where", "an interval of row numbers is a list of the first and the last")
    first, last = (_number(column, one) for one in given)
    _ordered(column, [first, last])
    low, high = max(first, Decimal(0)), min(last, Decimal(most))
    if low > most or high < 0:
        return 1, 0
    return int(low.to_integral_value(ROUND_CEILING)), int(high.to_integral_value(ROUND_FLOOR))


def _ordered(column: Column, found: Sequence[Decimal]) -> None:
    if any(number.is_nan() for number in found):
        raise _not_comparable(column)


def _not_comparable(column: Column) -> FieldError:
    return FieldError("where", f"{column.name}: NaN is neither larger nor smaller than anything; use = or !=")


def _reals(column: Column, place: int, operator: str, value: Any) -> Condition:
    found = [_real(column, one) for one in _operands(column, operator, value)]
    if operator not in ("=", "!=", "in") and any(map(math.isnan, found)):
        raise _not_comparable(column)
    return Condition(place, operator, tuple(found))  # type: ignore[arg-type] # it is one of them


def _real(column: Column, value: Any) -> float:
    """The number of the column's own precision that is nearest, so that what is shown of a value finds it."""
    number = float(_number(column, value))
    if column.datatype == "float":
        with np.errstate(over="ignore"):
            return float(np.float32(number))
    return number


def _number(column: Column, value: Any) -> Decimal:
    """A number of JSON, or one that is a text, as those are that JSON has no exact word for."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and len(value) <= DIGITS:
        text = value.strip()
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?|NaN|[+-]?Infinity", text, re.ASCII):
            return Decimal(text)
    raise FieldError("where", f"{column.name} is compared with numbers, not with {_shown(str(value))}")


def _times(column: Column, place: int, operator: str, value: Any) -> Condition:
    found = tuple(_time(column, one) for one in _operands(column, operator, value))
    return Condition(place, operator, found)  # type: ignore[arg-type] # it is one of them


def _time(column: Column, value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{column.name} is compared with times such as 2016-01-31T12:00:00, not with {_shown(str(value))}"
        raise FieldError("where", message) from error


def _texts(column: Column, place: int, operator: str, value: Any) -> Condition:
    found = []
    for one in _operands(column, operator, value):
        text = str(one) if isinstance(one, Decimal) else one
        if not isinstance(text, str):
            raise FieldError("where", f"{column.name} is compared with texts, not with {_shown(str(one))}")
        if "\0" in text or re.search("[\ud800-\udfff]", text):
            raise FieldError("where", f"{column.name}: {_shown(text)} holds characters that no text has")
        found.append(text)
    return Condition(place, operator, tuple(found))  # type: ignore[arg-type] # it is one of them


def _flags(column: Column, place: int, operator: str, value: Any) -> Condition:
    found = _operands(column, operator, value)
    if not all(isinstance(one, bool) for one in found):
        raise FieldError("where", f"{column.name} is true or false, not {_shown(str(value))}")
    return Condition(place, operator, tuple(found))  # type: ignore[arg-type] # it is one of them


_CONDITIONS: Mapping[str, Callable[[Column, int, str, Any], Condition]] = {
    "whole": _whole_numbers,
    "real": _reals,
    "time": _times,
    "text": _texts,
    "boolean": _flags,
}


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
