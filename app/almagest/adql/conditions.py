"""ADQL 2.1 §2.2: conditions, from tree to SQL; those about places take the form that an index answers."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from almagest.adql import geometry
from almagest.adql.analysis import condition, only, spine, value
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, WrongType
from almagest.adql.parser import position
from almagest.adql.scope import Make, Scope
from almagest.adql.values import POSTGRES, Kind, Value, common, made

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
    return compared(sign, value(left, scope), value(right, scope), node)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _called(node: exp.Expr, *names: str) -> bool:
    return isinstance(node, exp.Anonymous) and isinstance(node.this, str) and node.this.upper() in names


def _shape_test(call: exp.Expr, other: exp.Expr, sign: str, scope: Scope) -> Value | None:
    """CONTAINS(…) = 1 and its like, as the condition that an index can answer; None for anything else."""
    call, other = _bare(call), _bare(other)
    truths = scope.context.dialect.truths
    if not _called(call, *truths) or sign not in ("=", "<>"):
        return None
    if not (isinstance(other, exp.Literal) and not other.is_string and other.this in ("0", "1")):
        return None
    arguments = [value(argument, scope) for argument in call.expressions]
    scope.context.repeated(str(call.this).upper(), arguments, call)
    truth = truths[str(call.this).upper()](arguments, position(call))
    wanted = (other.this == "1") == (sign == "=")
    return truth if wanted else made(f"NOT ({truth.sql})", Kind.BOOLEAN, truth, atomic=False)


def _near(call: exp.Expr, other: exp.Expr, sign: str, scope: Scope) -> Value | None:
    """DISTANCE(…) < radius, as the condition that an index can answer; None for anything else."""
    call = _bare(call)
    if not _called(call, "DISTANCE") or sign not in ("<", "<="):
        return None
    radius = value(other, scope)
    place = position(call)
    arguments = [value(argument, scope) for argument in call.expressions]
    if not radius.kind.numeric:
        return compared(sign, geometry.distance(arguments, place), radius, call)
    scope.context.repeated("DISTANCE", [*arguments, radius], call)
    first, second = geometry.ends(arguments, place)
    return geometry.within(first, second, sign, radius)


def compared(sign: str, left: Value, right: Value, node: exp.Expr) -> Value:
    """left sign right, when they can be compared."""
    operands = [left, right]
    if {left.kind, right.kind} == {Kind.BOOLEAN, Kind.INT}:
        # Columns of truth values are compared with 1 and 0 by those who think of them as VOTable's bits.
        operands = [_as_integer(operand) for operand in operands]
    kind = common(*operands)
    if kind is None:
        hint = "Write numbers without quotes." if Kind.TEXT in (left.kind, right.kind) else None
        raise WrongType(f"{left.kind.subject} cannot be compared with {right.kind.one}.", position(node), hint)
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
    parts = [condition(part, scope) for _, part in reversed(spine(node, (kind,)))]
    word = " AND " if kind is exp.And else " OR "
    truth = made(word.join(part.inner for part in parts), Kind.BOOLEAN, *parts, name="flag", atomic=False)
    if not any(part.search for part in parts):
        return truth
    searched = (f"({part.search})" if part.search else part.inner for part in parts)
    return replace(truth, search=word.join(searched))


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
        compared("<=", parts[0], part, place)
    sql = f"{parts[0].inner} BETWEEN {parts[1].inner} AND {parts[2].inner}"
    return made(sql, Kind.BOOLEAN, *parts, name="flag", atomic=False)


def _in(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expressions", "query")
    left = value(node.this, scope)
    if node.args.get("query") is not None:
        query = scope.context.subquery(node.args["query"].this, scope)
        if len(query.columns) != 1:
            raise WrongType(f"IN needs a query with one column, not {len(query.columns)}.", position(node))
        compared("=", left, query.columns[0], node)
        sql = query.sql
        if query.columns[0].kind is Kind.NULL and left.kind is not Kind.NULL:
            sql = f"SELECT CAST(NULL AS {POSTGRES[left.kind]}) FROM ({sql}) AS {scope.context.alias()}"
        result = made(f"{left.inner} IN ({sql})", Kind.BOOLEAN, left, name="flag", atomic=False)
        return replace(result, bare=result.bare | query.outer, columns=result.columns | query.outer)
    if not node.expressions:
        raise AdqlSyntaxError("The list after IN is empty.", position(node))
    items = [value(item, scope) for item in node.expressions]
    seen: set[tuple[Kind, bool]] = set()
    for item, place in zip(items, node.expressions, strict=True):
        sort = (item.kind, item.literal is not None)
        if sort not in seen:
            compared("=", left, item, place)
            seen.add(sort)
    listed = ", ".join(item.sql for item in items)
    return made(f"{left.inner} IN ({listed})", Kind.BOOLEAN, left, *items, name="flag", atomic=False)


def _exists(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this")
    query = scope.context.subquery(node.this, scope)
    return replace(made(f"EXISTS ({query.sql})", Kind.BOOLEAN, name="flag"), bare=query.outer, columns=query.outer)


def _like(node: exp.Expr, scope: Scope) -> Value:
    only(node, "this", "expression", "negate")
    text, pattern = value(node.this, scope), value(node.args["expression"], scope)
    for operand in (text, pattern):
        if operand.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"LIKE compares text, not {operand.kind.one}.", position(node), "Use CAST(… AS VARCHAR).")
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


CONDITIONS: dict[type[exp.Expr], Make] = {
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
