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
    if result.astray:
        hint = "Calculate that in a query in FROM."
        what = "A count, a random number or a window function"
        raise NotAllowed(f"{what} cannot stand inside this shape or angle.", position(node), hint)
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
        raise WrongType(
            f"A condition is wanted here, not {result.kind.one}.", position(node), "Compare it, as in x = 1."
        )
    return result


_MISPLACED: dict[type[exp.Expr], tuple[str, str | None]] = {
    exp.Alias: ("A name is given here that nothing can use.", "Give names to the columns of SELECT and to tables."),
    exp.Distinct: ("DISTINCT and ALL stand in aggregates and after SELECT alone.", None),
    exp.Dot: ("This name has too many parts.", "Columns are named schema.table.column here."),
    exp.Select: ("A query that is used as a value stands in parentheses.", None),
    exp.Star: ("* stands right after SELECT, and in COUNT(*).", "Write x * y to multiply."),
    exp.Tuple: ("Values in parentheses cannot stand here together.", "Compare them one by one, joined by AND."),
}
"""What is said of parts that have no meaning where they stand, and what to do."""

_PARTS = {
    "alias": "A name",
    "columns": "A list of columns",
    "from_": "FROM",
    "group": "GROUP BY",
    "joins": "A join",
    "kind": "INNER, OUTER or CROSS",
    "order": "ORDER BY",
    "side": "LEFT, RIGHT or FULL",
    "with_": "WITH",
}


def refused(node: exp.Expr) -> NotAllowed:
    """The error for a node that no dialect has here."""
    message, hint = _MISPLACED.get(type(node), ("This cannot stand here.", None))
    return NotAllowed(message, position(node), hint)


def only(node: exp.Expr, *arguments: str) -> None:
    """Refuse a node that carries more than the named arguments: nothing that was written may be left out."""
    for name, argument in node.args.items():
        if name not in arguments and argument not in (None, False, []):
            part = argument if isinstance(argument, exp.Expr) else node
            raise NotAllowed(f"{_PARTS.get(name, name.upper())} cannot stand here.", position(part))


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
