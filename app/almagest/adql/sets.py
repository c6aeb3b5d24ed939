"""UNION, EXCEPT and INTERSECT (ADQL 2.1 §2.2.8), from tree to SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from almagest.adql.analysis import only, refused
from almagest.adql.errors import WrongType
from almagest.adql.parser import position
from almagest.adql.scope import Context, Scope, Subquery
from almagest.adql.values import Kind, Value, common, made, postgres_type, size_of

_OPERATIONS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}

_WHOLE = ("order", "limit", "offset", "with_")
"""What belongs to an operation as a whole."""


def set_operation(
    node: exp.SetOperation | exp.Subquery, context: Context, parent: Scope | None
) -> tuple[str, tuple[Value, ...], frozenset[str]]:
    """Branches in parentheses, so that TOP and ORDER BY of each stay its own; the common columns; the outer names.

    A query in parentheses that clauses follow is a branch alone.
    """
    if isinstance(node, exp.Subquery):
        only(node, "this", *_WHOLE)
        branch = context.subquery(node.this, parent)
        return branch.sql, branch.columns, branch.outer
    operations: list[exp.SetOperation] = []
    tree: exp.Expr = node
    while isinstance(tree, exp.SetOperation):
        operations.append(tree)
        tree = tree.this
    operations.reverse()
    branches = [context.subquery(_query(tree), parent)]
    columns = branches[0].columns
    for operation in operations:
        whole = _WHOLE if operation is node else ()
        only(operation, "this", "expression", "distinct", *whole)
        branches.append(context.subquery(_query(operation.args["expression"]), parent))
        columns = _common_columns(columns, branches[-1].columns, operation)
        if operation.args.get("distinct"):
            check_distinct(columns, operation)
    sql = f"({_typed(branches[0], columns, context)})"
    for operation, branch in zip(operations, branches[1:], strict=True):
        word = _OPERATIONS[type(operation)] + ("" if operation.args.get("distinct") else " ALL")
        if isinstance(operation, exp.Intersect) and isinstance(operation.this, exp.Union | exp.Except):
            sql = f"({sql})"
        sql = f"{sql} {word} ({_typed(branch, columns, context)})"
    return sql, columns, frozenset[str]().union(*(branch.outer for branch in branches))


def _typed(branch: Subquery, columns: Sequence[Value], context: Context) -> str:
    """SQL of a branch whose columns of NULLs have the types of the other branches: PostgreSQL compares but two."""
    missing = [
        postgres_type(column) if own.kind is Kind.NULL else None
        for own, column in zip(branch.columns, columns, strict=True)
    ]
    if not any(missing):
        return branch.sql
    items = ", ".join(
        f"CAST(c{index} AS {wanted}) AS c{index}" if wanted else f"c{index}" for index, wanted in enumerate(missing, 1)
    )
    return f"SELECT {items} FROM ({branch.sql}) AS {context.alias()}"


def _query(node: exp.Expr) -> exp.Query:
    if not isinstance(node, exp.Query):
        raise refused(node)
    return node


def _common_columns(first: tuple[Value, ...], second: tuple[Value, ...], node: exp.Expr) -> tuple[Value, ...]:
    if len(first) != len(second):
        message = f"One side of this operation has {len(first)} columns, the other {len(second)}."
        raise WrongType(message, position(node.args["expression"]))
    columns = []
    for left, right in zip(first, second, strict=True):
        kind = common(left, right)
        if kind is None:
            message = f"The column {left.column.name} is {left.kind.one} on one side and {right.kind.one} on the other."
            raise WrongType(message, position(node.args["expression"]), "Use CAST to make them alike.")
        column = left.column
        unicode = left.unicode or right.unicode
        if kind is Kind.ARRAY and left.kind is Kind.NULL:
            column = replace(right.column, name=column.name)
        elif kind is not left.kind or (kind is Kind.TEXT and unicode != left.unicode):
            column = replace(made("", kind, unicode=unicode).column, name=column.name, description=column.description)
        elif kind in (Kind.TEXT, Kind.ARRAY) and Kind.NULL not in (left.kind, right.kind):
            column = replace(column, arraysize=size_of(left.column, right.column))
        unit = left.column.unit if left.column.unit == right.column.unit else None
        joined = max(left.joined, right.joined)
        columns.append(replace(left, kind=kind, column=replace(column.unbounded, unit=unit), joined=joined))
    return tuple(columns)


def check_distinct(columns: Sequence[Value], node: exp.Expr) -> None:
    """Refuse columns whose equal values PostgreSQL cannot tell."""
    for column in columns:
        if column.kind in (Kind.CIRCLE, Kind.POLYGON):
            message = f"Equal {column.kind}s cannot be told; {column.column.name} is one."
            raise WrongType(message, position(node), "Leave the column out.")
