"""ADQL 2.1 §2.2: expressions and conditions, from tree to typed SQL.

Two tables hold every kind of node that may stand where a value or a condition is wanted: that is the allow-list. What
is not there is refused by name. SQL is put together from the catalogue's names, our own, and literals written anew.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sqlglot import exp

from almagest.adql import functions, geometry, literals
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, WrongType
from almagest.adql.parser import position
from almagest.adql.scope import Scope
from almagest.adql.values import POSTGRES, Kind, Value, common, like, made


def value(node: exp.Expr, scope: Scope) -> Value:
    """The value of an expression. Raises AdqlError."""
    make = _VALUES.get(type(node))
    if make is None:
        if type(node) in _CONDITIONS:
            hint = "Write CASE WHEN condition THEN 1 ELSE 0 END."
            raise WrongType("A condition stands where a value is wanted.", position(node), hint)
        raise refused(node)
    result = make(node, scope)
    scope.context.sized(result.sql, node)
    if scope.grouping is not None and result.bare and result.sql in scope.grouping:
        return replace(result, bare=frozenset())
    return result


def condition(node: exp.Expr, scope: Scope) -> Value:
    """The truth of a condition. Raises AdqlError."""
    make = _CONDITIONS.get(type(node))
    if make is not None:
        result = make(node, scope)
        scope.context.sized(result.sql, node)
        return result
    result = value(node, scope)
    if result.kind is not Kind.BOOLEAN:
        raise WrongType(f"A condition is wanted here, not a {result.kind}.", position(node), "Compare it, as in x = 1.")
    return result


def refused(node: exp.Expr) -> NotAllowed:
    """The error for a node that ADQL does not have."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in type(node).__name__).strip()
    return NotAllowed(f"ADQL 2.1 has no such thing here ({words}).", position(node))


def only(node: exp.Expr, *arguments: str) -> None:
    """Refuse a node that carries more than the named arguments: nothing that was written may be left out."""
    for name, argument in node.args.items():
        if name not in arguments and argument not in (None, False, []):
            part = argument if isinstance(argument, exp.Expr) else node
            raise NotAllowed(f"ADQL 2.1 has no {name.strip('_').replace('_', ' ')} here.", position(part))


def _column(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "table", "db", "catalog")
    if isinstance(node.this, exp.Star):
        raise WrongType("* stands for columns only right after SELECT.", position(node))
    return scope.column(cast("exp.Column", node))


def _literal(node: exp.Expr, _: Scope) -> Value:
    return literals.literal(node)


def _null(*_: object) -> Value:
    return literals.null()


def _boolean(node: exp.Expr, _: Scope) -> Value:
    return literals.truth(node)


def _parenthesis(node: exp.Expr, scope: Scope) -> Value:
    return value(node.this, scope)


def _negative(node: exp.Expr, scope: Scope) -> Value:
    inner = value(node.this, scope)
    if not inner.kind.numeric and inner.kind is not Kind.NULL:
        raise WrongType(f"A {inner.kind} has no negative.", position(node))
    if inner.literal is not None and not inner.literal.startswith("-"):
        return replace(inner, sql=f"-{inner.inner}", literal=f"-{inner.literal}", atomic=False)
    return replace(made(f"- {_term(inner)}", inner.kind, inner, atomic=False), column=inner.column)


_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.DPipe: "||"}


def _spine(node: exp.Expr, kinds: tuple[type[exp.Expr], ...]) -> list[tuple[exp.Expr, exp.Expr]]:
    """a + b - c as [(a + b - c, c), (a + b, b), (a, a)]: long sums must not become deep recursion."""
    parts = []
    while isinstance(node, kinds):
        parts.append((node, cast("exp.Expr", node.args["expression"])))
        node = node.this
    return [*parts, (node, node)]


def _arithmetic(node: exp.Expr, scope: Scope) -> Value:
    kinds: tuple[type[exp.Expr], ...] = (
        (exp.Add, exp.Sub) if isinstance(node, exp.Add | exp.Sub) else (exp.Mul, exp.Div)
    )
    parts = _spine(node, kinds)
    first = value(parts.pop()[1], scope)
    parts.reverse()
    values, sql, kind = [first], [_term(first)], _operand(first, node)
    unit = first.column.unit
    for operation, right in parts:
        operand = value(right, scope)
        kind = _promoted(kind, _operand(operand, right))
        sql.append(f" {_SIGNS[type(operation)]} {_term(operand)}")
        unit = unit if kinds == (exp.Add, exp.Sub) and operand.column.unit == unit else None
        values.append(operand)
    result = made("".join(sql), kind, *values, name="value", atomic=False, unit=unit)
    return replace(result, literal=_folded(parts, values))


def _folded(parts: list[tuple[exp.Expr, exp.Expr]], values: list[Value]) -> str | None:
    """The number that a calculation with numbers alone gives, such as a radius of 5/3600.0; None where it is none."""
    numbers = [geometry.number(operand) for operand in values]
    whole = all(operand.kind.integral for operand in values)
    result = numbers[0]
    for (operation, _), right in zip(parts, numbers[1:], strict=True):
        if result is None or right is None or (isinstance(operation, exp.Div) and right == 0):
            return None
        result = _CALCULATIONS[type(operation)](result, right)
        if whole and isinstance(operation, exp.Div):
            result = float(math.trunc(result))
    return None if result is None or not math.isfinite(result) else repr(result)


_CALCULATIONS: dict[type[exp.Expr], Callable[[float, float], float]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
    exp.Div: operator.truediv,
}


def _term(operand: Value) -> str:
    return "CAST(NULL AS integer)" if operand.kind is Kind.NULL else operand.inner


def _operand(operand: Value, node: exp.Expr) -> Kind:
    if operand.kind is Kind.NULL:
        return Kind.INT
    if not operand.kind.numeric:
        hint = "Strings are joined by ||." if operand.kind is Kind.TEXT else None
        raise WrongType(f"One cannot calculate with a {operand.kind}.", position(node), hint)
    return operand.kind


def _promoted(first: Kind, second: Kind) -> Kind:
    """What PostgreSQL makes of first + second."""
    if first is second:
        return first
    if Kind.FLOAT in (first, second):
        return Kind.DOUBLE
    return max(first, second, key=lambda kind: int(kind.value))


def _concatenation(node: exp.Expr, scope: Scope) -> Value:
    parts = _spine(node, (exp.DPipe,))
    values = [value(part, scope) for _, part in reversed(parts)]
    for operand, (_, part) in zip(values, reversed(parts), strict=True):
        if operand.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"|| joins strings, not a {operand.kind}.", position(part), "Use CAST(… AS VARCHAR).")
    sql = " || ".join(operand.inner if operand.kind is Kind.TEXT else "CAST(NULL AS text)" for operand in values)
    unicode = any(operand.unicode for operand in values)
    return made(sql, Kind.TEXT, *values, name="text", atomic=False, unicode=unicode)


def _function(node: exp.Expr, scope: Scope) -> Value:
    name = _name(node)
    if name.upper() in functions.AGGREGATES:
        return _aggregate(name.upper(), node, scope)
    arguments = [value(argument, scope) for argument in node.expressions]
    return functions.call(name, arguments, position(node))


def _name(node: exp.Expr) -> str:
    if not isinstance(node.this, str):
        raise NotAllowed("Functions have no quoted names in ADQL.", position(node))
    return node.this


def _aggregate(name: str, node: exp.Expr, scope: Scope) -> Value:
    if len(node.expressions) != 1:
        raise WrongType(f"{name} takes one argument.", position(node))
    argument = node.expressions[0]
    if isinstance(argument, exp.Star):
        if name != "COUNT":
            raise WrongType(f"{name} needs a column, not *.", position(node))
        return replace(made("count(*)", Kind.LONG, name="count", ucd="meta.number"), aggregate=True)
    distinct = isinstance(argument, exp.Distinct)
    if distinct:
        only(argument, "expressions")
        if len(argument.expressions) != 1:
            raise WrongType(f"{name}(DISTINCT …) takes one expression.", position(node))
        argument = argument.expressions[0]
    grouping, scope.grouping = scope.grouping, None
    given = value(argument, scope)
    scope.grouping = grouping
    return replace(functions.aggregate(name, given, position(node), distinct=distinct), aggregate=True)


_CASTS = {
    "SMALLINT": Kind.SHORT,
    "INTEGER": Kind.INT,
    "INT": Kind.INT,
    "BIGINT": Kind.LONG,
    "REAL": Kind.FLOAT,
    "DOUBLE PRECISION": Kind.DOUBLE,
    "CHAR": Kind.TEXT,
    "VARCHAR": Kind.TEXT,
    "TIMESTAMP": Kind.TIMESTAMP,
}


def _cast(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "to")
    given, kind = value(node.this, scope), _CASTS.get(str(node.args["to"].this))
    if kind is None:
        hint = f"ADQL has {', '.join(sorted(_CASTS))}."
        raise NotAllowed(f"There is no type {node.args['to'].this}.", position(node.args["to"]), hint)
    possible = given.kind in (Kind.TEXT, Kind.NULL) or kind is Kind.TEXT or (given.kind.numeric and kind.numeric)
    possible = possible or given.kind is kind or (given.kind is Kind.BOOLEAN and kind is Kind.INT)
    if not possible or given.kind.shape or given.kind is Kind.ARRAY:
        raise WrongType(f"A {given.kind} cannot be cast to {node.args['to'].this}.", position(node))
    name, length = POSTGRES[kind], node.args["to"].args.get("length")
    if length is not None and kind is not Kind.TEXT:
        raise WrongType(f"{node.args['to'].this} has no length.", position(node.args["to"]))
    if length is not None:
        if not length.isdigit() or not 0 < int(length) <= 10_485_760:
            raise WrongType(f"{length} is no length of a string.", position(node.args["to"]))
        # PostgreSQL's char(n) pads with blanks that its own operators ignore; a varchar of n keeps what was meant.
        name = f"varchar({length})"
    unit = given.column.unit if kind.numeric else None
    column = made("", kind, given, name="value", unit=unit, unicode=given.unicode)
    sql = f"CAST({given.sql} AS {name})"
    sql = f"CAST({sql} AS text)" if length is not None else sql
    return replace(column, sql=sql, column=replace(column.column, name=given.column.name))


def _case(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "ifs", "default")
    parts: list[Value] = []
    sql, choices = ["CASE"], []
    operand = value(node.this, scope) if node.this is not None else None
    for branch in node.args["ifs"]:
        if operand is not None:
            other = value(branch.this, scope)
            test = _compared("=", operand, other, branch.this)
        else:
            test = condition(branch.this, scope)
        choice = value(branch.args["true"], scope)
        parts += [test, choice]
        choices.append(choice)
        sql.append(f"WHEN {test.sql} THEN {choice.sql}")
    if node.args.get("default") is not None:
        choice = value(node.args["default"], scope)
        parts.append(choice)
        choices.append(choice)
        sql.append(f"ELSE {choice.sql}")
    kind = common(*choices)
    if kind is None:
        raise WrongType("The branches of this CASE give different types.", position(node), "Use CAST.")
    if kind is Kind.NULL:
        return _null()
    result = functions.settled(" ".join([*sql, "END"]), kind, choices, "value")
    merged = made("", kind, *parts)
    return replace(result, bare=merged.bare, aggregate=merged.aggregate)


def _scalar(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this")
    query = scope.context.subquery(node.this, scope)
    if len(query.columns) != 1:
        message = f"A query used as a value gives one column, not {len(query.columns)}."
        raise WrongType(message, position(node))
    inner = query.columns[0]
    if inner.kind is Kind.NULL:
        return _null()
    return replace(like(f"({query.sql})", inner), bare=query.outer, aggregate=False)


_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expression")
    sign, left, right = _COMPARISONS[type(node)], node.this, node.args["expression"]
    for first, second, facing in ((left, right, sign), (right, left, _MIRRORED[sign])):
        special = _shape_test(first, second, facing, scope) or _near(first, second, facing, scope)
        if special is not None:
            return special
    return _compared(sign, value(left, scope), value(right, scope), node)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _called(node: exp.Expr, *names: str) -> bool:
    return isinstance(node, exp.Anonymous) and isinstance(node.this, str) and node.this.upper() in names


def _shape_test(call: exp.Expr, other: exp.Expr, sign: str, scope: Scope) -> Value | None:
    """CONTAINS(…) = 1 and its like, as the condition that an index can answer; None for anything else."""
    call, other = _bare(call), _bare(other)
    if not _called(call, *functions.CONDITIONS) or sign not in ("=", "<>"):
        return None
    if not (isinstance(other, exp.Literal) and not other.is_string and other.this in ("0", "1")):
        return None
    arguments = [value(argument, scope) for argument in call.expressions]
    truth = functions.condition(str(call.this), arguments, position(call))
    wanted = (other.this == "1") == (sign == "=")
    return truth if wanted else made(f"NOT ({truth.sql})", Kind.BOOLEAN, truth, atomic=False)


def _near(call: exp.Expr, other: exp.Expr, sign: str, scope: Scope) -> Value | None:
    """DISTANCE(…) < radius, as the condition that an index can answer; None for anything else."""
    call = _bare(call)
    if not _called(call, "DISTANCE") or sign not in ("<", "<="):
        return None
    radius = value(other, scope)
    if not radius.kind.numeric:
        return None
    place = position(call)
    arguments = [value(argument, scope) for argument in call.expressions]
    first, second = geometry.ends(arguments, place)
    return geometry.within(first, second, sign, radius)


def _compared(sign: str, left: Value, right: Value, node: exp.Expr) -> Value:
    """left sign right, when they can be compared."""
    operands = [left, right]
    if {left.kind, right.kind} == {Kind.BOOLEAN, Kind.INT}:
        # Columns of truth values are compared with 1 and 0 by those who think of them as VOTable's bits.
        operands = [_as_integer(operand) for operand in operands]
    kind = common(*operands)
    if kind is None:
        hint = "Write numbers without quotes." if Kind.TEXT in (left.kind, right.kind) else None
        raise WrongType(f"A {left.kind} cannot be compared with a {right.kind}.", position(node), hint)
    if kind.shape or kind is Kind.ARRAY:
        raise WrongType(
            f"{kind}s cannot be compared by {sign}.".capitalize(), position(node), "Use CONTAINS or DISTANCE."
        )
    first, second = operands
    return made(f"{first.inner} {sign} {second.inner}", Kind.BOOLEAN, *operands, name="flag", atomic=False)


def _as_integer(operand: Value) -> Value:
    return made(f"CAST({operand.sql} AS integer)", Kind.INT, operand) if operand.kind is Kind.BOOLEAN else operand


def _connected(node: exp.Expr, scope: Scope) -> Value:
    kind = type(node)
    parts = [condition(part, scope) for _, part in reversed(_spine(node, (kind,)))]
    word = " AND " if kind is exp.And else " OR "
    return made(word.join(part.inner for part in parts), Kind.BOOLEAN, *parts, name="flag", atomic=False)


def _negated(node: exp.Expr, scope: Scope) -> Value:
    inner = condition(node.this, scope)
    return made(f"NOT {inner.inner}", Kind.BOOLEAN, inner, name="flag", atomic=False)


def _grouped(node: exp.Expr, scope: Scope) -> Value:
    return condition(node.this, scope)


def _between(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "low", "high")
    low, high = node.args["low"], node.args["high"]
    parts = [value(part, scope) for part in (node.this, low, high)]
    for part, place in ((parts[1], low), (parts[2], high)):
        _compared("<=", parts[0], part, place)
    sql = f"{parts[0].inner} BETWEEN {parts[1].inner} AND {parts[2].inner}"
    return made(sql, Kind.BOOLEAN, *parts, name="flag", atomic=False)


def _in(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expressions", "query")
    left = value(node.this, scope)
    if node.args.get("query") is not None:
        query = scope.context.subquery(node.args["query"].this, scope)
        if len(query.columns) != 1:
            raise WrongType(f"IN needs a query with one column, not {len(query.columns)}.", position(node))
        _compared("=", left, query.columns[0], node)
        sql = query.sql
        if query.columns[0].kind is Kind.NULL and left.kind is not Kind.NULL:
            sql = f"SELECT CAST(NULL AS {POSTGRES[left.kind]}) FROM ({sql}) AS {scope.context.alias()}"
        result = made(f"{left.inner} IN ({sql})", Kind.BOOLEAN, left, name="flag", atomic=False)
        return replace(result, bare=result.bare | query.outer)
    if not node.expressions:
        raise AdqlSyntaxError("The list after IN is empty.", position(node))
    items = [value(item, scope) for item in node.expressions]
    for item, place in zip(items, node.expressions, strict=True):
        _compared("=", left, item, place)
    listed = ", ".join(item.sql for item in items)
    return made(f"{left.inner} IN ({listed})", Kind.BOOLEAN, left, *items, name="flag", atomic=False)


def _exists(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this")
    query = scope.context.subquery(node.this, scope)
    return replace(made(f"EXISTS ({query.sql})", Kind.BOOLEAN, name="flag"), bare=query.outer)


def _like(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expression", "negate")
    text, pattern = value(node.this, scope), value(node.args["expression"], scope)
    for operand in (text, pattern):
        if operand.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"LIKE compares text, not a {operand.kind}.", position(node), "Use CAST(… AS VARCHAR).")
    word = ("NOT " if node.args.get("negate") else "") + ("ILIKE" if isinstance(node, exp.ILike) else "LIKE")
    # Without ESCAPE nothing escapes in SQL-92; in PostgreSQL the backslash would.
    sql = f"{text.inner} {word} {pattern.inner} ESCAPE ''"
    return made(sql, Kind.BOOLEAN, text, pattern, name="flag", atomic=False)


def _is(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expression")
    if not isinstance(node.args["expression"], exp.Null):
        raise NotAllowed("ADQL has only IS NULL and IS NOT NULL.", position(node))
    operand = value(node.this, scope)
    return made(f"{operand.inner} IS NULL", Kind.BOOLEAN, operand, name="flag", atomic=False)


Make = Callable[[exp.Expr, Scope], Value]

_VALUES: dict[type[exp.Expr], Make] = {
    exp.Add: _arithmetic,
    exp.Anonymous: _function,
    exp.Boolean: _boolean,
    exp.Case: _case,
    exp.Cast: _cast,
    exp.Column: _column,
    exp.Div: _arithmetic,
    exp.DPipe: _concatenation,
    exp.Literal: _literal,
    exp.Mul: _arithmetic,
    exp.Neg: _negative,
    exp.Null: _null,
    exp.Paren: _parenthesis,
    exp.Sub: _arithmetic,
    exp.Subquery: _scalar,
}

_CONDITIONS: dict[type[exp.Expr], Make] = {
    exp.And: _connected,
    exp.Between: _between,
    exp.EQ: _comparison,
    exp.Exists: _exists,
    exp.GT: _comparison,
    exp.GTE: _comparison,
    exp.ILike: _like,
    exp.In: _in,
    exp.Is: _is,
    exp.Like: _like,
    exp.LT: _comparison,
    exp.LTE: _comparison,
    exp.NEQ: _comparison,
    exp.Not: _negated,
    exp.Or: _connected,
    exp.Paren: _grouped,
}
