"""Functions over windows and aggregates with FILTER, as PostgreSQL has them, from tree to SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from almagest.adql import functions
from almagest.adql.analysis import condition, direction, only, value
from almagest.adql.errors import NotAllowed, Position, WrongType
from almagest.adql.expressions import aggregate, aggregate_arguments, function_name
from almagest.adql.functions import check, integer, typed
from almagest.adql.parser import position
from almagest.adql.scope import Builder, Modifiers, Scope
from almagest.adql.values import Kind, Value, like, made


def filtered(node: exp.Expr, scope: Scope) -> Value:
    """aggregate(…) FILTER (WHERE condition)."""
    only(node, "this", "expression")
    if not _is_aggregate(node.this, scope):
        raise NotAllowed("FILTER stands after aggregates only.", position(node))
    grouping, scope.grouping = scope.grouping, None
    truth = _filter(node, scope)
    scope.grouping = grouping
    if truth.aggregate:
        raise NotAllowed("No aggregate stands in FILTER.", position(node.args["expression"]))
    return aggregate(node.this, scope, f" FILTER (WHERE {truth.sql})")


def window(node: exp.Expr, scope: Scope) -> Value:
    """function(…) [FILTER (…)] OVER ([PARTITION BY …] [ORDER BY …] [frame])."""
    only(node, "this", "partition_by", "order", "spec")
    call, truths = node.this, []
    if isinstance(call, exp.Filter):
        only(call, "this", "expression")
        call, truths = call.this, [_filter(call, scope)]
    parts = [value(term, scope) for term in node.args.get("partition_by") or []]
    for part, term in zip(parts, node.args.get("partition_by") or [], strict=True):
        _check_orderable(part, term)
    order, ordered = _order(node, scope)
    partition = f"PARTITION BY {', '.join(part.sql for part in parts)}" if parts else ""
    frame = _frame(node.args["spec"]) if node.args.get("spec") is not None else ""
    over = " ".join(word for word in (partition, order, frame) if word)
    filters = "".join(f" FILTER (WHERE {truth.sql})" for truth in truths)
    result, arguments = _called(call, scope, Modifiers(filter=filters, over=f" OVER ({over})"))
    if any(part.window for part in (*arguments, *parts, *ordered)):
        raise NotAllowed("A window function cannot stand inside another.", position(node), "Use a query in FROM.")
    whole = made("", Kind.NULL, *arguments, *truths, *parts, *ordered)
    return replace(
        result, bare=whole.bare, columns=whole.columns, aggregate=whole.aggregate, window=True, loose=True, literal=None
    )


def _called(call: exp.Expr, scope: Scope, modifiers: Modifiers) -> tuple[Value, list[Value]]:
    """The function with what stands after it, and its arguments."""
    place = position(call)
    if not isinstance(call, exp.Anonymous):
        raise NotAllowed("Only a function stands before OVER.", place)
    name = function_name(call).upper()
    if _is_aggregate(call, scope):
        arguments, distinct = aggregate_arguments(call, scope)
        if distinct:
            raise NotAllowed("DISTINCT cannot be used over a window.", place)
        scope.context.repeated(name, arguments, call)
        return scope.context.dialect.aggregates[name](arguments, place, modifiers), arguments
    builder = FUNCTIONS.get(name)
    if builder is None:
        raise functions.unknown(name, (*FUNCTIONS, *scope.context.dialect.aggregates), place)
    if modifiers.filter:
        raise NotAllowed("FILTER stands after aggregates only.", place)
    arguments = [value(argument, scope) for argument in call.expressions]
    result = builder(arguments, place)
    if result.kind is Kind.NULL:
        raise WrongType(f"{name} gives nothing of NULL.", place)
    return replace(result, sql=f"{result.sql}{modifiers.tail}", atomic=True), arguments


def _is_aggregate(call: exp.Expr, scope: Scope) -> bool:
    return isinstance(call, exp.Anonymous) and function_name(call).upper() in scope.context.dialect.aggregates


def _filter(node: exp.Expr, scope: Scope) -> Value:
    """The condition of FILTER."""
    only(node.args["expression"], "this")
    truth = condition(node.args["expression"].this, scope)
    if truth.window:
        raise NotAllowed("No window function stands in FILTER.", position(node.args["expression"]))
    return truth


def _order(node: exp.Expr, scope: Scope) -> tuple[str, list[Value]]:
    clause = node.args.get("order")
    if clause is None:
        return "", []
    only(clause, "expressions")
    terms, values = [], []
    for term in clause.expressions:
        ordered = value(term.this, scope)
        _check_orderable(ordered, term)
        values.append(ordered)
        terms.append(f"{ordered.sql}{direction(term)}")
    return f"ORDER BY {', '.join(terms)}", values


def _check_orderable(ordered: Value, term: exp.Expr) -> None:
    if ordered.kind.shape or ordered.kind in (Kind.ARRAY, Kind.NULL):
        raise WrongType(f"{ordered.kind.subject} has no order.", position(term))


def _frame(node: exp.Expr) -> str:
    """ROWS or RANGE BETWEEN … AND …, put together by the parser of its words and whole numbers."""
    only(node, "kind", "start", "end")
    return f"{node.args['kind']} BETWEEN {node.args['start']} AND {node.args['end']}"


def _ranking(name: str, kind: Kind) -> Builder:
    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (0,), place)
        return made(f"{name.lower()}()", kind, name=name.lower())

    return build


def _ntile(given: Sequence[Value], place: Position | None) -> Value:
    check("NTILE", given, (1,), place)
    return made(f"ntile({integer('NTILE', given[0], place)})", Kind.INT, *given, name="ntile")


def _neighbour(name: str) -> Builder:
    """LAG and LEAD: the value some rows before or after, NULL where there is none."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (1, 2), place)
        distance = f", {integer(name, given[1], place)}" if len(given) == 2 else ""
        return like(f"{name.lower()}({typed(given[0])}{distance})", given[0], *given)

    return build


def _edge(name: str) -> Builder:
    """FIRST_VALUE and LAST_VALUE of the frame."""

    def build(given: Sequence[Value], place: Position | None) -> Value:
        check(name, given, (1,), place)
        return like(f"{name.lower()}({typed(given[0])})", given[0], *given)

    return build


def _nth(given: Sequence[Value], place: Position | None) -> Value:
    check("NTH_VALUE", given, (2,), place)
    return like(f"nth_value({typed(given[0])}, {integer('NTH_VALUE', given[1], place)})", given[0], *given)


FUNCTIONS: Mapping[str, Builder] = {
    "CUME_DIST": _ranking("CUME_DIST", Kind.DOUBLE),
    "DENSE_RANK": _ranking("DENSE_RANK", Kind.LONG),
    "FIRST_VALUE": _edge("FIRST_VALUE"),
    "LAG": _neighbour("LAG"),
    "LAST_VALUE": _edge("LAST_VALUE"),
    "LEAD": _neighbour("LEAD"),
    "NTH_VALUE": _nth,
    "NTILE": _ntile,
    "PERCENT_RANK": _ranking("PERCENT_RANK", Kind.DOUBLE),
    "RANK": _ranking("RANK", Kind.LONG),
    "ROW_NUMBER": _ranking("ROW_NUMBER", Kind.LONG),
}
"""Functions that exist only before OVER."""
