"""Where every part of a query goes on its way to SQL: to the builder that the dialect has for it, or nowhere.

A dialect's tables hold every kind of node that may stand where a value or a condition is wanted: that is the
allow-list. What is not there is refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from sqlglot import exp

from almagest.adql.errors import NotAllowed, WrongType
from almagest.adql.parser import position
from almagest.adql.scope import Scope
from almagest.adql.values import Kind, Value


def value(node: exp.Expr, scope: Scope) -> Value:
    """The value of an expression. Raises AdqlError."""
    dialect = scope.context.dialect
    make = dialect.values.get(type(node))
    if make is None:
        make = dialect.conditions.get(type(node))
        if make is None:
            raise refused(node)
        if not dialect.conditions_are_values:
            hint = "Write CASE WHEN condition THEN 1 ELSE 0 END."
            raise WrongType("A condition stands where a value is wanted.", position(node), hint)
    result = make(node, scope)
    scope.context.sized(result.sql, node)
    if scope.grouping is not None and result.bare and result.sql in scope.grouping:
        return replace(result, bare=frozenset())
    return result


def condition(node: exp.Expr, scope: Scope) -> Value:
    """The truth of a condition. Raises AdqlError."""
    make = scope.context.dialect.conditions.get(type(node))
    if make is not None:
        result = make(node, scope)
        scope.context.sized(result.sql, node)
        return result
    result = value(node, scope)
    if result.kind is not Kind.BOOLEAN:
        raise WrongType(f"A condition is wanted here, not a {result.kind}.", position(node), "Compare it, as in x = 1.")
    return result


def refused(node: exp.Expr) -> NotAllowed:
    """The error for a node that no dialect has here."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in type(node).__name__).strip()
    return NotAllowed(f"There is no such thing here ({words}).", position(node))


def only(node: exp.Expr, *arguments: str) -> None:
    """Refuse a node that carries more than the named arguments: nothing that was written may be left out."""
    for name, argument in node.args.items():
        if name not in arguments and argument not in (None, False, []):
            part = argument if isinstance(argument, exp.Expr) else node
            raise NotAllowed(f"There is no {name.strip('_').replace('_', ' ')} here.", position(part))


def spine(node: exp.Expr, kinds: tuple[type[exp.Expr], ...]) -> list[tuple[exp.Expr, exp.Expr]]:
    """a + b - c as [(a + b - c, c), (a + b, b), (a, a)]: long sums must not become deep recursion."""
    parts = []
    while isinstance(node, kinds):
        parts.append((node, cast("exp.Expr", node.args["expression"])))
        node = node.this
    return [*parts, (node, node)]


def direction(term: exp.Expr) -> str:
    """SQL after a term of ORDER BY."""
    only(term, "this", "desc", "nulls_first", "nulls_last")
    nulls = " NULLS FIRST" if term.args.get("nulls_first") else " NULLS LAST" if term.args.get("nulls_last") else ""
    return (" DESC" if term.args.get("desc") else "") + nulls
