"""ADQL 2.1 §2: tokens to a syntax tree, by sqlglot's parser with everything but ADQL taken away.

sqlglot reads the union of all SQL dialects and forgives much. Here its tables are cut down to ADQL's, the places where
it lets a word or a comma be left out are closed, and functions keep the name that the author wrote: what they are
is decided by `almagest.adql.functions`. What is not ADQL and still parses has a node type that nothing after this
knows, and is refused there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar

from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser

from almagest.adql.errors import AdqlSyntaxError, NotAllowed, Position, TooComplex
from almagest.adql.lexer import ADQL, Vocabulary, tokens

NODES_PER_TOKEN = 5
"""Nodes ever made while parsing, also those of attempts given up, for each token: where sqlglot tries twice, a chain of
such places takes twice as long for each. Queries without such chains stay below two."""

Parsed = TypeVar("Parsed")

_NONE = Token(TokenType.SENTINEL, "")


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
    while isinstance(tree, exp.Subquery) and not tree.alias and not tree.args.get("joins"):
        tree = tree.this
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.Subquery):
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


class AdqlParser(Parser):
    """sqlglot's parser, which raises our errors and never goes back on one: the first is the one to tell."""

    vocabulary: ClassVar[Vocabulary] = ADQL

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {"CAST": lambda self: self.parse_cast()}
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
    RANGE_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        kind: Parser.RANGE_PARSERS[kind]
        for kind in (TokenType.BETWEEN, TokenType.ILIKE, TokenType.IN, TokenType.IS, TokenType.LIKE)
    }
    QUERY_MODIFIER_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        kind: Parser.QUERY_MODIFIER_PARSERS[kind]
        for kind in (TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.ORDER_BY, TokenType.OFFSET)
    }
    QUERY_MODIFIER_TOKENS: ClassVar[set[TokenType]] = set(QUERY_MODIFIER_PARSERS)
    AMBIGUOUS_ALIAS_TOKENS: ClassVar[Any] = ()

    def raise_error(self, message: str, token: Token = _NONE) -> NoReturn:
        """Every complaint of sqlglot's parser as ours. Not a ParseError: those it would swallow and try again."""
        token = token or self._curr
        place = (token.line, token.col) if token else None
        if "LIMIT" in (self._prev.text.upper(), token.text.upper()) and "LIMIT" not in self.vocabulary.keywords:
            raise NotAllowed("ADQL has no LIMIT.", place, "Write SELECT TOP n … to get n rows.")
        if message.startswith("Maximum number"):
            raise TooComplex("The query has too many parts.", place)
        if not token:
            raise AdqlSyntaxError("The query ends too early.", _end(self._tokens))
        expected = f"expected {message.removeprefix('Expecting ')}" if message.startswith("Expecting ") else None
        text = token.text if len(token.text) <= 40 else f"{token.text[:40]}…"
        found = f"{text!r} cannot stand here"
        raise AdqlSyntaxError(f"{found}; {expected}." if expected else f"{found}.", place)

    def expect(self, kind: TokenType, word: str) -> None:
        """Go past a token that must come next."""
        if not self._match(kind):
            self.raise_error(f"Expecting {word}")

    def required(self, parsed: Parsed | None) -> Parsed:
        """What was parsed; an error where there was nothing."""
        if parsed is None:
            self.raise_error("Nothing here")
        return parsed

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
        return self.expression(exp.Cast(this=value, to=kind))

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

    def _parse_statement(self) -> exp.Expr | None:
        """WITH asks for one, and so does the beginning; only queries are."""
        tree = self._parse_select(nested=True)
        if isinstance(tree, exp.Subquery):
            tree = self._parse_set_operations(tree)
            tree = self._parse_query_modifiers(tree)
        return self.required(tree)

    def _parse_between(self, this: exp.Expr | None) -> exp.Between:
        low = self.required(self._parse_bitwise())
        self.expect(TokenType.AND, "AND")
        return self.expression(exp.Between(this=this, low=low, high=self.required(self._parse_bitwise())))

    def _parse_in(self, this: exp.Expr | None, alias: bool = False) -> exp.In:  # noqa: ARG002 - the base class's
        if self._curr.token_type != TokenType.L_PAREN:
            self.raise_error("Expecting (")
        return super()._parse_in(this)

    def _parse_csv(self, parse_method: Callable[[], Any], sep: TokenType = TokenType.COMMA) -> list[Any]:
        """As the base class, which lets `a,,b` and `a,` pass."""
        first = parse_method()
        if first is None:
            if self._curr.token_type == sep:
                self.raise_error("Nothing before the comma")
            return []
        items = [first]
        while self._match(sep):
            items.append(self.required(parse_method()))
        return items

    def _parse_alias(self, this: exp.Expr | None, explicit: bool = False) -> exp.Expr | None:
        named = self._curr.token_type == TokenType.ALIAS
        aliased = super()._parse_alias(this, explicit)
        if named and not isinstance(aliased, exp.Alias):
            self.raise_error("Expecting a name")
        return aliased

    def _parse_table_alias(self, alias_tokens: Any = None) -> exp.TableAlias | None:
        named = self._curr.token_type == TokenType.ALIAS
        alias = super()._parse_table_alias(alias_tokens)
        if named and alias is None:
            self.raise_error("Expecting a name")
        return alias

    def _parse_ordered(self, parse_method: Any = None) -> exp.Ordered | None:  # noqa: ARG002 - the base class's
        term = self._parse_disjunction()
        if term is None:
            return None
        descending = self._match(TokenType.DESC)
        if not descending:
            self._match(TokenType.ASC)
        return self.expression(exp.Ordered(this=term, desc=descending, nulls_first=False))

    def _parse_join(self, *args: Any, **kwargs: Any) -> exp.Join | None:
        """A join written with JOIN says so: without a condition its node looks like a comma's."""
        comma = self._curr.token_type == TokenType.COMMA
        join = super()._parse_join(*args, **kwargs)
        if comma and join is None:
            self.raise_error("Expecting a table")
        if join is not None and not comma:
            join.meta["join"] = True
        return join

    def _parse_types(self, *_: Any, **__: Any) -> None:
        """No value begins with the name of a type."""
        return

    def _parse_using_identifiers(self) -> list[exp.Expr]:
        return self._parse_wrapped_csv(self._parse_id_var)


def _end(found: list[Token]) -> Position | None:
    return (found[-1].line, found[-1].col + len(found[-1].text)) if found else None
