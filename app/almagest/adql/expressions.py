"""ADQL 2.1 §2.2: expressions, from tree to typed SQL.

SQL is put together from the catalogue's names, our own, and literals written anew.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sqlglot import exp

from almagest.adql import conditions, functions, geometry, literals, regions, units
from almagest.adql.analysis import condition, only, spine, value
from almagest.adql.errors import NotAllowed, TooComplex, WrongType
from almagest.adql.parser import Plus, position
from almagest.adql.scope import Make, Modifiers, Scope
from almagest.adql.values import POSTGRES, Kind, Value, common, like, made

MAX_JOINED = 1_000
"""Texts that || joins into one, with those of queries further in: twenty that double each would make a terabyte."""


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


def _positive(node: exp.Expr, scope: Scope) -> Value:
    inner = value(node.this, scope)
    if not inner.kind.numeric and inner.kind is not Kind.NULL:
        raise WrongType(f"No + stands before {inner.kind.one}.", position(node))
    return inner


def _negative(node: exp.Expr, scope: Scope) -> Value:
    inner = value(node.this, scope)
    if not inner.kind.numeric and inner.kind is not Kind.NULL:
        raise WrongType(f"{inner.kind.subject} has no negative.", position(node))
    if inner.literal is not None and not inner.literal.startswith("-"):
        return replace(inner, sql=f"-{inner.inner}", literal=f"-{inner.literal}", atomic=False)
    return replace(made(f"- {_term(inner)}", inner.kind, inner, atomic=False), column=inner.column.unbounded)


_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.DPipe: "||"}


def _arithmetic(node: exp.Expr, scope: Scope) -> Value:
    kinds: tuple[type[exp.Expr], ...] = (
        (exp.Add, exp.Sub) if isinstance(node, exp.Add | exp.Sub) else (exp.Mul, exp.Div)
    )
    parts = spine(node, kinds)
    first = value(parts.pop()[1], scope)
    parts.reverse()
    values, sql, kind = [first], [_term(first)], _operand(first, node)
    unit = first.column.unit
    for operation, right in parts:
        operand = value(right, scope)
        kind = _promoted(kind, _operand(operand, right))
        sql.append(f" {_SIGNS[type(operation)]} {_term(operand)}")
        unit = _combined(unit, operand.column.unit, operation)
        values.append(operand)
    result = made("".join(sql), kind, *values, name="value", atomic=False, unit=unit)
    return replace(result, literal=_folded(parts, values))


def _combined(first: str | None, second: str | None, operation: exp.Expr) -> str | None:
    """The unit of an operation, where it is sure: what has none may be in any."""
    if isinstance(operation, exp.Add | exp.Sub):
        return first if first == second else None
    return units.composed(first, second, _SIGNS[type(operation)])


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
        raise WrongType(f"One cannot calculate with {operand.kind.one}.", position(node), hint)
    return operand.kind


def _promoted(first: Kind, second: Kind) -> Kind:
    """What PostgreSQL makes of first + second."""
    if first is second:
        return first
    if Kind.FLOAT in (first, second):
        return Kind.DOUBLE
    return max(first, second, key=lambda kind: int(kind.value))


def _concatenation(node: exp.Expr, scope: Scope) -> Value:
    parts = spine(node, (exp.DPipe,))
    values = [value(part, scope) for _, part in reversed(parts)]
    for operand, (_, part) in zip(values, reversed(parts), strict=True):
        if operand.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"|| joins strings, not {operand.kind.one}.", position(part), "Use CAST(… AS VARCHAR).")
    sql = " || ".join(operand.inner if operand.kind is Kind.TEXT else "CAST(NULL AS text)" for operand in values)
    joined = sum(operand.joined for operand in values)
    if joined > MAX_JOINED:
        raise TooComplex(f"More than {MAX_JOINED:,} texts are joined into one here.", position(node))
    unicode = any(operand.unicode for operand in values)
    result = made(sql, Kind.TEXT, *values, name="text", atomic=False, unicode=unicode)
    return replace(result, joined=joined)


def _function(node: exp.Expr, scope: Scope) -> Value:
    name, dialect = function_name(node), scope.context.dialect
    if name.upper() in dialect.aggregates:
        return aggregate(node, scope)
    builder = dialect.functions.get(name.upper())
    if builder is None:
        raise functions.unknown(name, (*dialect.functions, *dialect.aggregates, "CAST"), position(node))
    arguments = [value(argument, scope) for argument in node.expressions]
    scope.context.repeated(name.upper(), arguments, node)
    return builder(arguments, position(node))


def function_name(node: exp.Expr) -> str:
    """The name of a call, as written."""
    if not isinstance(node.this, str):
        raise NotAllowed("Functions have no quoted names in ADQL.", position(node))
    return node.this


def aggregate(node: exp.Expr, scope: Scope, filter_sql: str = "") -> Value:
    """COUNT(…) and its like. filter_sql: FILTER after the arguments."""
    name, place = function_name(node).upper(), position(node)
    grouping, scope.grouping = scope.grouping, None
    given, distinct = aggregate_arguments(node, scope)
    scope.grouping = grouping
    if any(argument.aggregate for argument in given):
        raise NotAllowed("An aggregate cannot stand inside another.", place)
    if any(argument.window for argument in given):
        raise NotAllowed("A window function cannot stand inside an aggregate.", place)
    scope.context.repeated(name, given, node)
    made_of = scope.context.dialect.aggregates[name](given, place, Modifiers(distinct, filter_sql))
    return replace(made_of, aggregate=True, loose=not any(argument.columns for argument in given))


def aggregate_arguments(node: exp.Expr, scope: Scope) -> tuple[list[Value], bool]:
    """The arguments of an aggregate, none for *, and whether only different ones count."""
    name, terms = function_name(node).upper(), node.expressions
    if len(terms) == 1 and isinstance(terms[0], exp.Star):
        if name != "COUNT":
            raise WrongType(f"{name} needs a column, not *.", position(node))
        return [], False
    quantified = len(terms) == 1 and isinstance(terms[0], exp.Distinct)
    distinct = quantified and not terms[0].meta["all"]
    if quantified:
        only(terms[0], "expressions")
        terms = terms[0].expressions
    if not terms:
        raise WrongType(f"{name} takes an argument.", position(node))
    return [value(term, scope) for term in terms], distinct


TYPES = {
    "SMALLINT": Kind.SHORT,
    "INTEGER": Kind.INT,
    "INT": Kind.INT,
    "BIGINT": Kind.LONG,
    "REAL": Kind.FLOAT,
    "DOUBLE PRECISION": Kind.DOUBLE,
    "CHAR": Kind.TEXT,
    "VARCHAR": Kind.TEXT,
    "TIMESTAMP": Kind.TIMESTAMP,
    "POINT": Kind.POINT,
    "CIRCLE": Kind.CIRCLE,
    "POLYGON": Kind.POLYGON,
}
"""The types that CAST gives (ADQL 2.1 §4.6)."""


def _cast(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "to")
    types = scope.context.dialect.types
    given, kind = value(node.this, scope), types.get(str(node.args["to"].this))
    if kind is None:
        hint = f"There are {', '.join(sorted(types))}."
        raise NotAllowed(f"There is no type {node.args['to'].this}.", position(node.args["to"]), hint)
    if kind.shape:
        return given if given.kind is kind else regions.cast(given, kind, position(node))
    possible = given.kind in (Kind.TEXT, Kind.NULL) or kind is Kind.TEXT or (given.kind.numeric and kind.numeric)
    possible = possible or given.kind is kind or (given.kind is Kind.BOOLEAN and kind is Kind.INT)
    if not possible or given.kind.shape or given.kind is Kind.ARRAY:
        raise WrongType(f"{given.kind.subject} cannot be cast to {node.args['to'].this}.", position(node))
    name, length = POSTGRES[kind], node.args["to"].args.get("length")
    if length is not None and kind is not Kind.TEXT:
        raise WrongType(f"{node.args['to'].this} has no length.", position(node.args["to"]))
    if length is not None:
        if not length.isdigit() or not 0 < int(length) <= 10_485_760:
            raise WrongType(f"{length} is no length of a string.", position(node.args["to"]))
        # PostgreSQL's char(n) pads with blanks that its own operators ignore; a varchar of n keeps what was meant.
        name = f"varchar({int(length)})"
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
    if operand is not None:
        scope.context.copied(len(operand.sql) * (len(node.args["ifs"]) - 1), node)
    for branch in node.args["ifs"]:
        if operand is not None:
            other = value(branch.this, scope)
            test = conditions.compared("=", operand, other, branch.this)
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
    return replace(
        result,
        bare=merged.bare,
        aggregate=merged.aggregate,
        window=merged.window,
        columns=merged.columns,
        loose=merged.loose,
    )


def _scalar(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this")
    query = scope.context.subquery(node.this, scope)
    if len(query.columns) != 1:
        message = f"A query used as a value gives one column, not {len(query.columns)}."
        raise WrongType(message, position(node))
    inner = query.columns[0]
    if inner.kind is Kind.NULL:
        return _null()
    return replace(like(f"({query.sql})", inner), bare=query.outer, columns=query.outer)


VALUES: dict[type[exp.Expr], Make] = {
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
    Plus: _positive,
    exp.Sub: _arithmetic,
    exp.Subquery: _scalar,
}
