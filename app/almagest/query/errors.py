"""What can be wrong with a query or a job, in words for the person who asked; the faces add only the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a query's text. line, column: of its first character, both from 1; length: in characters, all of them
    in that line."""

    line: int
    column: int
    length: int


@dataclass(frozen=True, slots=True)
class Fix:
    """What most likely was meant. place: what to replace; text: by what; label: a few words that say so."""

    place: Place
    text: str
    label: str


class QueryError(Exception):
    """The family. Its text may be shown to anyone. status: of the HTTP answer when nothing was sent yet."""

    status: ClassVar[int] = 400


class InvalidRequestError(QueryError):
    """A parameter is missing, repeated, malformed or not supported."""


class InvalidFieldsError(InvalidRequestError):
    """Several things are wrong with what was sent. errors: sentences by the name of a field or parameter."""

    def __init__(self, message: str, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(message)
        self.errors = errors


class WrongQueryError(InvalidRequestError):
    """The text of the query is wrong. reason: what is wrong, without the place; place: where, if it is known; fix: what
    was likely meant, or None."""

    def __init__(self, message: str, reason: str, place: Place | None = None, fix: Fix | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.place = place
        self.fix = fix


class TooLargeError(QueryError):
    """The request is larger than a query can sensibly be."""

    status = 413


class NoSuchJobError(QueryError):
    """The job, or this part of it, does not exist; also said of one that the caller may not see."""

    status = 404


class NoSuchTableError(QueryError):
    """No published table has this name."""

    status = 404


class NotResolvedError(QueryError):
    """No object of the sky is known by this name."""

    status = 404


class ForbiddenError(QueryError):
    """The asker may see that this exists, but not read or call it. place: where the query names it, if it does."""

    status = 403

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


class WrongPhaseError(QueryError):
    """The job's phase does not allow this."""

    status = 403


class QuotaError(QueryError):
    """The asker has used up what they may have at once; the text says what to delete."""

    status = 403


class QueryTimeoutError(QueryError):
    """PostgreSQL needed longer than this kind of query may take."""


class RefusedByDatabaseError(QueryError):
    """PostgreSQL could not compute an answer from these data, e.g. a division by zero or a number too large."""


class BusyError(QueryError):
    """Too much is running at this moment; the same request may succeed later."""

    status = 503


class ResultLostError(QueryError):
    """The result was in the data database when that stopped without warning; the query has to run again."""

    status = 410


class GoneError(QueryError):
    """Whoever asked is no longer known here."""

    status = 403


class InternalError(QueryError):
    """A mistake of ours; the log has what happened. failed: what came to nothing by it."""

    status = 500

    def __init__(self, failed: str = "query") -> None:
        super().__init__(f"the {failed} failed by a mistake in this service; its operators have a record")
