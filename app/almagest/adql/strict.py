"""sqlglot's parser made strict: every complaint is one of ours, and no word is passed over.

sqlglot reads the union of all SQL dialects and forgives much. Most of what it forgives are words that it looks for by
their letters (`ROWS` after OFFSET, `NOT INDEXED` after a table) and then leaves out of the tree; here it finds none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar

from sqlglot import Token, TokenType
from sqlglot.parser import Parser

from almagest.adql.errors import AdqlSyntaxError, NotAllowed, Position, TooComplex
from almagest.adql.lexer import ADQL, Vocabulary

Parsed = TypeVar("Parsed")

_NONE = Token(TokenType.SENTINEL, "")

_ELSEWHERE = {
    "FETCH": ("There is no FETCH here.", "Write SELECT TOP n … to get n rows."),
    "FOR": ("Rows cannot be locked here.", None),
    "INTERVAL": ("There are no intervals here.", "Calculate with ivo_to_mjd(…), in days."),
    "LATERAL": ("There is no LATERAL here.", None),
    "LIMIT": ("ADQL has no LIMIT.", "Write SELECT TOP n … to get n rows."),
    "OVER": ("ADQL has no functions over windows.", "Send the query with LANG=PostgreSQL."),
    "FILTER": ("ADQL has no FILTER.", "Write an aggregate of CASE WHEN … THEN … END."),
    "QUALIFY": ("There is no QUALIFY here.", "Write WHERE around a query in FROM."),
    "RETURNING": ("A query changes nothing here.", None),
    "TABLESAMPLE": ("There is no TABLESAMPLE here.", "Write WHERE RAND() < 0.01 for one row in a hundred."),
    "WINDOW": ("There is no WINDOW here.", "Write the window behind OVER."),
}
"""Words of other languages that come where they have no meaning: a sentence, and what to write instead."""


class StrictParser(Parser):
    """sqlglot's parser, which raises our errors and never goes back on one: the first is the one to tell."""

    vocabulary: ClassVar[Vocabulary] = ADQL

    def raise_error(self, message: str, token: Token = _NONE) -> NoReturn:
        """Every complaint of sqlglot's parser as ours. Not a ParseError: those it would swallow and try again."""
        token = token or self._curr
        place = (token.line, token.col) if token else None
        if message.startswith("Maximum number"):
            raise TooComplex("The query has too many parts.", place)
        for word in (self._prev, token):
            self.refuse_elsewhere(word)
        if not token:
            raise AdqlSyntaxError("The query ends too early.", _end(self._tokens))
        expected = f"expected {message.removeprefix('Expecting ')}" if message.startswith("Expecting ") else None
        found = f"{written(token)} cannot stand here"
        raise AdqlSyntaxError(f"{found}; {expected}." if expected else f"{found}.", place)

    def refuse_elsewhere(self, token: Token) -> None:
        """Raise NotAllowed for a word of another language, saying what to write instead."""
        known = _ELSEWHERE.get(token.text.upper()) if token.token_type == TokenType.VAR else None
        if known is not None:
            message, hint = known
            raise NotAllowed(message, (token.line, token.col), hint)

    def expect(self, kind: TokenType, word: str) -> Token:
        """Go past a token that must come next."""
        if not self._match(kind):
            self.raise_error(f"Expecting {word}")
        return self._prev

    def required(self, parsed: Parsed | None) -> Parsed:
        """What was parsed; an error where there was nothing."""
        if parsed is None:
            self.raise_error("Nothing here")
        return parsed

    def _match_text_seq(self, *texts: str, advance: bool = True) -> bool:  # noqa: ARG002 - the base class's
        return False

    def _match_texts(self, texts: Any, advance: bool = True) -> bool:  # noqa: ARG002 - the base class's
        return False

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


def written(token: Token) -> str:
    """A token as an error names it, within 40 characters."""
    text = token.text if len(token.text) <= 40 else f"{token.text[:40]}…"
    return {TokenType.STRING: f"The text '{text}'", TokenType.IDENTIFIER: f'The name "{text}"'}.get(
        token.token_type, repr(text)
    )


def _end(found: list[Token]) -> Position | None:
    return (found[-1].line, found[-1].col + len(found[-1].text)) if found else None
