"""Which names a query can use where: the tables of FROM, their columns, and those of the queries around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from almagest.adql.errors import AmbiguousColumn, Position, TooComplex, UnknownColumn, UnknownTable
from almagest.adql.parser import AdqlParser, position
from almagest.adql.values import Kind, Value, kind_of, quoted
from almagest.catalogue import Catalogue, Names, Table, written

MAX_SQL = 2_000_000
"""Characters of generated SQL: what is written once in a query may stand several times in its translation."""
MAX_COPIED = 500_000
"""Characters of it that are there for a second time or more, because a function writes its arguments repeatedly."""
MAX_COLUMNS = 20_000
"""Columns of all tables and queries in a query, each as often as it comes."""
MAX_TOLD = 8
"""Names that an error lists."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name as written. delimited: in double quotes, hence exact; else in any letter case."""

    name: str
    delimited: bool

    def matches(self, name: str) -> bool:
        """Whether this identifier can mean `name`."""
        return self.name == name if self.delimited else self.name.lower() == name.lower()

    @property
    def result(self) -> str:
        """What a column or table named by this identifier is called: lower case unless delimited."""
        return self.name if self.delimited else self.name.lower()


def identifier(node: exp.Expr) -> Identifier:
    """The identifier of a name in the tree."""
    return Identifier(str(node.this), bool(node.args.get("quoted")))


@dataclass(frozen=True)
class Subquery:
    """A query inside another, translated: SQL with columns c1 … cn, and what of the outer queries it uses."""

    sql: str
    columns: tuple[Value, ...]
    outer: frozenset[str]


Make = Callable[[exp.Expr, "Scope"], Value]
"""What a kind of node becomes."""

Builder = Callable[[Sequence[Value], Position | None], Value]
"""What a function makes of its arguments; the position is that of the call."""

Aggregate = Callable[[Sequence[Value], Position | None, "Modifiers"], Value]
"""What an aggregate makes of its arguments."""


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What is written around the arguments of an aggregate. filter, over: SQL of FILTER and OVER after them."""

    distinct: bool = False
    filter: str = ""
    over: str = ""

    @property
    def word(self) -> str:
        """SQL before the arguments."""
        return "DISTINCT " if self.distinct else ""

    @property
    def tail(self) -> str:
        """SQL after them."""
        return self.filter + self.over


@dataclass(frozen=True)
class Dialect:
    """The allow-lists of one language: what is not in its tables does not exist.

    values, conditions: by kind of node; functions, truths (those that are conditions when compared with 1 or 0),
    aggregates and types by name in capitals. copies: how often a function writes an argument, where that is more than
    once. conditions_are_values: whether a condition may stand in SELECT.
    inner_with: whether WITH may stand before a query inside another.
    """

    name: str
    parser: type[AdqlParser]
    values: Mapping[type[exp.Expr], Make]
    conditions: Mapping[type[exp.Expr], Make]
    functions: Mapping[str, Builder]
    truths: Mapping[str, Builder]
    aggregates: Mapping[str, Aggregate]
    types: Mapping[str, Kind]
    copies: Mapping[str, int]
    conditions_are_values: bool = False
    inner_with: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass
class Context:
    """What is common to all parts of one translation. subquery: translates a query inside the given scope."""

    catalogue: Catalogue
    dialect: Dialect
    subquery: Callable[[exp.Query, Scope | None], Subquery]
    tables: set[tuple[str, str]] = field(default_factory=set)
    ctes: dict[str, Subquery] = field(default_factory=dict)
    _aliases: int = 0
    _copied: int = 0
    _columns: int = 0

    def alias(self) -> str:
        """A name for a relation in the SQL, unique in the whole translation; no user's name gets there."""
        self._aliases += 1
        return f"t{self._aliases}"

    def repeated(self, name: str, arguments: Iterable[Value], node: exp.Expr) -> None:
        """Count what the function `name` will write more than once, before it does. Raises TooComplex."""
        copies = self.dialect.copies.get(name, 1)
        if copies > 1:
            self.copied((copies - 1) * sum(len(argument.sql) for argument in arguments), node)

    def copied(self, characters: int, node: exp.Expr) -> None:
        """Count characters of SQL that are about to be written again."""
        self._copied += characters
        if self._copied > MAX_COPIED:
            raise TooComplex("The query becomes too large.", position(node), "Calculate this in a query in FROM.")

    def widened(self, columns: int, node: exp.Expr) -> None:
        """Count the columns of one more table or query."""
        self._columns += columns
        if self._columns > MAX_COLUMNS:
            message = f"The tables and queries of this query have more than {MAX_COLUMNS:,} columns in all."
            raise TooComplex(message, position(node), "Send it in parts, or name the columns instead of *.")

    def sized(self, sql: str, node: exp.Expr) -> str:
        """`sql`, unless the translation grows out of bounds."""
        if len(sql) > MAX_SQL:
            raise TooComplex("The query becomes too large.", position(node), "Send it in parts.")
        return sql


@dataclass(frozen=True)
class Relation:
    """A table, or a query in FROM, under the name that the query gives it. schema: None when it is not a table's."""

    name: str
    schema: str | None
    columns: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def is_called(self, schema: Identifier | None, name: Identifier) -> bool:
        """Whether `schema.name` or `name` means this relation."""
        if schema is not None and (self.schema is None or not schema.matches(self.schema)):
            return False
        return name.matches(self.name)


def table_columns(table: Table, alias: str) -> tuple[Value, ...]:
    """The columns of a published table as values of the relation `alias`."""
    return tuple(
        Value(
            f"{alias}.{quoted(column.name)}",
            kind_of(column),
            column,
            bare=frozenset((f"{alias}.{quoted(column.name)}",)),
            columns=frozenset((f"{alias}.{quoted(column.name)}",)),
        )
        for column in table.columns
    )


def renamed(value: Value, alias: str, index: int) -> Value:
    """Column number `index`, from 0, of a subquery, as seen from outside where it is called `alias`.

    A column of NULLs is NULL: PostgreSQL would take it for text, and it fits everywhere.
    """
    if value.kind is Kind.NULL:
        return Value("NULL", Kind.NULL, value.column)
    sql = f"{alias}.c{index + 1}"
    return Value(sql, value.kind, value.column, bare=frozenset((sql,)), joined=value.joined, columns=frozenset((sql,)))


class Scope:
    """The columns that one SELECT can name. visible: those for `*` and for names without a table, in order.

    grouping: once set, the SQL of what rows are grouped by; a value equal to one of them has no bare columns.
    """

    def __init__(self, context: Context, parent: Scope | None) -> None:
        self.context = context
        self.parent = parent
        self.relations: tuple[Relation, ...] = ()
        self.visible: tuple[Value, ...] = ()
        self.outer: set[str] = set()
        self.grouping: frozenset[str] | None = None
        self._named: dict[str, list[Value]] | None = None

    def show(self, relations: Sequence[Relation], visible: Sequence[Value]) -> None:
        """Make relations and their columns known."""
        self.relations, self.visible, self._named = tuple(relations), tuple(visible), None

    def column(self, node: exp.Column) -> Value:
        """What a column's name means here or in a query around. Raises UnknownColumn, UnknownTable, AmbiguousColumn."""
        if node.args.get("catalog"):
            raise UnknownTable("Tables are named schema.table here.", position(node))
        name = identifier(node.this)
        table = identifier(node.args["table"]) if node.args.get("table") else None
        schema = identifier(node.args["db"]) if node.args.get("db") else None
        scope: Scope | None = self
        passed: list[Scope] = []
        while scope is not None:
            found = scope.find(schema, table, name, node)
            if found is not None:
                for inner in passed:
                    inner.outer.add(found.sql)
                return found
            passed.append(scope)
            scope = scope.parent
        raise self._unknown(table, name, node)

    def find(
        self, schema: Identifier | None, table: Identifier | None, name: Identifier, node: exp.Expr
    ) -> Value | None:
        """The column in this scope alone, or None."""
        if table is None:
            return one(self.named.get(name.name.lower(), []), name, node)
        for relation in self.relations:
            if relation.is_called(schema, table):
                candidates = [value for value in relation.columns if value.column.name.lower() == name.name.lower()]
                found = one(candidates, name, node)
                if found is None:
                    raise self._unknown(table, name, node, relation)
                return found
        return None

    @property
    def named(self) -> dict[str, list[Value]]:
        """The visible columns by name in lower case."""
        if self._named is None:
            self._named = by_name(self.visible)
        return self._named

    def relation(self, schema: Identifier | None, table: Identifier, node: exp.Expr) -> Relation:
        """The relation of `table.*`."""
        for relation in self.relations:
            if relation.is_called(schema, table):
                return relation
        raise self._unknown_table(table, node)

    def _unknown_table(self, table: Identifier, node: exp.Expr) -> UnknownTable:
        known = [relation.name for relation in self.relations if relation.name]
        more = ", …" if len(known) > MAX_TOLD else ""
        hint = f"It has {', '.join(known[:MAX_TOLD])}{more}." if known else None
        return UnknownTable(f"The query's FROM has no table {table.name}.", position(node), hint)

    def _unknown(
        self, table: Identifier | None, name: Identifier, node: exp.Expr, relation: Relation | None = None
    ) -> UnknownColumn | UnknownTable:
        if table is not None and relation is None:
            return self._unknown_table(table, node)
        relation = relation or (self.relations[0] if len(self.relations) == 1 else None)
        columns = relation.columns if relation else self.visible
        near = Names((value.column.name, value) for value in columns).similar(name.name)
        place = f"{relation} has no column" if relation and relation.name else "No table of the query has a column"
        hint = f"Did you mean {near}?" if near else None
        return UnknownColumn(f"{place} {name.name}.", position(node), hint, written(near) if near else None)


def by_name(values: Iterable[Value]) -> dict[str, list[Value]]:
    """Values by the name of their column in lower case."""
    named: dict[str, list[Value]] = {}
    for value in values:
        named.setdefault(value.column.name.lower(), []).append(value)
    return named


def one(candidates: list[Value], name: Identifier, node: exp.Expr) -> Value | None:
    """The candidate that `name` means: the only one, or the only one written alike; None when there is none."""
    matching = [value for value in candidates if name.matches(value.column.name)]
    if len(matching) > 1:
        alike = [value for value in matching if value.column.name == name.name]
        matching = alike or matching
    if len(matching) > 1:
        hint = f"Write table.{name.name}."
        raise AmbiguousColumn(f"Several tables of the query have a column {name.name}.", position(node), hint)
    return matching[0] if matching else None
