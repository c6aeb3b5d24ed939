"""What can be wrong with a query, said so that its author finds the place.

One family: every function of this package raises `AdqlError` or nothing, whatever the text.
"""

from __future__ import annotations

Position = tuple[int, int]
"""Line and column in the query, both counted from 1; a tab is one column."""


class AdqlError(Exception):
    """A query that is not answered. message: a sentence; hint: what to do, or None; instead: the name that was likely
    meant, as a query writes it, in place of the one that is wrong."""

    def __init__(
        self, message: str, position: Position | None = None, hint: str | None = None, instead: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint
        self.instead = instead

    def __str__(self) -> str:
        place = f"line {self.position[0]}, column {self.position[1]}: " if self.position else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class AdqlSyntaxError(AdqlError):
    """The text is not an ADQL query."""


class UnknownTable(AdqlError):
    """No published table has this name."""


class UnknownColumn(AdqlError):
    """No table of the query has a column of this name."""


class AmbiguousColumn(AdqlError):
    """Several tables of the query have a column of this name, or a table is named alike twice."""


class UnknownFunction(AdqlError):
    """The function is neither ADQL's nor this archive's."""


class WrongType(AdqlError):
    """An operator or function was given something that it cannot work on, or too many or too few things."""


class NotAllowed(AdqlError):
    """SQL that ADQL 2.1 does not have, or that this archive does not offer."""


class Forbidden(AdqlError):
    """The query calls a function that its author may not call. function: as written."""

    def __init__(self, function: str, position: Position | None = None) -> None:
        super().__init__(f"The function {function} is not open to you.", position)
        self.function = function


class TooComplex(AdqlError):
    """The query is longer, deeper or larger than any that is answered here."""
