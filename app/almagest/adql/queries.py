"""SELECT with its clauses (ADQL 2.1 §2.2), from tree to SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from almagest.adql import grouping, sources
from almagest.adql.analysis import condition, direction, only, refused, value
from almagest.adql.clauses import is_wrapper
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, TooComplex, WrongType
from almagest.adql.geometry import degrees_array
from almagest.adql.parser import position
from almagest.adql.scope import Context, Identifier, Scope, Subquery, identifier, renamed
from almagest.adql.sets import check_distinct, set_operation
from almagest.adql.values import Kind, Value, quoted

MAX_NAME = 63
"""Bytes of a name in PostgreSQL."""
MAX_COLUMNS = 1_600
"""Columns of a query, a little less than PostgreSQL's own limit."""
_MOST_ROWS = 2**63 - 1


@dataclass(frozen=True)
class Final:
    """The whole query: SQL whose columns have the names and types that go out; see `Translation`."""

    sql: str
    columns: tuple[Value, ...]
    top: int | None
    limit: int | None


@dataclass(frozen=True)
class _Clauses:
    """A SELECT taken apart: its columns under their names, and the SQL of the rest."""

    columns: tuple[Value, ...]
    distinct: bool
    tail: str
    order: str
    top: int | None
    offset: int | None


def final(node: exp.Query, context: Context, maxrec: int | None) -> Final:
    """The outermost query, with at most maxrec + 1 rows."""
    prefix, _ = _with(node, context)
    if isinstance(node, exp.SetOperation | exp.Subquery):
        sql, columns, top, limit = _final_set(node, context, maxrec)
    else:
        sql, columns, top, limit = _final_select(node, context, maxrec)
    return Final(context.sized(prefix + sql, node), columns, top, limit)


def _final_select(
    node: exp.Query, context: Context, maxrec: int | None
) -> tuple[str, tuple[Value, ...], int | None, int | None]:
    scope = Scope(context, None)
    clauses = _clauses(node, scope, outermost=True)
    limit = _limit(clauses.top, maxrec)
    if any(_must_come_first(column, scope) for column in clauses.columns):
        return _through_a_query(clauses, node, context, limit), clauses.columns, clauses.top, limit
    return _assembled(clauses, _going_out(clauses.columns), limit), clauses.columns, clauses.top, limit


def _must_come_first(column: Value, scope: Scope) -> bool:
    """Whether a shape must be ready before `geometry.degrees_array` puts it into a query of its own."""
    ungrouped = scope.grouping is not None and column.columns - scope.grouping
    return column.kind.shape and (column.loose or bool(ungrouped))


def _through_a_query(clauses: _Clauses, node: exp.Query, context: Context, limit: int | None) -> str:
    """The SELECT inside another that gives its columns the form in which they go out, in the order that they come."""
    if clauses.distinct:
        check_distinct(clauses.columns, node)
    inner = _assembled(clauses, _numbered(clauses.columns), limit)
    alias = context.alias()
    seen = (renamed(column, alias, index) for index, column in enumerate(clauses.columns))
    return f"SELECT {_going_out(seen)} FROM ({inner}) AS {alias}"


def _numbered(columns: Iterable[Value]) -> str:
    return ", ".join(f"{column.sql} AS c{index}" for index, column in enumerate(columns, 1))


def _going_out(columns: Iterable[Value]) -> str:
    return ", ".join(f"{_outgoing(column)} AS {quoted(column.column.name)}" for column in columns)


def _final_set(
    node: exp.SetOperation | exp.Subquery, context: Context, maxrec: int | None
) -> tuple[str, tuple[Value, ...], int | None, int | None]:
    inner, columns, _ = set_operation(node, context, None)
    alias = context.alias()
    seen = tuple(renamed(column, alias, index) for index, column in enumerate(columns))
    order = _order(node, seen, Scope(context, None), distinct=True)
    own = _top(node)
    limit = _limit(own, maxrec)
    tail = _rows(limit, _rows_of(node, "offset"))
    return f"SELECT {_going_out(seen)} FROM ({inner}) AS {alias}{order}{tail}", seen, own, limit


def subquery(node: exp.Query, context: Context, parent: Scope | None) -> Subquery:
    """A query inside another; its columns are called c1 … cn."""
    while isinstance(node, exp.Subquery) and is_wrapper(node):
        node = node.this
    if node.args.get("with_") is None:
        return _plain_subquery(node, context, parent)
    if not context.dialect.inner_with:
        raise NotAllowed("WITH stands only before the whole query.", position(node))
    prefix, outside = _with(node, context)
    inner = _plain_subquery(node, context, parent)
    context.ctes = outside
    return replace(inner, sql=prefix + inner.sql)


def _plain_subquery(node: exp.Query, context: Context, parent: Scope | None) -> Subquery:
    scope = Scope(context, parent)
    if isinstance(node, exp.SetOperation | exp.Subquery):
        sql, columns, outer = set_operation(node, context, parent)
        if isinstance(node, exp.Subquery):
            # PostgreSQL would take the clauses behind the parentheses for the SELECT's own.
            sql = f"SELECT * FROM ({sql}) AS {context.alias()}"
        order = _order(node, columns, scope, distinct=True)
        tail = _rows(_top(node), _rows_of(node, "offset"))
        return Subquery(f"{sql}{order}{tail}", columns, outer)
    clauses = _clauses(node, scope, outermost=False)
    sql = _assembled(clauses, _numbered(clauses.columns), clauses.top)
    return Subquery(context.sized(sql, node), clauses.columns, frozenset(scope.outer))


def _with(node: exp.Query, context: Context) -> tuple[str, dict[str, Subquery]]:
    """SQL of the WITH before a query, and what WITH has named outside of it.

    Each part may use those before it (ADQL 2.1 §2.2.7), none itself.
    """
    outside = context.ctes
    clause = node.args.get("with_")
    if clause is None:
        return "", outside
    only(clause, "expressions")
    context.ctes, parts, names = dict(outside), [], set()
    for cte in clause.expressions:
        only(cte, "this", "alias")
        alias = cte.args["alias"]
        only(alias, "this", "columns")
        name = identifier(alias.this)
        if name.result in names:
            raise AdqlSyntaxError(f"WITH names {name.name} twice.", position(alias))
        names.add(name.result)
        query = subquery(cte.this, context, None)
        columns = _renamed_by_list(query.columns, alias.args.get("columns") or [], alias)
        sql_name = context.alias()
        parts.append(f"{sql_name} AS ({query.sql})")
        context.ctes[name.result] = Subquery(sql_name, columns, frozenset())
    return f"WITH {', '.join(parts)} ", outside


def _renamed_by_list(columns: tuple[Value, ...], names: Sequence[exp.Expr], node: exp.Expr) -> tuple[Value, ...]:
    if not names:
        return columns
    if len(names) != len(columns):
        raise WrongType(f"WITH names {len(names)} columns of a query that has {len(columns)}.", position(node))
    return _named([(column, identifier(name)) for column, name in zip(columns, names, strict=True)], node)


def _clauses(node: exp.Query, scope: Scope, *, outermost: bool) -> _Clauses:
    if not isinstance(node, exp.Select):
        raise refused(node)
    only(
        node,
        "expressions",
        "distinct",
        "limit",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "offset",
        "with_",
    )
    if not node.expressions:
        raise AdqlSyntaxError("SELECT names no columns.", position(node), "Write SELECT * for all columns.")
    tail = ""
    if node.args.get("from_") is not None:
        only(node.args["from_"], "this")
        tail += f" FROM {sources.from_(node.args['from_'].this, node.args.get('joins') or [], scope)}"
    tail += _where(node.args.get("where"), scope)
    groups = grouping.groups(node, scope)
    scope.grouping = frozenset(groups) if groups is not None else None
    items = _items(node, scope)
    having = condition(node.args["having"].this, scope) if node.args.get("having") is not None else None
    grouped = groups is not None or having is not None or any(column.aggregate for column in items)
    if groups:
        tail += f" GROUP BY {', '.join(groups)}"
    if having is not None:
        grouping.check_no_window(having, "HAVING", node.args["having"])
        tail += f" HAVING {having.sql}"
    distinct = node.args.get("distinct")
    if distinct is not None:
        only(distinct)
    if grouped:
        scope.grouping = scope.grouping or frozenset()
        for column, term in [*zip(items, [node] * len(items), strict=True), *([(having, node)] if having else [])]:
            grouping.check_grouped(column, scope, term)
    scope.context.widened(len(items), node)
    columns = items if outermost else tuple(_settled(column) for column in items)
    if distinct is not None and not outermost:
        check_distinct(columns, node)
    return _Clauses(
        columns,
        distinct is not None,
        tail,
        _order(node, items, scope, distinct=distinct is not None),
        _top(node),
        _rows_of(node, "offset"),
    )


def _assembled(clauses: _Clauses, items: str, limit: int | None) -> str:
    word = "SELECT DISTINCT" if clauses.distinct else "SELECT"
    return f"{word} {items}{clauses.tail}{clauses.order}{_rows(limit, clauses.offset)}"


def _where(node: exp.Expr | None, scope: Scope) -> str:
    if node is None:
        return ""
    truth = condition(node.this, scope)
    if truth.aggregate:
        raise NotAllowed("An aggregate cannot stand in WHERE.", position(node), "Write HAVING after GROUP BY.")
    grouping.check_no_window(truth, "WHERE", node)
    return f" WHERE {truth.searched}"


def _items(node: exp.Select, scope: Scope) -> tuple[Value, ...]:
    """The columns of SELECT, each under a name of its own."""
    items: list[tuple[Value, Identifier | None]] = []
    for item in node.expressions:
        if starred := grouping.starred(item, scope):
            items += [(column, None) for column in starred]
        elif isinstance(item, exp.Alias):
            only(item, "this", "alias")
            items.append((value(item.this, scope), identifier(item.args["alias"])))
        else:
            items.append((value(item, scope), None))
        if len(items) > MAX_COLUMNS:
            raise TooComplex(f"SELECT gives more than {MAX_COLUMNS:,} columns.", position(item))
    return _named(items, node)


def _named(items: Sequence[tuple[Value, Identifier | None]], node: exp.Expr) -> tuple[Value, ...]:
    """Values under their alias or their own name, made unique by a number where it comes again."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    named = []
    for index, (item, alias) in enumerate(items, 1):
        wanted = alias.result if alias else item.column.name or f"col{index}"
        if len(wanted.encode()) > MAX_NAME:
            raise NotAllowed(f"The name {wanted[:40]}… is longer than {MAX_NAME} bytes.", position(node))
        name = wanted
        while name.lower() in taken:
            count = counts[wanted] = counts.get(wanted, 1) + 1
            name = f"{wanted.encode()[: MAX_NAME - 5].decode(errors='ignore')}_{count}"
        taken.add(name.lower())
        named.append(replace(item, column=replace(item.column, name=name)))
    return tuple(named)


def _settled(column: Value) -> Value:
    """A column of a subquery, with a type of its own where PostgreSQL would have to guess."""
    return column if column.literal is None else replace(column, literal=None)


def _outgoing(column: Value) -> str:
    """SQL of a column as it goes out; see `Translation.sql` for the types."""
    if column.kind.shape:
        return degrees_array(column)
    if column.kind is Kind.NUMERIC:
        return f"CAST({column.sql} AS double precision)"
    if column.kind is Kind.NULL or (column.kind is Kind.TEXT and column.literal is not None):
        return f"CAST({column.sql} AS text)"
    return column.sql


def _order(node: exp.Query, items: Sequence[Value], scope: Scope, *, distinct: bool) -> str:
    """ORDER BY: names and numbers of columns of SELECT, or expressions (in a set operation or DISTINCT, of those)."""
    clause = node.args.get("order")
    if clause is None:
        return ""
    only(clause, "expressions")
    terms, nameable = [], _nameable(node, items)
    numbers = {item.sql: number for number, item in reversed([*enumerate(items, 1)])}
    for term in clause.expressions:
        index = _column_number(term.this, nameable, len(items))
        if index is None and not isinstance(node, exp.Select):
            hint = "Write the calculation as a column of SELECT."
            raise NotAllowed("ORDER BY takes names or numbers of columns here.", position(term), hint)
        ordered = items[index - 1] if index else value(term.this, scope)
        if index is None:
            _check_order_expression(ordered, scope, term)
            index = numbers.get(ordered.sql)
        if index is None and distinct:
            raise NotAllowed("With DISTINCT, ORDER BY takes what SELECT names.", position(term))
        if ordered.kind.shape or ordered.kind is Kind.ARRAY:
            raise WrongType(f"{ordered.kind.subject} has no order.", position(term))
        terms.append((str(index) if index else ordered.sql) + direction(term))
    return f" ORDER BY {', '.join(terms)}"


def _check_order_expression(ordered: Value, scope: Scope, term: exp.Expr) -> None:
    if ordered.literal is not None or ordered.kind is Kind.NULL:
        raise WrongType("A constant orders nothing.", position(term))
    if ordered.aggregate and scope.grouping is None:
        raise WrongType("An aggregate in ORDER BY needs GROUP BY.", position(term))
    if scope.grouping is not None:
        grouping.check_grouped(ordered, scope, term)


def _column_number(term: exp.Expr, nameable: Mapping[str, list[tuple[str, int]]], count: int) -> int | None:
    """The number of the column of SELECT that a term of ORDER BY names, from 1."""
    if isinstance(term, exp.Literal) and not term.is_string:
        return grouping.ordinal(term, count, "ORDER BY")
    if not isinstance(term, exp.Column) or term.args.get("table") is not None:
        return None
    if not isinstance(term.this, exp.Identifier):
        return None
    name = identifier(term.this)
    candidates = nameable.get(name.name.lower(), [])
    return next((number for candidate, number in candidates if name.matches(candidate)), None)


def _nameable(node: exp.Query, items: Sequence[Value]) -> dict[str, list[tuple[str, int]]]:
    """The columns that ORDER BY can mean by a name, with their numbers: of a SELECT those with an alias."""
    named: dict[str, list[tuple[str, int]]] = {}
    aliases = None
    if isinstance(node, exp.Select):
        aliases = {identifier(item.args["alias"]).result for item in node.expressions if isinstance(item, exp.Alias)}
    for number, item in enumerate(items, 1):
        name = item.column.name
        if aliases is None or name in aliases:
            named.setdefault(name.lower(), []).append((name, number))
    return named


def _top(node: exp.Query) -> int | None:
    return _rows_of(node, "limit")


def _rows_of(node: exp.Query, clause: str) -> int | None:
    """The number after TOP, LIMIT or OFFSET."""
    found = node.args.get(clause)
    if found is None:
        return None
    only(found, "expression")
    return min(int(found.args["expression"].this), _MOST_ROWS)


def _limit(top: int | None, maxrec: int | None) -> int | None:
    if maxrec is None:
        return top
    return maxrec + 1 if top is None else min(top, maxrec + 1)


def _rows(limit: int | None, offset: int | None) -> str:
    sql = f" LIMIT {limit}" if limit is not None else ""
    return sql + (f" OFFSET {offset}" if offset else "")
