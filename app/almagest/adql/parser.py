"""ADQL 2.1 §2: tokens to a syntax tree, by sqlglot's parser with everything but ADQL taken away.

Its tables are cut down to ADQL's (`strict` and `clauses` have closed what it forgives), and functions keep the name
that the author wrote: what they are is decided by `almagest.adql.functions`. What is not ADQL and still parses has a
node type that nothing after this knows, and is refused there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser

from almagest.adql.clauses import QueryParser, is_wrapper
from almagest.adql.errors import AdqlSyntaxError, NotAllowed, Position, TooComplex
from almagest.adql.lexer import tokens

NODES_PER_TOKEN = 5
"""Nodes ever made while parsing, also those of attempts given up, for each token: where sqlglot tries twice, a chain of
such places takes twice as long for each. Queries without such chains stay below two."""


def parse(text: str, parser: type[AdqlParser]) -> exp.Query:
    """The tree of one query expression. Raises AdqlSyntaxError, NotAllowed or TooComplex."""
    found = tokens(text, parser.vocabulary)
    if not found:
        raise AdqlSyntaxError("The query is empty.", hint="Begin with SELECT.")
    if found[0].token_type not in (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN):
        place = (found[0].line, found[0].col)
        raise AdqlSyntaxError(f"A query begins with SELECT, not {found[0].text!r}.", place)
    try:
        trees = parser(max_nodes=200 + NODES_PER_TOKEN * len(found)).parse(found, text)
    except RecursionError:
        raise TooComplex("The query is nested too deep.", hint="Take parts of it out with WITH.") from None
    except SqlglotError as error:
        raise AdqlSyntaxError("This cannot be read as a query.") from error
    tree = trees[0]
    while isinstance(tree, exp.Subquery) and is_wrapper(tree):
        tree = tree.this
    if not isinstance(tree, exp.Query):
        raise AdqlSyntaxError("This is not a query.", (found[0].line, found[0].col), "Begin with SELECT.")
    return tree


def position(node: exp.Expr | None) -> Position | None:
    """Where the text of `node` begins: the first of its parts that was read from the query."""
    if node is None:
        return None
    if isinstance(node, exp.Anonymous) and "start" in node.meta:
        return node.meta["line"], node.meta["col"]
    best: tuple[int, int, int] | None = None
    for part in node.walk():
        meta = part.meta
        if "start" in meta and (best is None or meta["start"] < best[0]):
            best = (meta["start"], meta["line"], meta["col"])
    return best[1:] if best else None


class Plus(exp.Unary):
    """+x, which sqlglot would leave out of the tree."""


class AdqlParser(QueryParser):
    """Expressions of ADQL."""

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "CAST": lambda self: self.parse_cast(),
        "EXISTS": lambda self: self.parse_exists(),
    }
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {"CASE": lambda self: self.parse_case()}
    FUNC_TOKENS: ClassVar[set[TokenType]] = {TokenType.VAR, TokenType.EXISTS, TokenType.IDENTIFIER}
    STATEMENT_PARSERS: ClassVar[dict[Any, Any]] = {}
    PLACEHOLDER_PARSERS: ClassVar[dict[Any, Any]] = {}
    LAMBDAS: ClassVar[dict[Any, Any]] = {}
    ASSIGNMENT: ClassVar[dict[Any, Any]] = {}
    ID_VAR_TOKENS: ClassVar[set[TokenType]] = {TokenType.VAR}
    TABLE_ALIAS_TOKENS: ClassVar[set[TokenType]] = {TokenType.VAR}
    ALIAS_TOKENS: ClassVar[set[TokenType]] = {TokenType.VAR}
    COLUMN_OPERATORS: ClassVar[dict[TokenType, Any]] = {TokenType.DOT: None}
    PRIMARY_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        TokenType.STRING: lambda self, token: self.expression(exp.Literal(this=token.text, is_string=True), token),
        TokenType.NUMBER: lambda self, token: self.expression(exp.Literal(this=token.text, is_string=False), token),
        TokenType.NULL: lambda self, token: self.expression(exp.Null(), token),
        TokenType.TRUE: lambda self, token: self.expression(exp.Boolean(this=True), token),
        TokenType.FALSE: lambda self, token: self.expression(exp.Boolean(this=False), token),
        TokenType.STAR: lambda self, token: self.expression(exp.Star(), token),
    }
    UNARY_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        TokenType.DASH: Parser.UNARY_PARSERS[TokenType.DASH],
        TokenType.NOT: Parser.UNARY_PARSERS[TokenType.NOT],
        TokenType.PLUS: lambda self: self.expression(Plus(this=self.required(self._parse_unary()))),
    }
    RANGE_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        kind: Parser.RANGE_PARSERS[kind]
        for kind in (TokenType.BETWEEN, TokenType.ILIKE, TokenType.IN, TokenType.IS, TokenType.LIKE)
    }
    AMBIGUOUS_ALIAS_TOKENS: ClassVar[Any] = ()

    def parse_case(self) -> exp.Case:
        """CASE [operand] {WHEN … THEN …}… [ELSE …] END, with every word in its place."""
        start = self._prev
        operand = None
        if self._curr.token_type != TokenType.WHEN:
            operand = self.required(self._parse_disjunction())
        branches = []
        while self._match(TokenType.WHEN):
            condition = self.required(self._parse_disjunction())
            self.expect(TokenType.THEN, "THEN")
            branches.append(exp.If(this=condition, true=self.required(self._parse_disjunction())))
        if not branches:
            self.raise_error("Expecting WHEN")
        default = self.required(self._parse_disjunction()) if self._match(TokenType.ELSE) else None
        self.expect(TokenType.END, "END")
        return self.expression(exp.Case(this=operand, ifs=branches, default=default), start)

    def parse_cast(self) -> exp.Cast:
        """CAST(value AS type): the type's words, and its length if it has one, as they stand (ADQL 2.1 §4.6)."""
        value = self.required(self._parse_disjunction())
        self.expect(TokenType.ALIAS, "AS")
        kind = self.parse_type_name()
        self._check_closed()
        return self.expression(exp.Cast(this=value, to=kind))

    def parse_exists(self) -> exp.Exists:
        """EXISTS (query), also in more parentheses."""
        start = self._prev
        query = self.required(self._parse_wrapped_select())
        self._check_closed()
        return self.expression(exp.Exists(this=query), start)

    def _check_closed(self) -> None:
        """The base class goes past the parenthesis at the end of a call, and also on where there is none."""
        if self._curr.token_type != TokenType.R_PAREN:
            self.raise_error("Expecting )")

    def parse_type_name(self) -> exp.Var:
        """The words of a type, and its length."""
        start, words = self._curr, self.type_words()
        length = None
        if self._match(TokenType.L_PAREN):
            self.expect(TokenType.NUMBER, "a length")
            length = self._prev.text
            self.expect(TokenType.R_PAREN, ")")
        if not words:
            self.raise_error("Expecting a type")
        return self.expression(exp.Var(this=" ".join(words), length=length), start)

    def type_words(self) -> list[str]:
        """All words that stand here."""
        words = []
        while self._match(TokenType.VAR):
            words.append(self._prev.text.upper())
        return words

    def _parse_function_args(self, alias: bool = False) -> list[exp.Expr]:  # noqa: ARG002 - the base class's
        """[DISTINCT | ALL] values, in a node of their own where there is such a word: only an aggregate reads it."""
        quantifier = self._curr
        if not self._match(TokenType.DISTINCT) and not self._match(TokenType.ALL):
            return self._parse_csv(self._parse_disjunction)
        quantified = self.expression(exp.Distinct(expressions=self._parse_csv(self._parse_disjunction)), quantifier)
        quantified.meta["all"] = quantifier.token_type == TokenType.ALL
        return [quantified]

    def _parse_window(self, this: exp.Expr | None, alias: bool = False) -> exp.Expr | None:  # noqa: ARG002
        return this

    def _parse_escape(self, this: exp.Expr | None) -> exp.Expr | None:
        if self._curr.token_type == TokenType.ESCAPE:
            place = (self._curr.line, self._curr.col)
            raise NotAllowed("LIKE has no ESCAPE here: a backslash means itself, as every sign but % and _.", place)
        return this

    def _negate_range(self, this: exp.Expr | None = None) -> exp.Expr | None:
        if isinstance(this, exp.Is | exp.Not):
            self.raise_error("Expecting IS NOT NULL", self._prev)
        return super()._negate_range(this)

    def _parse_string_as_identifier(self) -> None:
        """No text is a name."""
        return

    def _parse_between(self, this: exp.Expr | None) -> exp.Between:
        low = self.required(self._parse_bitwise())
        self.expect(TokenType.AND, "AND")
        return self.expression(exp.Between(this=this, low=low, high=self.required(self._parse_bitwise())))

    def _parse_in(self, this: exp.Expr | None, alias: bool = False) -> exp.In:  # noqa: ARG002 - the base class's
        if self._curr.token_type != TokenType.L_PAREN:
            self.raise_error("Expecting (")
        return super()._parse_in(this)

    def _parse_alias(self, this: exp.Expr | None, explicit: bool = False) -> exp.Expr | None:
        named = self._curr.token_type == TokenType.ALIAS
        aliased = super()._parse_alias(this, explicit)
        if named and not isinstance(aliased, exp.Alias):
            self.raise_error("Expecting a name")
        return aliased

    def _parse_ordered(self, parse_method: Any = None) -> exp.Ordered | None:  # noqa: ARG002 - the base class's
        term = self._parse_disjunction()
        if term is None:
            return None
        descending = self._match(TokenType.DESC)
        if not descending:
            self._match(TokenType.ASC)
        return self.expression(exp.Ordered(this=term, desc=descending, nulls_first=False))

    def _parse_types(self, *_: Any, **__: Any) -> None:
        """No value begins with the name of a type."""
        return
