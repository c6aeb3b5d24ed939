"""ADQL 2.1 §2.2: SELECT, its clauses and what stands around them, from tokens to a syntax tree.

Each clause once, in its order, and after what it belongs to: sqlglot takes them in any order, and WHERE after a query
in parentheses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import Token, TokenType, exp

from almagest.adql.errors import AdqlSyntaxError, NotAllowed
from almagest.adql.strict import StrictParser

_ORDER = (TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.ORDER_BY, TokenType.OFFSET, TokenType.LIMIT)
"""Clauses as they follow each other; OFFSET and LIMIT in any order."""
_OF_ANY_QUERY = frozenset((TokenType.ORDER_BY, TokenType.OFFSET, TokenType.LIMIT))
"""Clauses that stand also after a set operation, and after a query in parentheses (§2.2.8, select_expression)."""


class QueryParser(StrictParser):
    """Whole queries; what stands in their clauses is its subclasses' matter."""

    QUERY_MODIFIER_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        TokenType.WHERE: lambda self: ("where", self._parse_where()),
        TokenType.GROUP_BY: lambda self: ("group", self._parse_group()),
        TokenType.HAVING: lambda self: ("having", self._parse_having()),
        TokenType.ORDER_BY: lambda self: ("order", self._parse_order()),
        TokenType.OFFSET: lambda self: ("offset", self.parse_rows(TokenType.OFFSET, exp.Offset)),
    }
    QUERY_MODIFIER_TOKENS: ClassVar[set[TokenType]] = set(QUERY_MODIFIER_PARSERS)

    def parse_rows(self, word: TokenType, kind: type[exp.Expr]) -> exp.Expr:
        """TOP, OFFSET or LIMIT, and a number of rows in digits."""
        start = self.expect(word, word.name)
        number = self.expect(TokenType.NUMBER, "a number of rows")
        if not number.text.isdigit():
            place = (number.line, number.col)
            raise AdqlSyntaxError(f"{start.text.upper()} takes a whole number, not {number.text}.", place)
        literal = self.expression(exp.Literal(this=number.text, is_string=False), number)
        return self.expression(kind(expression=literal), start)

    def _parse_statement(self) -> exp.Expr | None:
        """WITH asks for one, and so does the beginning; only queries are."""
        tree = self.required(self._parse_select(nested=True))
        return self.with_clauses(self._parse_set_operations(tree) if isinstance(tree, exp.Subquery) else tree)

    def _parse_select_query(
        self,
        nested: bool = False,
        table: bool = False,
        parse_subquery_alias: bool = True,  # noqa: ARG002 - the base class's
        parse_set_operation: bool = True,
    ) -> exp.Expr | None:
        if self._match(TokenType.WITH):
            return self._with_query()
        if self._match(TokenType.SELECT):
            select = self._select()
            return self._parse_set_operations(select) if parse_set_operation else select
        if not (table or nested) or not self._match(TokenType.L_PAREN):
            return None
        inner = self.required(self._parse_wrapped_select(table=table))
        self.expect(TokenType.R_PAREN, ")")
        alias = self._parse_table_alias() if table else None
        return self.expression(exp.Subquery(this=inner, alias=alias))

    def _with_query(self) -> exp.Expr:
        """WITH name [(columns)] AS (query), … query; a part in parentheses may have a WITH of its own."""
        clause = self.expression(exp.With(expressions=self._parse_csv(self._parse_cte)), self._prev)
        if self._curr.token_type == TokenType.WITH:
            self.raise_error("Expecting SELECT")
        query = self.required(self._parse_statement())
        while isinstance(query, exp.Subquery) and is_wrapper(query):
            query = query.this
        if query.args.get("with_") is not None:
            query = self.expression(exp.Subquery(this=query))
        query.set("with_", clause)
        return query

    def _parse_cte(self) -> exp.CTE:
        name = self._parse_id_var(any_token=False)
        if name is None:
            self.raise_error("Expecting a name")
        columns = self._parse_using_identifiers() if self._curr.token_type == TokenType.L_PAREN else None
        self.expect(TokenType.ALIAS, "AS")
        self.expect(TokenType.L_PAREN, "(")
        query = self.required(self._parse_statement())
        self.expect(TokenType.R_PAREN, ")")
        return self.expression(exp.CTE(this=query, alias=exp.TableAlias(this=name, columns=columns)))

    def _select(self) -> exp.Select:
        """SELECT [ALL | DISTINCT] [TOP n] items [FROM …] and its clauses; SELECT itself has been read.

        TOP n DISTINCT means the same, and many write it.
        """
        start = self._prev
        distinct, quantified = self._quantifier()
        top = self.parse_rows(TokenType.TOP, exp.Limit) if self._curr.token_type == TokenType.TOP else None
        if top is not None:
            top.meta["top"] = True
            if not quantified:
                distinct, _ = self._quantifier()
        select = self.expression(
            exp.Select(distinct=distinct, limit=top, expressions=self._parse_csv(self._parse_expression)), start
        )
        if self._match(TokenType.FROM):
            select.set("from_", exp.From(this=self.required(self._parse_table())))
            select.set("joins", list(self._parse_joins()))
        self._parse_query_modifiers(select)
        return select

    def _quantifier(self) -> tuple[exp.Distinct | None, bool]:
        """DISTINCT, and whether it or ALL stands here."""
        if self._match(TokenType.DISTINCT):
            return self.expression(exp.Distinct(), self._prev), True
        return None, bool(self._match(TokenType.ALL))

    def _parse_wrapped_select(self, table: bool = False) -> exp.Expr | None:
        """What stands in parentheses: a query, or in FROM also tables that are joined."""
        this = self._parse_table() if table else self._parse_select(nested=True, parse_set_operation=False)
        if isinstance(this, exp.Table | exp.Subquery) and table:
            for join in self._parse_joins():
                this.append("joins", join)
        return self.with_clauses(self._parse_set_operations(this))

    def with_clauses(self, query: exp.Expr | None) -> exp.Expr | None:
        """The query with the clauses that follow it."""
        self._parse_query_modifiers(query)
        return query

    def _parse_set_operations(self, this: exp.Expr | None) -> exp.Expr | None:
        if isinstance(this, exp.Subquery) and not is_query(this):
            return this
        return super()._parse_set_operations(this) if isinstance(this, exp.Query) else this

    def parse_set_operation(
        self, this: exp.Expr | None, consume_pipe: bool = False, intersect_only: bool = False
    ) -> exp.SetOperation | None:
        """As the base class, which passes over the words of a join before the operation."""
        if self._curr.token_type not in self.SET_OPERATIONS:
            return None
        return super().parse_set_operation(this, consume_pipe, intersect_only)

    def _parse_query_modifiers(self, this: Any) -> Any:
        """The clauses after a query, each once and in order."""
        if not isinstance(this, exp.Query) or (isinstance(this, exp.Subquery) and not is_query(this)):
            return this
        last: Token | None = None
        while self._match_set(self.QUERY_MODIFIER_PARSERS, advance=False):
            token, kind = self._curr, self._curr.token_type
            if kind == TokenType.LIMIT and this.args.get("limit") is not None:
                break  # TOP is the SELECT's own; LIMIT may belong to the set operation around it.
            self._check_clause(token, last, this)
            key, clause = self.QUERY_MODIFIER_PARSERS[kind](self)
            this.set(key, clause)
            last = token
        return this

    def _check_clause(self, token: Token, last: Token | None, query: exp.Expr) -> None:
        place, word = (token.line, token.col), token.text.upper()
        if not isinstance(query, exp.Select) and token.token_type not in _OF_ANY_QUERY:
            hint = f"Write SELECT * FROM (query) AS q {word} …"
            raise AdqlSyntaxError(f"{word} cannot stand after a query in parentheses.", place, hint)
        if last is None or {token.token_type, last.token_type} == {TokenType.OFFSET, TokenType.LIMIT}:
            return
        before = last.text.upper()
        if token.token_type == last.token_type:
            raise AdqlSyntaxError(f"{word} stands here twice.", place)
        if _ORDER.index(token.token_type) < _ORDER.index(last.token_type):
            raise AdqlSyntaxError(f"{word} stands before {before}, not after it.", place)

    def _parse_group(self, skip_group_by_token: bool = False) -> exp.Group | None:  # noqa: ARG002 - the base class's
        self.expect(TokenType.GROUP_BY, "GROUP BY")
        start = self._prev
        terms = self._parse_csv(self._parse_disjunction)
        return self.expression(exp.Group(expressions=terms), start)

    def _parse_join(self, *args: Any, **kwargs: Any) -> exp.Join | None:
        """A join written with JOIN says so: without a condition its node looks like a comma's."""
        comma = self._curr.token_type == TokenType.COMMA
        join = super()._parse_join(*args, **kwargs)
        if comma and join is None:
            self.raise_error("Expecting a table")
        if join is not None and not comma:
            join.meta["join"] = True
        return join

    def _parse_table_parts(self, *args: Any, **kwargs: Any) -> Any:
        table = super()._parse_table_parts(*args, **kwargs)
        if table is not None and self._curr.token_type == TokenType.STAR:
            self.raise_error("Nothing is multiplied in FROM")
        return table

    def _parse_table_alias(self, alias_tokens: Any = None) -> exp.TableAlias | None:  # noqa: ARG002 - the base class's
        """[AS] name."""
        named = self._match(TokenType.ALIAS)
        self.refuse_elsewhere(self._curr)
        name = self._parse_id_var(any_token=bool(named))
        if name is None:
            if named:
                self.raise_error("Expecting a name")
            return None
        if self._curr.token_type == TokenType.L_PAREN:
            place = (self._curr.line, self._curr.col)
            hint = "Name the columns with AS inside the query."
            raise NotAllowed("The name of a table has no list of columns behind it.", place, hint)
        return self.expression(exp.TableAlias(this=name))

    def _parse_using_identifiers(self) -> list[exp.Expr]:
        self.expect(TokenType.L_PAREN, "(")
        names = self._parse_csv(lambda: self._parse_id_var(any_token=False))
        if not names:
            self.raise_error("Expecting a name")
        self.expect(TokenType.R_PAREN, ")")
        return names


def is_wrapper(node: exp.Subquery) -> bool:
    """Whether parentheses around a query add nothing to it."""
    return not any(argument for name, argument in node.args.items() if name != "this")


def is_query(node: exp.Expr | None) -> bool:
    """Whether parentheses in FROM hold a query and not tables that are joined or named inside them."""
    while isinstance(node, exp.Subquery) and not node.args.get("alias") and not node.args.get("joins"):
        node = node.this
    return isinstance(node, exp.Select | exp.SetOperation)
