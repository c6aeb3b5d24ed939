"""FROM: tables, subqueries and joins (ADQL 2.1 §2.2.4), to SQL in which every relation has a name of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from almagest.adql.analysis import condition, only, refused, spine, value
from almagest.adql.clauses import is_query
from almagest.adql.errors import (
    AdqlSyntaxError,
    AmbiguousColumn,
    NotAllowed,
    TooComplex,
    UnknownColumn,
    UnknownTable,
    WrongType,
)
from almagest.adql.parser import position
from almagest.adql.scope import (
    Identifier,
    Relation,
    Scope,
    Subquery,
    by_name,
    identifier,
    one,
    renamed,
    table_columns,
)
from almagest.adql.values import Kind, Value, common, made, quoted
from almagest.catalogue import written

MAX_COLUMNS = 5_000
"""Columns of the tables in one FROM: each further join looks through those before it."""


@dataclass(frozen=True)
class Source:
    """One item of FROM. visible: what * gives, in order; joined: whether it needs parentheses inside another join."""

    sql: str
    relations: tuple[Relation, ...]
    visible: tuple[Value, ...]
    joined: bool = False


def from_(node: exp.Expr, joins: Sequence[exp.Join], scope: Scope) -> str:
    """The SQL after FROM; `scope` gets the relations. Commas separate items whose ONs do not see each other."""
    items = [source(node, scope)]
    for join in joins:
        if _is_comma(join):
            items.append(source(join.this, scope))
        else:
            items[-1] = _joined(items[-1], join, scope)
    relations = [relation for item in items for relation in item.relations]
    _check_width(relations, node)
    _check_names(relations, node)
    scope.show(relations, [value for item in items for value in item.visible])
    return ", ".join(item.sql for item in items)


def source(node: exp.Expr, scope: Scope) -> Source:
    """A table, a subquery, or joins in parentheses."""
    if isinstance(node, exp.Table):
        only(node, "this", "db", "catalog", "alias", "joins")
        found = _table(node, scope)
    elif isinstance(node, exp.Subquery):
        only(node, "this", "alias", "joins")
        found = _derived(node, scope) if is_query(node.this) else _parenthesis(node, scope)
    else:
        raise refused(node)
    for join in node.args.get("joins") or []:
        if _is_comma(join):
            raise AdqlSyntaxError("A comma cannot stand inside a join.", position(join))
        found = _joined(found, join, scope)
    return found


def _is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(part) for part in ("on", "using", "method", "side", "kind")) and not join.meta.get(
        "join"
    )


def _parenthesis(node: exp.Subquery, scope: Scope) -> Source:
    if node.args.get("alias") is not None:
        hint = "Name each table inside the parentheses."
        raise NotAllowed("Tables in parentheses have no common name.", position(node.args["alias"]), hint)
    return source(node.this, scope)


def _alias(node: exp.Expr) -> Identifier | None:
    alias = node.args.get("alias")
    if alias is None:
        return None
    only(alias, "this")
    return identifier(alias.this)


def _table(node: exp.Table, scope: Scope) -> Source:
    if not isinstance(node.this, exp.Identifier):
        raise NotAllowed("FROM takes tables and queries, not functions.", position(node))
    if node.args.get("catalog") is not None:
        raise UnknownTable("Tables are named schema.table here.", position(node))
    context, alias, name = scope.context, _alias(node), identifier(node.this)
    schema = identifier(node.args["db"]) if node.args.get("db") is not None else None
    if schema is None and name.result in context.ctes:
        query = context.ctes[name.result]
        return _relation(query.sql, query.columns, (alias or name).result, node, scope)
    table = context.catalogue.table(
        schema.name if schema else None,
        name.name,
        schema_delimited=bool(schema and schema.delimited),
        name_delimited=name.delimited,
    )
    if table is None:
        asked = f"{schema.name}.{name.name}" if schema else name.name
        similar = context.catalogue.similar(schema.name if schema else None, name.name)
        hint = f"Did you mean {similar}?" if similar else None
        instead = ".".join(map(written, similar.split(".", 1))) if similar else None
        raise UnknownTable(f"There is no table {asked}.", position(node), hint, instead)
    context.tables.add((table.schema, table.name))
    context.widened(len(table.columns), node)
    sql_name = context.alias()
    columns = table_columns(table, sql_name)
    relation = Relation(alias.result if alias else table.name, None if alias else table.schema, columns)
    schema_name, table_name = table.stored or (table.schema, table.name)
    return Source(f"{quoted(schema_name)}.{quoted(table_name)} AS {sql_name}", (relation,), columns)


def _derived(node: exp.Subquery, scope: Scope) -> Source:
    query: Subquery = scope.context.subquery(node.this, scope.parent)
    scope.outer |= query.outer
    alias = _alias(node)
    return _relation(f"({query.sql})", query.columns, alias.result if alias else "", node, scope)


def _relation(sql: str, columns: Sequence[Value], name: str, node: exp.Expr, scope: Scope) -> Source:
    scope.context.widened(len(columns), node)
    alias = scope.context.alias()
    seen = tuple(renamed(column, alias, index) for index, column in enumerate(columns))
    return Source(f"{sql} AS {alias}", (Relation(name, None, seen),), seen)


def _joined(left: Source, join: exp.Join, scope: Scope) -> Source:
    only(join, "this", "on", "using", "method", "side", "kind")
    method, side, kind = (str(join.args.get(part) or "") for part in ("method", "side", "kind"))
    if method not in ("", "NATURAL") or kind not in ("", "INNER", "OUTER", "CROSS") or (kind == "OUTER" and not side):
        raise NotAllowed("ADQL has INNER, LEFT, RIGHT, FULL, CROSS and NATURAL joins.", position(join))
    right = source(join.this, scope)
    relations = (*left.relations, *right.relations)
    _check_width(relations, join)
    _check_names(relations, join)
    scope.context.sized(left.sql, join)
    right_sql = f"({right.sql})" if right.joined else right.sql
    if kind == "CROSS":
        if join.args.get("on") is not None or join.args.get("using") is not None or method or side:
            raise AdqlSyntaxError("CROSS JOIN has no condition.", position(join))
        return Source(f"{left.sql} CROSS JOIN {right_sql}", relations, (*left.visible, *right.visible), joined=True)
    if method and (join.args.get("on") is not None or join.args.get("using") is not None):
        hint = "It compares the columns that both sides have; take NATURAL away, or put the condition into WHERE."
        raise AdqlSyntaxError("A NATURAL JOIN has no ON and no USING.", position(join), hint)
    if method or join.args.get("using"):
        shared = _shared(left, right, join)
        if side == "FULL":
            scope.context.copied(sum(len(first.sql) for first, _ in shared), join)
        matching = " AND ".join(f"{first.sql} = {second.sql}" for first, second in shared) or "TRUE"
        visible = _merged(left, right, shared, side)
    else:
        matching = _on(left, right, join, scope)
        visible = (*left.visible, *right.visible)
    return Source(f"{left.sql} {side or 'INNER'} JOIN {right_sql} ON {matching}", relations, visible, joined=True)


def _on(left: Source, right: Source, join: exp.Join, scope: Scope) -> str:
    node = join.args.get("on")
    if node is None:
        raise AdqlSyntaxError("This JOIN has no ON and no USING.", position(join), "Write ON condition after it.")
    inside = Scope(scope.context, scope.parent)
    inside.show((*left.relations, *right.relations), (*left.visible, *right.visible))
    truth = condition(node, inside)
    scope.outer |= inside.outer
    if truth.aggregate:
        raise NotAllowed("An aggregate cannot stand in ON.", position(node))
    if truth.window:
        raise NotAllowed("A window function cannot stand in ON.", position(node))
    if join.args.get("side") == "FULL" and not any(_pairs(part, left, right, inside) for part in _conjuncts(node)):
        hint = "Add left.column = right.column, or use LEFT JOIN."
        raise NotAllowed("A FULL JOIN needs columns of both sides that are equal.", position(node), hint)
    return truth.searched


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a condition that must all be true."""
    while isinstance(node, exp.Paren):
        node = node.this
    return [part for _, part in spine(node, (exp.And,))]


def _pairs(node: exp.Expr, left: Source, right: Source, scope: Scope) -> bool:
    """Whether a condition finds, by an equality, the rows of one side for those of the other: PostgreSQL can do no
    FULL JOIN without."""
    if not isinstance(node, exp.EQ) or node.find(exp.Query) is not None:
        return False  # Queries in it would be translated again, and those in them again and again.
    sides = [{column.sql for relation in one.relations for column in relation.columns} for one in (left, right)]
    first, second = (value(part, scope).bare for part in (node.this, node.args["expression"]))
    if not first or not second:
        return False
    return (first <= sides[0] and second <= sides[1]) or (first <= sides[1] and second <= sides[0])


def _shared(left: Source, right: Source, join: exp.Join) -> list[tuple[Value, Value]]:
    """The pairs of columns that USING names or NATURAL finds."""
    lefts, rights = by_name(left.visible), by_name(right.visible)
    if join.args.get("using"):
        names = [(identifier(name), name) for name in join.args["using"]]
    else:
        names = [(Identifier(name, delimited=False), join) for name in lefts if name in rights]
    pairs = []
    for name, node in names:
        first = one(lefts.get(name.name.lower(), []), name, node)
        second = one(rights.get(name.name.lower(), []), name, node)
        if first is None or second is None:
            raise UnknownColumn(f"Both sides of the join must have a column {name.name}.", position(node))
        kind = common(first, second)
        if kind is None or kind.shape or kind is Kind.ARRAY:
            raise WrongType(f"The two columns {name.name} cannot be compared.", position(node))
        pairs.append((first, second))
    return pairs


def _merged(left: Source, right: Source, shared: Sequence[tuple[Value, Value]], side: str) -> tuple[Value, ...]:
    """Shared columns once and first, with the value of the side that is always there (SQL-92 §7.5)."""
    first: list[Value] = []
    for one_side, other in shared:
        if side == "FULL":
            kind = common(one_side, other) or one_side.kind
            sql = f"coalesce({one_side.sql}, {other.sql})"
            first.append(replace(made(sql, kind, one_side, other), column=one_side.column.unbounded))
        else:
            first.append(other if side == "RIGHT" else one_side)
    gone = {value.sql for pair in shared for value in pair}
    rest = [value for value in (*left.visible, *right.visible) if value.sql not in gone]
    return (*first, *rest)


def _check_width(relations: Sequence[Relation], node: exp.Expr) -> None:
    if sum(len(relation.columns) for relation in relations) > MAX_COLUMNS:
        raise TooComplex(f"The tables of one FROM have more than {MAX_COLUMNS:,} columns.", position(node))


def _check_names(relations: Sequence[Relation], node: exp.Expr) -> None:
    seen: set[tuple[str | None, str]] = set()
    for relation in relations:
        key = (relation.schema, relation.name)
        if relation.name and key in seen:
            hint = f"Give one of them another name: … AS {relation.name[:40]}2."
            raise AmbiguousColumn(f"Two tables of the query are called {relation.name}.", position(node), hint)
        seen.add(key)
