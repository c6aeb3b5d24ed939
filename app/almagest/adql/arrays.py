"""Arrays as PostgreSQL writes them: ARRAY[…] and elements by number, from tree to SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from almagest.adql.analysis import only, value
from almagest.adql.errors import Position, WrongType
from almagest.adql.functions import integer
from almagest.adql.parser import position
from almagest.adql.scope import Scope
from almagest.adql.values import POSTGRES, Kind, Value, common, element_kind, made

MAX_ELEMENTS = 1_000


def array(node: exp.Expr, scope: Scope) -> Value:
    """ARRAY[…] of numbers or truth values of one kind."""
    only(node, "expressions", "bracket_notation")
    items = [value(item, scope) for item in node.expressions]
    kind = common(*items) if items else None
    if kind is Kind.NUMERIC:
        kind = Kind.DOUBLE
    if kind is None or not (kind.numeric or kind is Kind.BOOLEAN):
        raise WrongType("An array holds numbers or truth values of one kind.", position(node))
    if len(items) > MAX_ELEMENTS:
        raise WrongType(f"An array has at most {MAX_ELEMENTS:,} elements here.", position(node))
    sql = f"CAST(ARRAY[{', '.join(item.sql for item in items)}] AS {POSTGRES[kind]}[])"
    units = {item.column.unit for item in items if item.literal is None}
    unit = units.pop() if len(units) == 1 else None
    return made(sql, kind, *items, name="array", unit=unit).listed(len(items))


def element(node: exp.Expr, scope: Scope) -> Value:
    """array[number], from 1; NULL beyond the ends."""
    only(node, "this", "expressions")
    whole = value(node.this, scope)
    if whole.kind is not Kind.ARRAY:
        raise WrongType(f"{whole.kind.subject} has no elements.", position(node))
    if len(node.expressions) != 1:
        raise WrongType("An element has one number.", position(node))
    index = value(node.expressions[0], scope)
    kind = element_kind(whole.column)
    result = made(
        f"({whole.sql})[{integer('An element of an array', index, position(node))}]",
        kind,
        whole,
        index,
        name=whole.column.name,
    )
    return replace(result.described_as(whole), column=replace(result.column, unit=whole.column.unit))


def length(given: Sequence[Value], place: Position | None) -> Value:
    """CARDINALITY(array): how many elements it has."""
    if len(given) != 1 or given[0].kind is not Kind.ARRAY:
        raise WrongType("CARDINALITY takes an array.", place)
    return made(f"cardinality({given[0].sql})", Kind.INT, *given, name="cardinality", ucd="meta.number")
