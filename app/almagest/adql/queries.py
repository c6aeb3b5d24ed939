"""SELECT and the operations on whole queries (ADQL 2.1 §2.2), from tree to SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from almagest.adql import sources
from almagest.adql.analysis import condition, direction, only, refused, value
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, TooComplex, WrongType
from almagest.adql.geometry import degrees_array
from almagest.adql.parser import position
from almagest.adql.scope import Context, Identifier, Scope, Subquery, identifier, renamed
from almagest.adql.values import POSTGRES, Kind, Value, common, made, quoted

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
    if isinstance(node, exp.SetOperation):
        sql, columns, top, limit = _final_set(node, context, maxrec)
    else:
        sql, columns, top, limit = _final_select(node, context, maxrec)
    return Final(context.sized(prefix + sql, node), columns, top, limit)


def _final_select(
    node: exp.Query, context: Context, maxrec: int | None
) -> tuple[str, tuple[Value, ...], int | None, int | None]:
    clauses = _clauses(node, Scope(context, None), outermost=True)
    limit = _limit(clauses.top, maxrec)
    items = ", ".join(f"{_outgoing(column)} AS {quoted(column.column.name)}" for column in clauses.columns)
    return _assembled(clauses, items, limit), clauses.columns, clauses.top, limit


def _final_set(
    node: exp.SetOperation, context: Context, maxrec: int | None
) -> tuple[str, tuple[Value, ...], int | None, int | None]:
    inner, columns, _ = _set_operation(node, context, None)
    alias = context.alias()
    seen = tuple(renamed(column, alias, index) for index, column in enumerate(columns))
    items = ", ".join(f"{_outgoing(column)} AS {quoted(column.column.name)}" for column in seen)
    order = _order(node, seen, Scope(context, None), distinct=True)
    own = _top(node)
    limit = _limit(own, maxrec)
    tail = _rows(limit, _whole(node.args.get("offset"), "OFFSET"))
    return f"SELECT {items} FROM ({inner}) AS {alias}{order}{tail}", seen, own, limit


def subquery(node: exp.Query, context: Context, parent: Scope | None) -> Subquery:
    """A query inside another; its columns are called c1 … cn."""
    while isinstance(node, exp.Subquery):
        only(node, "this")
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
    if isinstance(node, exp.SetOperation):
        sql, columns, outer = _set_operation(node, context, parent)
        order = _order(node, columns, scope, distinct=True)
        tail = _rows(_top(node), _whole(node.args.get("offset"), "OFFSET"))
        return Subquery(f"{sql}{order}{tail}", columns, outer)
    clauses = _clauses(node, scope, outermost=False)
    items = ", ".join(f"{column.sql} AS c{index}" for index, column in enumerate(clauses.columns, 1))
    sql = _assembled(clauses, items, clauses.top)
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
    groups = _groups(node, scope)
    scope.grouping = frozenset(groups) if groups is not None else None
    items = _items(node, scope)
    having = condition(node.args["having"].this, scope) if node.args.get("having") is not None else None
    grouped = groups is not None or having is not None or any(column.aggregate for column in items)
    if groups:
        tail += f" GROUP BY {', '.join(groups)}"
    if having is not None:
        _check_no_window(having, "HAVING", node.args["having"])
        tail += f" HAVING {having.sql}"
    distinct = node.args.get("distinct")
    if distinct is not None:
        only(distinct)
    if grouped:
        scope.grouping = scope.grouping or frozenset()
        for column, term in [*zip(items, [node] * len(items), strict=True), *([(having, node)] if having else [])]:
            _check_grouped(column, scope, term)
    columns = tuple(_settled(column) for column in items) if not outermost else items
    if distinct is not None and not outermost:
        _check_distinct(columns, node)
    return _Clauses(
        columns,
        distinct is not None,
        tail,
        _order(node, items, scope, distinct=distinct is not None),
        _top(node),
        _whole(node.args.get("offset"), "OFFSET"),
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
    _check_no_window(truth, "WHERE", node)
    return f" WHERE {truth.sql}"


def _check_no_window(part: Value, clause: str, node: exp.Expr) -> None:
    if part.window:
        hint = "Calculate it in a query in FROM."
        raise NotAllowed(f"A window function cannot stand in {clause}.", position(node), hint)


def _groups(node: exp.Select, scope: Scope) -> list[str] | None:
    """SQL of the terms of GROUP BY: columns, expressions, or the name or number of a column of SELECT."""
    clause = node.args.get("group")
    if clause is None:
        return None
    only(clause, "expressions")
    if not clause.expressions:
        raise AdqlSyntaxError("GROUP BY names nothing.", position(node))
    groups = []
    for term in clause.expressions:
        group = value(_selected(term, node, scope), scope)
        if group.aggregate:
            raise NotAllowed("An aggregate cannot stand in GROUP BY.", position(term))
        _check_no_window(group, "GROUP BY", term)
        if group.kind in (Kind.CIRCLE, Kind.POLYGON, Kind.NULL) or group.literal is not None:
            raise WrongType("This cannot be grouped by.", position(term))
        groups.append(group.sql)
    return groups


def _selected(term: exp.Expr, node: exp.Select, scope: Scope) -> exp.Expr:
    """What a term of GROUP BY means: an expression of SELECT where it is its number, or a name that no table has."""
    if isinstance(term, exp.Literal) and not term.is_string:
        index = _ordinal(term, len(node.expressions), "GROUP BY")
        item = node.expressions[index - 1]
        return _unaliased(item)
    if isinstance(term, exp.Column) and term.args.get("table") is None and isinstance(term.this, exp.Identifier):
        name = identifier(term.this)
        if scope.find(None, None, name, term) is None:
            for item in node.expressions:
                if isinstance(item, exp.Alias) and name.matches(identifier(item.args["alias"]).result):
                    return _unaliased(item)
    return term


def _unaliased(item: exp.Expr) -> exp.Expr:
    inner: exp.Expr = item.this if isinstance(item, exp.Alias) else item
    return inner


def _items(node: exp.Select, scope: Scope) -> tuple[Value, ...]:
    """The columns of SELECT, each under a name of its own."""
    items: list[tuple[Value, Identifier | None]] = []
    for item in node.expressions:
        if isinstance(item, exp.Star):
            only(item)
            if not scope.visible:
                raise WrongType("* needs a table.", position(item))
            items += [(column, None) for column in scope.visible]
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            only(item, "this", "table", "db")
            schema = identifier(item.args["db"]) if item.args.get("db") is not None else None
            relation = scope.relation(schema, identifier(item.args["table"]), item)
            items += [(column, None) for column in relation.columns]
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


def _check_grouped(item: Value, scope: Scope, node: exp.Expr) -> None:
    free = item.bare - (scope.grouping or frozenset()) - scope.outer
    if free:
        names = sorted(known.column.name for known in scope.visible if known.sql in free)
        name = names[0] if names else item.column.name
        message = f"The column {name} has many values in each group."
        raise WrongType(message, position(node), f"Add it to GROUP BY, or take an aggregate such as MAX({name}).")


def _check_distinct(columns: Sequence[Value], node: exp.Expr) -> None:
    for column in columns:
        if column.kind in (Kind.CIRCLE, Kind.POLYGON):
            message = f"Equal {column.kind}s cannot be told; {column.column.name} is one."
            raise WrongType(message, position(node), "Leave the column out.")


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


_OPERATIONS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}


def _set_operation(
    node: exp.SetOperation, context: Context, parent: Scope | None
) -> tuple[str, tuple[Value, ...], frozenset[str]]:
    """Branches in parentheses, so that TOP and ORDER BY of each stay its own; the common columns; the outer names."""
    operations: list[exp.SetOperation] = []
    tree: exp.Expr = node
    while isinstance(tree, exp.SetOperation):
        operations.append(tree)
        tree = tree.this
    operations.reverse()
    branches = [subquery(_query(tree), context, parent)]
    columns = branches[0].columns
    for operation in operations:
        only(
            operation,
            "this",
            "expression",
            "distinct",
            *(("order", "limit", "offset", "with_") if operation is node else ()),
        )
        branches.append(subquery(_query(operation.args["expression"]), context, parent))
        columns = _common_columns(columns, branches[-1].columns, operation)
        if operation.args.get("distinct"):
            _check_distinct(columns, operation)
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
        column.kind in POSTGRES and own.kind is Kind.NULL for own, column in zip(branch.columns, columns, strict=True)
    ]
    if not any(missing):
        return branch.sql
    items = ", ".join(
        f"CAST(c{index} AS {POSTGRES[column.kind]}) AS c{index}" if untyped else f"c{index}"
        for index, (column, untyped) in enumerate(zip(columns, missing, strict=True), 1)
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
            message = f"The column {left.column.name} is a {left.kind} on one side and a {right.kind} on the other."
            raise WrongType(message, position(node.args["expression"]), "Use CAST to make them alike.")
        column = left.column
        unicode = left.unicode or right.unicode
        if kind is not left.kind or (kind is Kind.TEXT and unicode != left.unicode):
            column = replace(made("", kind, unicode=unicode).column, name=column.name, description=column.description)
        unit = left.column.unit if left.column.unit == right.column.unit else None
        joined = max(left.joined, right.joined)
        columns.append(replace(left, kind=kind, column=replace(column, unit=unit), joined=joined))
    return tuple(columns)


def _order(node: exp.Query, items: Sequence[Value], scope: Scope, *, distinct: bool) -> str:
    """ORDER BY: names and numbers of columns of SELECT, or expressions (in a set operation or DISTINCT, of those)."""
    clause = node.args.get("order")
    if clause is None:
        return ""
    only(clause, "expressions")
    terms = []
    for term in clause.expressions:
        index = _column_number(term.this, node, items)
        if index is None and isinstance(node, exp.SetOperation):
            raise NotAllowed("Here ORDER BY takes names or numbers of columns.", position(term))
        ordered = items[index - 1] if index else value(term.this, scope)
        if index is None:
            _check_order_expression(ordered, scope, term)
            same = [number for number, item in enumerate(items, 1) if item.sql == ordered.sql]
            index = same[0] if same else None
        if index is None and distinct:
            raise NotAllowed("With DISTINCT, ORDER BY takes what SELECT names.", position(term))
        if ordered.kind.shape or ordered.kind is Kind.ARRAY:
            raise WrongType(f"A {ordered.kind} has no order.", position(term))
        terms.append((str(index) if index else ordered.sql) + direction(term))
    return f" ORDER BY {', '.join(terms)}"


def _check_order_expression(ordered: Value, scope: Scope, term: exp.Expr) -> None:
    if ordered.literal is not None or ordered.kind is Kind.NULL:
        raise WrongType("A constant orders nothing.", position(term))
    if ordered.aggregate and scope.grouping is None:
        raise WrongType("An aggregate in ORDER BY needs GROUP BY.", position(term))
    if scope.grouping is not None:
        _check_grouped(ordered, scope, term)


def _column_number(term: exp.Expr, node: exp.Query, items: Sequence[Value]) -> int | None:
    """The number of the column of SELECT that a term of ORDER BY names, from 1."""
    if isinstance(term, exp.Literal) and not term.is_string:
        return _ordinal(term, len(items), "ORDER BY")
    if not isinstance(term, exp.Column) or term.args.get("table") is not None:
        return None
    if not isinstance(term.this, exp.Identifier):
        return None
    name = identifier(term.this)
    if isinstance(node, exp.Select):
        aliases = {identifier(item.args["alias"]).result for item in node.expressions if isinstance(item, exp.Alias)}
        if not any(name.matches(alias) for alias in aliases):
            return None
    for index, item in enumerate(items, 1):
        if name.matches(item.column.name):
            return index
    return None


def _ordinal(term: exp.Literal, count: int, clause: str) -> int:
    text = str(term.this)
    if not text.isdigit() or not 1 <= int(text[:9]) <= count:
        raise WrongType(f"{clause} {text}: SELECT has columns 1 to {count}.", position(term))
    return int(text)


def _top(node: exp.Query) -> int | None:
    clause = node.args.get("limit")
    if clause is None:
        return None
    if not isinstance(clause, exp.Limit):
        raise refused(clause)
    return _whole(clause, "TOP" if clause.meta.get("top") else "LIMIT")


def _whole(clause: exp.Expr | None, word: str) -> int | None:
    """The number after TOP or OFFSET."""
    if clause is None:
        return None
    only(clause, "expression")
    number = clause.args.get("expression")
    if not isinstance(number, exp.Literal) or number.is_string or not str(number.this).isdigit():
        raise AdqlSyntaxError(f"{word} takes a whole number.", position(clause))
    return min(int(str(number.this)[:30]), _MOST_ROWS)


def _limit(top: int | None, maxrec: int | None) -> int | None:
    if maxrec is None:
        return top
    return maxrec + 1 if top is None else min(top, maxrec + 1)


def _rows(limit: int | None, offset: int | None) -> str:
    sql = f" LIMIT {limit}" if limit is not None else ""
    return sql + (f" OFFSET {offset}" if offset else "")
