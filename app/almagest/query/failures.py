"""What PostgreSQL says about a query, told to its author without telling them anything about the server."""

from __future__ import annotations

import logging

import psycopg

from almagest.query.errors import (
    BusyError,
    ForbiddenError,
    InternalError,
    QueryError,
    QueryTimeoutError,
    RefusedByDatabaseError,
)

log = logging.getLogger(__name__)

TRY_SOON = "please try again soon"


def explain(error: psycopg.Error, advice: str) -> QueryError:
    """The error for the query's author. advice: what to do about a query that takes too long."""
    state = error.sqlstate or ""
    detail = error.diag.message_primary or str(error)
    match state[:2], state:
        case _, "57014":
            return QueryTimeoutError(f"the query took too long and was stopped. {advice}")
        case _, "55P03":
            told: QueryError = BusyError(f"a table of this query is just being replaced by a new version; {TRY_SOON}")
        case _, "42501":
            # The translation was made before a right was taken; the database knows it already.
            told = ForbiddenError("you may not read everything that this query names")
        case "21" | "22", _:
            return RefusedByDatabaseError(f"the query cannot be computed from these data: {detail}")
        case "53", _:
            told = RefusedByDatabaseError("the query needs more memory or disk than it may use; ask for less at once")
        case "54", _:
            told = RefusedByDatabaseError(f"the query, or a row of its result, is too large: {detail}; ask for less")
        case _, "XX000":
            # pgSphere reports values out of range so, and PostgreSQL its own mistakes.
            told = RefusedByDatabaseError(f"the database could not compute this query: {detail}")
        case "" | "08" | "57" | "58" | "40", _:
            told = BusyError(f"the data database went away in the middle of the query; {TRY_SOON}")
        case _:
            told = InternalError()
    log.log(_level(told), "PostgreSQL failed a query", extra={"sqlstate": state, "reason": str(error)})
    return told


def _level(told: QueryError) -> int:
    return logging.ERROR if isinstance(told, InternalError) else logging.WARNING
