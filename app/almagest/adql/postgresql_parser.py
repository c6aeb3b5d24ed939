"""What PostgreSQL's SQL has beyond ADQL and is understood: casts by ::, % and ^, LIMIT, arrays, FILTER and OVER."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import TokenType, exp

from almagest.adql.lexer import ADQL, Vocabulary
from almagest.adql.parser import AdqlParser

_SECOND_WORDS = {"DOUBLE": ("PRECISION",), "CHARACTER": ("VARYING",), "TIMESTAMP": ("WITHOUT", "TIME", "ZONE")}

_BOUNDS = ("UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING")
"""Where a frame of a window begins and ends, in the order of rows."""

POSTGRESQL = ADQL.extended(
    {
        "ARRAY": TokenType.ARRAY,
        "FILTER": TokenType.FILTER,
        "LIMIT": TokenType.LIMIT,
        "OVER": TokenType.OVER,
    },
    {
        "::": TokenType.DCOLON,
        "%": TokenType.MOD,
        "^": TokenType.CARET,
        "[": TokenType.L_BRACKET,
        "]": TokenType.R_BRACKET,
    },
    {"PARTITION": TokenType.PARTITION_BY},
)


class PostgresqlParser(AdqlParser):
    """ADQL's parser with PostgreSQL's signs and windows."""

    vocabulary: ClassVar[Vocabulary] = POSTGRESQL

    FUNC_TOKENS: ClassVar[set[TokenType]] = {*AdqlParser.FUNC_TOKENS, TokenType.LEFT, TokenType.RIGHT}
    COLUMN_OPERATORS: ClassVar[dict[TokenType, Any]] = {
        TokenType.DOT: None,
        TokenType.DCOLON: lambda self, this, kind: self.expression(exp.Cast(this=this, to=kind)),
    }
    EXPONENT: ClassVar[dict[TokenType, Any]] = {TokenType.CARET: exp.Pow}
    BITWISE: ClassVar[dict[TokenType, Any]] = {}
    QUERY_MODIFIER_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        **AdqlParser.QUERY_MODIFIER_PARSERS,
        TokenType.LIMIT: lambda self: ("limit", self.parse_rows(TokenType.LIMIT, exp.Limit)),
    }
    QUERY_MODIFIER_TOKENS: ClassVar[set[TokenType]] = set(QUERY_MODIFIER_PARSERS)

    def type_words(self) -> list[str]:
        """One word, and those that belong to it: what follows may be an alias."""
        if not self._match(TokenType.VAR):
            return []
        first = self._prev.text.upper()
        words = [first]
        for word in _SECOND_WORDS.get(first, ()):
            if self._curr.token_type != TokenType.VAR or self._curr.text.upper() != word:
                break
            self._match(TokenType.VAR)
            words.append(word)
        return words

    def _parse_dcolon(self) -> exp.Expr | None:
        return self.parse_type_name()

    def _parse_primary(self) -> exp.Expr | None:
        if self._match(TokenType.ARRAY):
            start = self._prev
            self.expect(TokenType.L_BRACKET, "[")
            items = self._parse_csv(self._parse_disjunction)
            self.expect(TokenType.R_BRACKET, "]")
            return self.expression(exp.Array(expressions=items), start)
        return super()._parse_primary()

    def _parse_bracket(self, this: exp.Expr | None = None) -> exp.Expr | None:
        while this is not None and self._match(TokenType.L_BRACKET):
            index = self.required(self._parse_disjunction())
            self.expect(TokenType.R_BRACKET, "]")
            this = self.expression(exp.Bracket(this=this, expressions=[index]))
        return this

    def _parse_ordered(self, parse_method: Any = None) -> exp.Ordered | None:
        ordered = super()._parse_ordered(parse_method)
        if ordered is not None and self._match_word("NULLS"):
            first = self._match_word("FIRST")
            if not first and not self._match_word("LAST"):
                self.raise_error("Expecting FIRST or LAST")
            ordered.set("nulls_first", first)
            ordered.set("nulls_last", not first)
        return ordered

    def _parse_window(self, this: exp.Expr | None, alias: bool = False) -> exp.Expr | None:  # noqa: ARG002 - the base's
        if this is not None and self._match(TokenType.FILTER):
            self.expect(TokenType.L_PAREN, "(")
            self.expect(TokenType.WHERE, "WHERE")
            truth = exp.Where(this=self.required(self._parse_disjunction()))
            self.expect(TokenType.R_PAREN, ")")
            this = self.expression(exp.Filter(this=this, expression=truth))
        if this is None or not self._match(TokenType.OVER):
            return this
        self.expect(TokenType.L_PAREN, "(")
        partition = []
        if self._match(TokenType.PARTITION_BY):
            partition = self._parse_csv(self._parse_disjunction)
            self.required(partition or None)
        order = self._parse_order()
        frame = self._parse_frame()
        self.expect(TokenType.R_PAREN, ")")
        return self.expression(exp.Window(this=this, partition_by=partition, order=order, spec=frame))

    def _parse_frame(self) -> exp.Expr | None:
        """ROWS or RANGE, BETWEEN two ends; bounds by number only of ROWS."""
        kind = next((word for word in ("ROWS", "RANGE") if self._match_word(word)), None)
        if kind is None:
            return None
        between = self._match(TokenType.BETWEEN)
        start = self._parse_bound(kind)
        if between:
            self.expect(TokenType.AND, "AND")
        end = self._parse_bound(kind) if between else "CURRENT ROW"
        ranks = [_BOUNDS.index(bound.lstrip("0123456789 ")) for bound in (start, end)]
        if ranks[0] > ranks[1] or ranks[0] == len(_BOUNDS) - 1 or ranks[1] == 0:
            self.raise_error("No frame ends before it begins")
        return self.expression(exp.WindowSpec(kind=kind, start=start, end=end))

    def _parse_bound(self, kind: str) -> str:
        if self._match_word("CURRENT"):
            if not self._match_word("ROW"):
                self.raise_error("Expecting ROW")
            return "CURRENT ROW"
        distance = "UNBOUNDED"
        if not self._match_word(distance):
            if kind != "ROWS" or not self._curr.text.isdigit() or int(self._curr.text) >= 2**31:
                self.raise_error("Expecting UNBOUNDED, CURRENT ROW, or a number of ROWS")
            distance = str(int(self.expect(TokenType.NUMBER, "a number").text))
        side = next((word for word in ("PRECEDING", "FOLLOWING") if self._match_word(word)), None)
        if side is None:
            self.raise_error("Expecting PRECEDING or FOLLOWING")
        return f"{distance} {side}"

    def _match_word(self, word: str) -> bool:
        """Go past a word that means something only here."""
        if self._curr.token_type == TokenType.VAR and self._curr.text.upper() == word:
            return bool(self._match(TokenType.VAR))
        return False
