"""ADQL 2.1 §2.1: characters to tokens, strictly.

The tokens are sqlglot's, for its parser; the lexer is ours, because what is a literal and what is a name decides
whether a query can be trusted. PostgreSQL's other literals (E'', U&'', $$…$$, casts by ::) have no tokens here, and
every size that hostile text could blow up is bounded before anything recurses over it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sqlglot import Token, TokenType

from almagest.adql.errors import AdqlError, AdqlSyntaxError, NotAllowed, Position, TooComplex

MAX_BYTES = 100_000
MAX_TOKENS = 15_000
MAX_NAME = 128
"""Characters of a name; PostgreSQL's own have at most 63 bytes."""
MAX_DIGITS = 100
"""Characters of a number."""
MAX_DEPTH = 24
"""Parentheses and CASEs inside each other; the parser spends some twenty stack frames on each."""
MAX_SIGNS = 8
"""NOT, + and - in a row."""

_KEYWORDS = {
    "ALL": TokenType.ALL,
    "AND": TokenType.AND,
    "AS": TokenType.ALIAS,
    "ASC": TokenType.ASC,
    "BETWEEN": TokenType.BETWEEN,
    "CASE": TokenType.CASE,
    "CROSS": TokenType.CROSS,
    "DESC": TokenType.DESC,
    "DISTINCT": TokenType.DISTINCT,
    "ELSE": TokenType.ELSE,
    "END": TokenType.END,
    "ESCAPE": TokenType.ESCAPE,
    "EXCEPT": TokenType.EXCEPT,
    "EXISTS": TokenType.EXISTS,
    "FALSE": TokenType.FALSE,
    "FROM": TokenType.FROM,
    "FULL": TokenType.FULL,
    "HAVING": TokenType.HAVING,
    "ILIKE": TokenType.ILIKE,
    "IN": TokenType.IN,
    "INNER": TokenType.INNER,
    "INTERSECT": TokenType.INTERSECT,
    "IS": TokenType.IS,
    "JOIN": TokenType.JOIN,
    "LEFT": TokenType.LEFT,
    "LIKE": TokenType.LIKE,
    "NATURAL": TokenType.NATURAL,
    "NOT": TokenType.NOT,
    "NULL": TokenType.NULL,
    "OFFSET": TokenType.OFFSET,
    "ON": TokenType.ON,
    "OR": TokenType.OR,
    "OUTER": TokenType.OUTER,
    "RIGHT": TokenType.RIGHT,
    "SELECT": TokenType.SELECT,
    "THEN": TokenType.THEN,
    "TOP": TokenType.TOP,
    "TRUE": TokenType.TRUE,
    "UNION": TokenType.UNION,
    "USING": TokenType.USING,
    "WHEN": TokenType.WHEN,
    "WHERE": TokenType.WHERE,
    "WITH": TokenType.WITH,
}

_OPERATORS = {
    "(": TokenType.L_PAREN,
    ")": TokenType.R_PAREN,
    ",": TokenType.COMMA,
    ".": TokenType.DOT,
    "+": TokenType.PLUS,
    "-": TokenType.DASH,
    "*": TokenType.STAR,
    "/": TokenType.SLASH,
    "||": TokenType.DPIPE,
    "=": TokenType.EQ,
    "<>": TokenType.NEQ,
    "!=": TokenType.NEQ,
    "<": TokenType.LT,
    "<=": TokenType.LTE,
    ">": TokenType.GT,
    ">=": TokenType.GTE,
}

_LINE_END = r"\n\r\v\f\x85\u2028\u2029"
"""Characters that end a line, hence a comment: all that an editor may break lines at. What an author sees on the next
line must not be part of the comment."""
_BLANK = rf"[\ \t{_LINE_END}]+ | --[^{_LINE_END}]*"

_PATTERN = rf"""
      (?P<space>   {_BLANK} )
    | (?P<word>    [A-Za-z][A-Za-z0-9_]* )
    | (?P<number>  0[xX][0-9A-Fa-f]+ | (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? )
    | (?P<string>  '[^']*(?:''[^']*)*' )
    | (?P<quoted>  "[^"]*(?:""[^"]*)*" )
    | (?P<comment> /\* )
    | (?P<end>     ; (?> {_BLANK} | ; )* \Z )
    | (?P<operator> SIGNS )
    """


@dataclass(frozen=True)
class Vocabulary:
    """The words and signs of a language that mean something by themselves. pairs: words that BY follows."""

    keywords: Mapping[str, TokenType]
    operators: Mapping[str, TokenType]
    pairs: Mapping[str, TokenType]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """One token or blank."""
        signs = sorted(self.operators, key=len, reverse=True)
        return re.compile(_PATTERN.replace("SIGNS", " | ".join(re.escape(sign) for sign in signs)), re.VERBOSE)

    def extended(
        self, keywords: Mapping[str, TokenType], operators: Mapping[str, TokenType], pairs: Mapping[str, TokenType]
    ) -> Vocabulary:
        """This and more."""
        return Vocabulary({**self.keywords, **keywords}, {**self.operators, **operators}, {**self.pairs, **pairs})


ADQL = Vocabulary(_KEYWORDS, _OPERATORS, {"GROUP": TokenType.GROUP_BY, "ORDER": TokenType.ORDER_BY})

_SIGNS = frozenset((TokenType.NOT, TokenType.PLUS, TokenType.DASH))
_OPENING = frozenset((TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE))
_CLOSING = frozenset((TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END))

_REFUSED = {
    "^": ("ADQL 2.1 has no operator ^.", "Write POWER(x, y)."),
    "%": ("ADQL has no operator %.", "Write MOD(x, y)."),
    ":": ("A colon means nothing here.", "Write CAST(x AS type) for x::type."),
    "[": ("ADQL cannot take arrays apart.", "Send the query with LANG=PostgreSQL."),
    "$": ("There are no strings between dollars here.", "Write 'text', with '' for each quote inside."),
    ";": ("Only one query at a time is answered.", "Send the part after the semicolon as another query."),
    "`": ("Names are not quoted by backticks in ADQL.", 'Write "name".'),
    "_": ("An ADQL name begins with a letter.", 'Write "_name" in double quotes if the column is called so.'),
}


_LINES = re.compile(rf"\r\n|[{_LINE_END}]")


class Text:
    """The query with its line ends, so that an offset can be told as a position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [0, *(match.end() for match in _LINES.finditer(text))]

    def position(self, offset: int) -> Position:
        """Line and column, from 1, of the character at `offset`."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def rest_of_line(text: str, place: Position) -> str:
    """What stands in a text from a position on, up to the end of that line; empty where there is no such place."""
    lines = _LINES.split(text)
    line, column = place
    return lines[line - 1][column - 1 :] if 0 < line <= len(lines) else ""


def tokens(text: str, vocabulary: Vocabulary) -> list[Token]:
    """The tokens of `text`. Raises AdqlSyntaxError, NotAllowed or TooComplex, with the position."""
    _check_characters(text)
    source = Text(text)
    found: list[Token] = []
    pattern = vocabulary.pattern
    offset = 0
    while offset < len(text):
        match = pattern.match(text, offset)
        if match is None:
            raise _unreadable(source, offset)
        if match.lastgroup == "comment":
            hint = "A comment begins with -- and ends with its line."
            raise NotAllowed("There are no comments by /* */ here.", source.position(offset), hint)
        if match.lastgroup not in ("space", "end"):
            _append(found, match, source, vocabulary)
        offset = match.end()
        if len(found) > MAX_TOKENS:
            raise TooComplex(f"The query has more than {MAX_TOKENS:,} words and signs.", source.position(offset))
    _check_shape(found)
    return found


def _check_characters(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise AdqlSyntaxError("The query is not valid Unicode text.", Text(text).position(error.start)) from None
    if size > MAX_BYTES:
        message = f"The query has {size:,} bytes; {MAX_BYTES:,} are answered here."
        raise TooComplex(message, hint="Upload long lists as a table and join it.")
    if "\0" in text:
        raise AdqlSyntaxError("The query contains a NUL character.", Text(text).position(text.index("\0")))


def _append(found: list[Token], match: re.Match[str], source: Text, vocabulary: Vocabulary) -> None:
    text, start, end = match[0], match.start(), match.end()
    kind = match.lastgroup
    if found and found[-1].end + 1 == start and kind in ("word", "number", "string", "quoted"):
        _check_gap(found[-1], kind, source, start)
    if text == "." or kind == "number":
        _check_dot(found, text, source, start)
    line, column = source.position(start)
    _check_length(kind, text, (line, column))
    if kind == "string":
        value = text[1:-1].replace("''", "'")
        if found and found[-1].token_type == TokenType.STRING:
            _continue_string(found, value, source, start, end)
            return
        token = Token(TokenType.STRING, value, line, column, start, end - 1)
    elif kind == "quoted":
        token = Token(TokenType.IDENTIFIER, text[1:-1].replace('""', '"'), line, column, start, end - 1)
        if not token.text:
            raise AdqlSyntaxError("A name is empty.", (line, column))
    elif kind == "number":
        token = Token(TokenType.NUMBER, text, line, column, start, end - 1)
    elif kind == "word":
        if text.upper() == "BY" and _merge_by(found, end, vocabulary):
            return
        token = Token(vocabulary.keywords.get(text.upper(), TokenType.VAR), text, line, column, start, end - 1)
    else:
        token = Token(vocabulary.operators[text], text, line, column, start, end - 1)
    found.append(token)


def _check_length(kind: str | None, text: str, place: Position) -> None:
    if kind in ("word", "quoted") and len(text) > MAX_NAME + 2:
        raise TooComplex(f"The name {text[:40]}… is longer than {MAX_NAME} characters.", place)
    if kind == "number" and len(text) > MAX_DIGITS:
        raise TooComplex(f"The number {text[:40]}… has more than {MAX_DIGITS} digits.", place)


def _check_gap(before: Token, kind: str, source: Text, start: int) -> None:
    """Refuse `12abc`, `E'…'`, `x"y"`: they look like one thing and would be read as two."""
    if before.token_type == TokenType.NUMBER or (kind in ("string", "quoted") and _is_word(before)):
        what = "a string" if kind == "string" else "a name"
        message = f"{before.text[:40]!r} runs into {what}."
        raise AdqlSyntaxError(message, source.position(start), "Put a space between them, if they are two things.")


def _check_dot(found: list[Token], text: str, source: Text, start: int) -> None:
    """A dot that is not a number's joins two names."""
    before = found[-1] if found else None
    if text != ".":
        if before is not None and before.token_type == TokenType.DOT:
            raise AdqlSyntaxError("No number stands after a lone dot.", source.position(start))
    elif before is None or before.token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
        raise AdqlSyntaxError("No name stands before this dot.", source.position(start))


def _is_word(token: Token) -> bool:
    return token.text[:1].isalpha() and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER)


def _continue_string(found: list[Token], value: str, source: Text, start: int, end: int) -> None:
    """'a' and 'b' on different lines are one string (ADQL 2.1 §2.1.1, SQL-92 §5.3)."""
    before = found[-1]
    if not _LINES.search(source.text, before.end + 1, start):
        raise AdqlSyntaxError("Two strings stand side by side.", source.position(start), "Join them by ||.")
    found[-1] = Token(TokenType.STRING, before.text + value, before.line, before.col, before.start, end - 1)


def _merge_by(found: list[Token], end: int, vocabulary: Vocabulary) -> bool:
    """GROUP and ORDER followed by BY become one token; alone they are names."""
    before = found[-1] if found else None
    if before is None or before.token_type != TokenType.VAR:
        return False
    kind = vocabulary.pairs.get(before.text.upper())
    if kind is None:
        return False
    found[-1] = Token(kind, f"{before.text} BY", before.line, before.col, before.start, end - 1)
    return True


def _check_shape(found: list[Token]) -> None:
    """Bound what recursion would follow: nesting, and signs in a row."""
    depth = signs = 0
    for token in found:
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        signs = signs + 1 if kind in _SIGNS else 0
        if depth > MAX_DEPTH:
            message = f"The query is nested more than {MAX_DEPTH} levels deep here."
            raise TooComplex(message, (token.line, token.col), "Take parts of it out with WITH.")
        if signs > MAX_SIGNS:
            raise TooComplex(f"More than {MAX_SIGNS} signs stand in a row.", (token.line, token.col))


def _unreadable(source: Text, offset: int) -> AdqlError:
    character, position = source.text[offset], source.position(offset)
    if character == "'":
        return AdqlSyntaxError("This string does not end.", position, "A quote inside a string is written twice: ''.")
    if character == '"':
        return AdqlSyntaxError("This name does not end.", position)
    if character in _REFUSED:
        message, hint = _REFUSED[character]
        return NotAllowed(message, position, hint)
    sign = character
    if not character.isascii() or not character.isprintable():
        sign = unicodedata.name(character, "").lower() or f"U+{ord(character):04X}"
    blank = "Write a plain blank instead." if character.isspace() else None
    return AdqlSyntaxError(f"The sign {sign} means nothing here.", position, blank)
