"""GROUP BY (ADQL 2.1 §2.2.1), and the columns of SELECT that it can name, to SQL."""

from __future__ import annotations

from sqlglot import exp

from almagest.adql.analysis import only, value
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, WrongType
from almagest.adql.parser import position
from almagest.adql.scope import Scope, identifier
from almagest.adql.values import Kind, Value


def groups(node: exp.Select, scope: Scope) -> list[str] | None:
    """SQL of the terms of GROUP BY: columns, expressions, or the name or number of a column of SELECT."""
    clause = node.args.get("group")
    if clause is None:
        return None
    only(clause, "expressions")
    if not clause.expressions:
        raise AdqlSyntaxError("GROUP BY names nothing.", position(clause))
    selected = _Selected(node, scope)
    groups: dict[str, None] = {}
    for term in clause.expressions:
        group = selected.meant(term) or value(term, scope)
        if group.aggregate:
            raise NotAllowed("An aggregate cannot stand in GROUP BY.", position(term))
        check_no_window(group, "GROUP BY", term)
        if group.kind.shape:
            hint = "Group by its coordinates, or by ivo_healpix_index(order, point)."
            raise WrongType(f"{group.kind.subject} cannot be grouped by.", position(term), hint)
        if group.kind is Kind.NULL or group.literal is not None:
            raise WrongType("A constant groups nothing.", position(term), "Name a column.")
        groups[group.sql] = None
    return list(groups)


class _Selected:
    """The columns of SELECT as GROUP BY can name them, each analysed once: a name may come a thousand times."""

    def __init__(self, node: exp.Select, scope: Scope) -> None:
        self._scope = scope
        self._items: list[exp.Expr | Value] = []
        for item in node.expressions:
            self._items += starred(item, scope) or (item,)
        self._aliases: dict[str, list[tuple[str, int]]] = {}
        for index, item in enumerate(self._items):
            if isinstance(item, exp.Alias):
                alias = identifier(item.args["alias"]).result
                self._aliases.setdefault(alias.lower(), []).append((alias, index))

    def meant(self, term: exp.Expr) -> Value | None:
        """The column that a term means by its number, or by a name that no table has; None when it means none."""
        if isinstance(term, exp.Literal) and not term.is_string:
            return self._column(ordinal(term, len(self._items), "GROUP BY") - 1)
        if isinstance(term, exp.Column) and term.args.get("table") is None and isinstance(term.this, exp.Identifier):
            name = identifier(term.this)
            if self._scope.find(None, None, name, term) is None:
                for alias, index in self._aliases.get(name.name.lower(), []):
                    if name.matches(alias):
                        return self._column(index)
        return None

    def _column(self, index: int) -> Value:
        item = self._items[index]
        if not isinstance(item, Value):
            item = value(item.this if isinstance(item, exp.Alias) else item, self._scope)
            self._items[index] = item
        return item


def starred(item: exp.Expr, scope: Scope) -> tuple[Value, ...]:
    """The columns of * or table.*, none for anything else."""
    if isinstance(item, exp.Star):
        only(item)
        if not scope.visible:
            raise WrongType("* needs a table.", position(item))
        return scope.visible
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        only(item, "this", "table", "db")
        schema = identifier(item.args["db"]) if item.args.get("db") is not None else None
        return scope.relation(schema, identifier(item.args["table"]), item).columns
    return ()


def ordinal(term: exp.Literal, count: int, clause: str) -> int:
    """The column of SELECT, from 1, that ORDER BY or GROUP BY names by its number."""
    text = str(term.this)
    if not text.isdigit() or not 1 <= int(text) <= count:
        hint = f"SELECT has the columns 1 to {count}." if count > 1 else "SELECT has one column."
        raise WrongType(f"{clause} takes the number of a column, not {text}.", position(term), hint)
    return int(text)


def check_grouped(item: Value, scope: Scope, node: exp.Expr) -> None:
    """Refuse a value of which a group has many."""
    free = item.bare - (scope.grouping or frozenset()) - scope.outer
    if free:
        names = sorted(known.column.name for known in scope.visible if known.sql in free)
        name = names[0] if names else item.column.name
        message = f"The column {name} has many values in each group."
        raise WrongType(message, position(node), f"Add it to GROUP BY, or take an aggregate such as MAX({name}).")


def check_no_window(part: Value, clause: str, node: exp.Expr) -> None:
    """Refuse a window function in a clause that comes before windows."""
    if part.window:
        hint = "Calculate it in a query in FROM."
        raise NotAllowed(f"A window function cannot stand in {clause}.", position(node), hint)
