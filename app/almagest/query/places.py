"""Where a query is wrong: from the position that the parser tells to the piece of text, and what was likely meant."""

from __future__ import annotations

import re

from almagest import adql
from almagest.query.errors import Fix, Place, WrongQueryError

_NAME = r'(?:"(?:[^"]|"")*"|[^\W\d]\w*)'
_CHAIN = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME})*")
_PIECE = re.compile(rf"{_CHAIN.pattern}|'(?:[^']|'')*'|\d[\w.]*|\S")
_LAST = re.compile(rf"{_NAME}$")


def wrong_query(error: adql.AdqlError, query: str) -> WrongQueryError:
    """The error for the query's author, with its piece of the text."""
    where = place(error, query)
    reason = f"{error.message} {error.hint}" if error.hint else error.message
    fix = Fix(where, error.instead, f"Write {error.instead}") if where and error.instead else None
    return WrongQueryError(str(error), reason, where, fix)


def written_at(query: str, position: adql.Position) -> str:
    """The name, literal or sign that stands there; empty at the end of a line."""
    found = _PIECE.match(adql.rest_of_line(query, position))
    return found[0] if found else ""


def place(error: adql.AdqlError, query: str) -> Place | None:
    """The piece of the query that the error is about; None for one that is about the whole."""
    if error.position is None:
        return None
    line, column = error.position
    piece = written_at(query, error.position)
    last = _LAST.search(piece) if isinstance(error, adql.UnknownColumn) else None
    if last and _CHAIN.fullmatch(piece):
        # The parser tells where the whole name begins, of which the last part is wrong.
        return Place(line, column + last.start(), len(last[0]))
    return Place(line, column, max(1, len(piece)))
