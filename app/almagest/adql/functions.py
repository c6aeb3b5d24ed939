"""Functions that an ADQL query may call, and their PostgreSQL form: the allow-list of names (ADQL 2.1 §2.3, §4).

A function is here or it does not exist. Its builder gets the arguments analysed and the place of the call, and says
what comes out, with the unit where that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from almagest.adql import geometry, regions, units
from almagest.adql.errors import Position, UnknownFunction, WrongType
from almagest.adql.scope import Aggregate, Builder, Modifiers
from almagest.adql.values import Kind, Value, common, like, made, size_of


def count(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
    """COUNT(*) or COUNT(expression)."""
    check("COUNT", given, (0, 1), place)
    what = f"{modifiers.word}{given[0].sql}" if given else "*"
    return made(f"count({what}){modifiers.tail}", Kind.LONG, name="count", ucd="meta.number")


def _extreme(name: str) -> Aggregate:
    """MIN and MAX: a value as it stands in the column."""

    def build(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
        check(name, given, (1,), place)
        (one,) = given
        if not (one.kind.numeric or one.kind in (Kind.TEXT, Kind.TIMESTAMP, Kind.NULL)):
            raise WrongType(f"{name} has no order to find among {one.kind}s.", place)
        sql = f"{name.lower()}({modifiers.word}{typed(one)}){modifiers.tail}"
        if one.kind is Kind.NULL:
            return made(sql, Kind.TEXT, name=name.lower())
        result = like(sql, one, name=name.lower())
        return replace(result, column=replace(result.column, ucd=statistical(one.column.ucd, f"stat.{name.lower()}")))

    return build


def _sum(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
    """SUM: whole of whole numbers, else float8."""
    if len(given) != 1 or not given[0].kind.integral:
        return of_doubles("SUM", "sum")(given, place, modifiers)
    (one,) = given
    sql = f"sum({modifiers.word}{one.sql}){modifiers.tail}"
    sql = f"CAST({sql} AS bigint)" if one.kind is Kind.LONG else sql
    return made(sql, Kind.LONG, name="sum", unit=one.column.unit)


def of_doubles(name: str, function: str, ucd: str | None = None) -> Aggregate:
    """An aggregate of numbers, made in float8, in the unit of its argument."""

    def build(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
        check(name, given, (1,), place)
        check_numbers(name, given, place)
        (one,) = given
        sql = f"{function}({modifiers.word}CAST({one.sql} AS double precision)){modifiers.tail}"
        meaning = statistical(one.column.ucd, ucd) if ucd else None
        return made(sql, Kind.DOUBLE, name=name.lower(), unit=one.column.unit, ucd=meaning)

    return build


def statistical(ucd: str | None, word: str) -> str | None:
    """The UCD of a statistic of a quantity: UCD1+ has `stat.max` and its like only behind the quantity, and what is
    calculated is nobody's main column."""
    if not ucd:
        return None
    first, *rest = (atom for atom in ucd.split(";") if atom.strip() != "meta.main")
    return ";".join((first, word, *rest))


AGGREGATES: dict[str, Aggregate] = {
    "AVG": of_doubles("AVG", "avg", "stat.mean"),
    "COUNT": count,
    "MAX": _extreme("MAX"),
    "MIN": _extreme("MIN"),
    "SUM": _sum,
}


def typed(value: Value) -> str:
    """The SQL of a value whose type PostgreSQL would have to guess."""
    if value.kind is Kind.NULL or (value.kind is Kind.TEXT and value.literal is not None):
        return f"CAST({value.sql} AS text)"
    return value.sql


def unknown(name: str, known: Sequence[str], place: Position | None) -> UnknownFunction:
    """The error for a name that no function has."""
    near = get_close_matches(name[:64].upper(), known, n=1, cutoff=0.7)
    hint = f"Did you mean {near[0]}?" if near else None
    return UnknownFunction(f"There is no function {name}.", place, hint, near[0] if near else None)


def check(name: str, given: Sequence[Value], counts: tuple[int, ...], place: Position | None) -> None:
    if len(given) not in counts:
        expected = " or ".join(str(count) for count in counts)
        what = "argument" if counts == (1,) else "arguments"
        raise WrongType(f"{name} takes {expected} {what}, not {len(given)}.", place)


def check_numbers(name: str, given: Sequence[Value], place: Position | None) -> None:
    for value in given:
        if not value.kind.numeric and value.kind is not Kind.NULL:
            raise WrongType(f"{name} takes numbers, not {value.kind.one}.", place)


def integer(name: str, given: Value, place: Position | None) -> str:
    """The SQL of a whole number as PostgreSQL's integer."""
    if not given.kind.integral:
        other = "one with decimals" if given.kind.numeric else given.kind.one
        raise WrongType(f"{name} takes a whole number here, not {other}.", place)
    size = geometry.number(given)
    if size is not None and abs(size) >= 2**31:
        raise WrongType(f"{name} takes whole numbers below 2147483648 here, not {given.literal}.", place)
    return f"CAST({given.sql} AS integer)"


def mathematical(name: str, function: str, *counts: int, unit: str | None = None) -> Builder:
    """A function of numbers that gives a float8."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, counts, place)
        check_numbers(name, given, place)
        arguments = ", ".join(double(value) for value in given)
        return made(f"{function}({arguments})", Kind.DOUBLE, *given, name=name.lower(), unit=unit)

    return build


def double(value: Value) -> str:
    """The SQL of a number as float8, also of NULL."""
    return "CAST(NULL AS double precision)" if value.kind is Kind.NULL else value.double


def _absolute(given: Sequence[Value], place: Position | None) -> Value:
    check("ABS", given, (1,), place)
    check_numbers("ABS", given, place)
    if given[0].kind is Kind.NULL:
        return made(f"abs({double(given[0])})", Kind.DOUBLE, name="abs")
    return made(f"abs({given[0].sql})", given[0].kind, *given, name="abs", unit=given[0].column.unit)


def _whole(name: str, function: str) -> Builder:
    """CEILING and FLOOR: whole, but still a float8, in the unit of what was rounded."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (1,), place)
        check_numbers(name, given, place)
        sql = f"{function}({double(given[0])})"
        return made(sql, Kind.DOUBLE, *given, name=name.lower(), unit=given[0].column.unit)

    return build


def _rounding(name: str, function: str) -> Builder:
    """ROUND and TRUNCATE to n decimals, 0 where none are named; halves go away from zero.

    In numeric, which counts decimals, of the digits that a number is written with: PostgreSQL's own cast keeps fifteen.
    """

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (1, 2), place)
        check_numbers(name, given, place)
        decimals = integer(name, given[1], place) if len(given) == 2 else "0"
        sql = f"CAST({function}({_decimal(given[0])}, {decimals}) AS double precision)"
        return made(sql, Kind.DOUBLE, *given, name=name.lower(), unit=given[0].column.unit)

    return build


def _decimal(value: Value) -> str:
    """The SQL of a number as numeric, exactly as it is written out."""
    written = f"CAST({value.sql} AS text)" if value.kind in (Kind.FLOAT, Kind.DOUBLE) else value.sql
    return f"CAST({written} AS numeric)"


def _modulus(given: Sequence[Value], place: Position | None) -> Value:
    """MOD(x, y): the remainder with the sign of x, exactly; of whole numbers whole."""
    check("MOD", given, (2,), place)
    check_numbers("MOD", given, place)
    if all(value.kind.integral for value in given):
        kind = max((value.kind for value in given), key=lambda kind: int(kind.value))
        return made(f"mod({given[0].sql}, {given[1].sql})", kind, *given, name="mod")
    if any(value.kind in (Kind.FLOAT, Kind.DOUBLE) for value in given):
        first, second = (f"CAST({value.sql} AS double precision)" for value in given)
        return made(f"public.adql_mod({first}, {second})", Kind.DOUBLE, *given, name="mod")
    first, second = (f"CAST({value.sql} AS numeric)" for value in given)
    return made(f"CAST(mod({first}, {second}) AS double precision)", Kind.DOUBLE, *given, name="mod")


def _random(given: Sequence[Value], place: Position | None) -> Value:
    """RAND() or RAND(seed), which is read and not used: ADQL 2.1 §2.3 leaves its effect open, and rows are read in no
    fixed order, so nothing could repeat."""
    check("RAND", given, (0, 1), place)
    if given and not (given[0].literal is not None and given[0].kind.integral):
        raise WrongType("RAND takes a seed in digits, or nothing.", place)
    return replace(made("random()", Kind.DOUBLE, name="rand"), loose=True)


def _pi(given: Sequence[Value], place: Position | None) -> Value:
    check("PI", given, (0,), place)
    return made("pi()", Kind.DOUBLE, name="pi")


def letters(name: str, function: str) -> Builder:
    """LOWER and UPPER."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (1,), place)
        if given[0].kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"{name} takes text, not {given[0].kind.one}.", place, "Use CAST(… AS VARCHAR).")
        unicode = given[0].unicode
        return made(f"{function}({given[0].sql})", Kind.TEXT, *given, name=name.lower(), unicode=unicode)

    return build


def coalesce(given: Sequence[Value], place: Position | None) -> Value:
    """COALESCE(a, b, …): the first that is not NULL, in the metadata of the first."""
    if not given:
        raise WrongType("COALESCE takes at least one argument.", place)
    kind = common(*given)
    if kind is None:
        raise WrongType(f"COALESCE cannot mix {_kinds(given)}.", place, "Use CAST to make them alike.")
    if kind is Kind.NULL:
        return given[0]
    sql = f"coalesce({', '.join(value.sql for value in given)})"
    return settled(sql, kind, given, "coalesce")


def settled(sql: str, kind: Kind, choices: Sequence[Value], name: str) -> Value:
    """What one of `choices` gives: the unit if all agree, everything of the first column if there is but one."""
    real = [choice for choice in choices if choice.kind is not Kind.NULL]
    units = {choice.column.unit for choice in real if choice.literal is None}
    unit = units.pop() if len(units) == 1 else None
    if kind is Kind.ARRAY:
        result = like(sql, real[0], *choices, name=name)
        size = size_of(*(choice.column for choice in real))
        return replace(result, column=replace(result.column.unbounded, arraysize=size))
    return made(sql, kind, *choices, name=name, unit=unit, unicode=any(choice.unicode for choice in real))


def _kinds(given: Sequence[Value]) -> str:
    return " and ".join(sorted({f"{value.kind}s" for value in given if value.kind is not Kind.NULL}))


TRUTHS: dict[str, Builder] = {"CONTAINS": geometry.contains, "INTERSECTS": geometry.intersects}


def as_number(name: str, builder: Builder) -> Builder:
    """A condition as the 1 or 0 that ADQL's functions give; NULL where it is unknown."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        truth = builder(given, place)
        return made(f"CAST({truth.sql} AS integer)", Kind.INT, truth, name=name.lower())

    return build


FUNCTIONS: dict[str, Builder] = {
    "ABS": _absolute,
    "ACOS": mathematical("ACOS", "acos", 1, unit="rad"),
    "AREA": geometry.area,
    "ASIN": mathematical("ASIN", "asin", 1, unit="rad"),
    "ATAN": mathematical("ATAN", "atan", 1, unit="rad"),
    "ATAN2": mathematical("ATAN2", "atan2", 2, unit="rad"),
    "BOX": geometry.box,
    "CEILING": _whole("CEILING", "ceil"),
    "CENTROID": geometry.centroid,
    "CIRCLE": geometry.circle,
    "COALESCE": coalesce,
    "COORD1": lambda given, place: geometry.coordinate("long", given, place),
    "COORD2": lambda given, place: geometry.coordinate("lat", given, place),
    "COORDSYS": geometry.coordinate_system,
    "COS": mathematical("COS", "cos", 1),
    "COT": mathematical("COT", "cot", 1),
    "DEGREES": mathematical("DEGREES", "degrees", 1, unit="deg"),
    "DISTANCE": geometry.distance,
    "EXP": mathematical("EXP", "exp", 1),
    "FLOOR": _whole("FLOOR", "floor"),
    "IN_UNIT": units.in_unit,
    "LOG": mathematical("LOG", "ln", 1),
    "LOG10": mathematical("LOG10", "log", 1),
    "LOWER": letters("LOWER", "lower"),
    "MOD": _modulus,
    "PI": _pi,
    "POINT": geometry.point,
    "POLYGON": geometry.polygon,
    "POWER": mathematical("POWER", "power", 2),
    "RADIANS": mathematical("RADIANS", "radians", 1, unit="rad"),
    "RAND": _random,
    "REGION": regions.region,
    "ROUND": _rounding("ROUND", "round"),
    "SIN": mathematical("SIN", "sin", 1),
    "SQRT": mathematical("SQRT", "sqrt", 1),
    "TAN": mathematical("TAN", "tan", 1),
    "TRUNCATE": _rounding("TRUNCATE", "trunc"),
    "UPPER": letters("UPPER", "upper"),
}
