"""Functions, operators and types of PostgreSQL beyond ADQL's: the allow-list of its dialect.

Here is what gives one value of bounded size from its arguments, and knows nothing of the server, the session, files
or other queries. What can multiply text (repeat, replace, lpad, format) or rows (generate_series, unnest) is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlglot import exp

from almagest.adql import arrays, functions, units
from almagest.adql.analysis import only, value
from almagest.adql.errors import Position, WrongType
from almagest.adql.functions import check, check_numbers, double, integer, mathematical, of_doubles, typed
from almagest.adql.parser import position
from almagest.adql.scope import Aggregate, Builder, Modifiers, Scope
from almagest.adql.values import Kind, Value, common, like, made

TYPES = {
    "BOOL": Kind.BOOLEAN,
    "BOOLEAN": Kind.BOOLEAN,
    "CHARACTER VARYING": Kind.TEXT,
    "FLOAT4": Kind.FLOAT,
    "FLOAT8": Kind.DOUBLE,
    "INT2": Kind.SHORT,
    "INT4": Kind.INT,
    "INT8": Kind.LONG,
    "TEXT": Kind.TEXT,
    "TIMESTAMP WITHOUT TIME ZONE": Kind.TIMESTAMP,
}

_UNITS_OF_TIME = frozenset(
    ("century", "day", "decade", "hour", "microseconds", "milliseconds", "minute", "month", "quarter", "second", "week",
     "year")
)  # fmt: skip
_PARTS_OF_TIME = _UNITS_OF_TIME | {"dow", "doy", "epoch", "isodow", "isoyear"}


def remainder(node: exp.Expr, scope: Scope) -> Value:
    """a % b."""
    only(node, "this", "expression")
    parts = [value(part, scope) for part in (node.this, node.args["expression"])]
    return functions.FUNCTIONS["MOD"](parts, position(node))


def power(node: exp.Expr, scope: Scope) -> Value:
    """a ^ b, in float8: of numeric, digits could grow without end."""
    only(node, "this", "expression")
    parts = [value(part, scope) for part in (node.this, node.args["expression"])]
    return functions.FUNCTIONS["POWER"](parts, position(node))


def _check_texts(name: str, given: Sequence[Value], place: Position | None) -> None:
    for one in given:
        if one.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"{name} takes text, not {one.kind.one}.", place, "Use a cast, as in x::text.")


def _text(
    name: str, function: str, texts: int, numbers: Sequence[int], given: Sequence[Value], place: Position | None
) -> Value:
    """A function of `texts` texts and then some whole numbers, that gives text no longer than the first."""
    check(name, given, tuple(texts + count for count in numbers), place)
    _check_texts(name, given[:texts], place)
    rest = [integer(name, one, place) for one in given[texts:]]
    sql = f"{function}({', '.join((*(typed(one) for one in given[:texts]), *rest))})"
    return made(sql, Kind.TEXT, *given, name=name.lower(), unicode=given[0].unicode)


def _text_number(name: str, function: str, count: int, given: Sequence[Value], place: Position | None) -> Value:
    """A whole number about texts."""
    check(name, given, (count,), place)
    _check_texts(name, given, place)
    return made(f"{function}({', '.join(typed(one) for one in given)})", Kind.INT, *given, name=name.lower())


def _starts_with(given: Sequence[Value], place: Position | None) -> Value:
    check("STARTS_WITH", given, (2,), place)
    _check_texts("STARTS_WITH", given, place)
    return made(f"starts_with({', '.join(typed(one) for one in given)})", Kind.BOOLEAN, *given, name="starts_with")


def _chosen(name: str, given: Sequence[Value], place: Position | None) -> Value:
    """GREATEST and LEAST."""
    kind = common(*given) if given else None
    if kind is None or not (kind.numeric or kind in (Kind.TEXT, Kind.TIMESTAMP)):
        raise WrongType(f"{name} takes numbers, texts or timestamps of one kind.", place)
    sql = f"{name.lower()}({', '.join(one.sql for one in given)})"
    return functions.settled(sql, kind, given, name.lower())


def _nullif(given: Sequence[Value], place: Position | None) -> Value:
    check("NULLIF", given, (2,), place)
    kind = common(*given)
    if kind is None or kind.shape or kind in (Kind.ARRAY, Kind.NULL) or given[0].kind is Kind.NULL:
        raise WrongType("NULLIF takes two things that can be compared.", place)
    return like(f"nullif({typed(given[0])}, {given[1].sql})", given[0], *given)


def _sign(given: Sequence[Value], place: Position | None) -> Value:
    check("SIGN", given, (1,), place)
    check_numbers("SIGN", given, place)
    return made(f"sign({double(given[0])})", Kind.DOUBLE, *given, name="sign")


def _width_bucket(given: Sequence[Value], place: Position | None) -> Value:
    check("WIDTH_BUCKET", given, (4,), place)
    check_numbers("WIDTH_BUCKET", given, place)
    edges = ", ".join(f"CAST({one.sql} AS double precision)" for one in given[:3])
    sql = f"width_bucket({edges}, {integer('WIDTH_BUCKET', given[3], place)})"
    return made(sql, Kind.INT, *given, name="width_bucket")


def _date(name: str, kind: Kind, given: Sequence[Value], place: Position | None) -> Value:
    """DATE_PART and DATE_TRUNC: a field that is written out, of a timestamp."""
    check(name, given, (2,), place)
    field = (given[0].literal or "").lower() if given[0].kind is Kind.TEXT else ""
    if field not in (_PARTS_OF_TIME if name == "DATE_PART" else _UNITS_OF_TIME):
        raise WrongType(f"{name} takes a field of time first, such as 'year'.", place)
    if given[1].kind is not Kind.TIMESTAMP:
        raise WrongType(f"{name} takes a timestamp, not {given[1].kind.one}.", place, "Use x::timestamp.")
    return made(f"{name.lower()}('{field}', {given[1].sql})", kind, *given, name=field)


def _trigonometric(name: str, unit: str | None = None) -> Builder:
    return mathematical(name, name.lower(), 1, unit=unit)


def _two(name: str) -> Aggregate:
    """An aggregate of pairs of numbers."""

    def build(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
        check(name, given, (2,), place)
        check_numbers(name, given, place)
        pair = ", ".join(f"CAST({one.sql} AS double precision)" for one in given)
        return made(f"{name.lower()}({modifiers.word}{pair}){modifiers.tail}", Kind.DOUBLE, name=name.lower())

    return build


def _variance(name: str, function: str) -> Aggregate:
    """Of a quantity, in the square of its unit."""

    def build(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
        result = of_doubles(name, function, "stat.variance")(given, place, modifiers)
        unit = given[0].column.unit
        return replace(result, column=replace(result.column, unit=units.composed(unit, unit, "*")))

    return build


def _truth(name: str) -> Aggregate:
    """BOOL_AND and BOOL_OR."""

    def build(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
        check(name, given, (1,), place)
        if given[0].kind is not Kind.BOOLEAN:
            raise WrongType(f"{name} takes truth values, not {given[0].kind.one}.", place)
        sql = f"{name.lower()}({modifiers.word}{given[0].sql}){modifiers.tail}"
        return made(sql, Kind.BOOLEAN, name=name.lower())

    return build


FUNCTIONS: dict[str, Builder] = {
    "ACOSD": _trigonometric("ACOSD", "deg"),
    "ASIND": _trigonometric("ASIND", "deg"),
    "ATAND": _trigonometric("ATAND", "deg"),
    "BTRIM": partial(_text, "BTRIM", "btrim", 1, (0,)),
    "CARDINALITY": arrays.length,
    "CBRT": mathematical("CBRT", "cbrt", 1),
    "CEIL": functions.FUNCTIONS["CEILING"],
    "CHAR_LENGTH": partial(_text_number, "CHAR_LENGTH", "char_length", 1),
    "COSD": _trigonometric("COSD"),
    "COSH": _trigonometric("COSH"),
    "COTD": _trigonometric("COTD"),
    "DATE_PART": partial(_date, "DATE_PART", Kind.DOUBLE),
    "DATE_TRUNC": partial(_date, "DATE_TRUNC", Kind.TIMESTAMP),
    "ERF": mathematical("ERF", "erf", 1),
    "GREATEST": partial(_chosen, "GREATEST"),
    "INITCAP": partial(_text, "INITCAP", "initcap", 1, (0,)),
    "LEAST": partial(_chosen, "LEAST"),
    "LEFT": partial(_text, "LEFT", "left", 1, (1,)),
    "LENGTH": partial(_text_number, "LENGTH", "length", 1),
    "LN": mathematical("LN", "ln", 1),
    "LOG": mathematical("LOG", "log", 1),
    "LTRIM": partial(_text, "LTRIM", "ltrim", 1, (0,)),
    "NULLIF": _nullif,
    "POW": functions.FUNCTIONS["POWER"],
    "RANDOM": functions.FUNCTIONS["RAND"],
    "REVERSE": partial(_text, "REVERSE", "reverse", 1, (0,)),
    "RIGHT": partial(_text, "RIGHT", "right", 1, (1,)),
    "RTRIM": partial(_text, "RTRIM", "rtrim", 1, (0,)),
    "SIGN": _sign,
    "SIND": _trigonometric("SIND"),
    "SINH": _trigonometric("SINH"),
    "SPLIT_PART": partial(_text, "SPLIT_PART", "split_part", 2, (1,)),
    "STARTS_WITH": _starts_with,
    "STRPOS": partial(_text_number, "STRPOS", "strpos", 2),
    "SUBSTR": partial(_text, "SUBSTR", "substr", 1, (1, 2)),
    "SUBSTRING": partial(_text, "SUBSTRING", "substring", 1, (1, 2)),
    "TAND": _trigonometric("TAND"),
    "TANH": _trigonometric("TANH"),
    "TRIM": partial(_text, "TRIM", "btrim", 1, (0,)),
    "TRUNC": functions.FUNCTIONS["TRUNCATE"],
    "WIDTH_BUCKET": _width_bucket,
}

AGGREGATES: dict[str, Aggregate] = {
    "BOOL_AND": _truth("BOOL_AND"),
    "BOOL_OR": _truth("BOOL_OR"),
    "CORR": _two("CORR"),
    "COVAR_POP": _two("COVAR_POP"),
    "COVAR_SAMP": _two("COVAR_SAMP"),
    "REGR_INTERCEPT": _two("REGR_INTERCEPT"),
    "REGR_SLOPE": _two("REGR_SLOPE"),
    "STDDEV": of_doubles("STDDEV", "stddev_samp"),
    "STDDEV_POP": of_doubles("STDDEV_POP", "stddev_pop"),
    "STDDEV_SAMP": of_doubles("STDDEV_SAMP", "stddev_samp"),
    "VAR_POP": _variance("VAR_POP", "var_pop"),
    "VAR_SAMP": _variance("VAR_SAMP", "var_samp"),
    "VARIANCE": _variance("VARIANCE", "var_samp"),
}
