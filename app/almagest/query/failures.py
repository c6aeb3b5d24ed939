"""What PostgreSQL says about a query, told to its author without telling them anything about the server."""

from __future__ import annotations

import logging

import psycopg

from almagest.query.errors import BusyError, InternalError, QueryError, QueryTimeoutError, RefusedByDatabaseError

log = logging.getLogger(__name__)

TRY_SOON = "please try again soon"


def explain(error: psycopg.Error, advice: str) -> QueryError:
    """The error for the query's author. advice: what to do about a query that takes too long."""
    state = error.sqlstate or ""
    detail = error.diag.message_primary or ""
    if state == "57014":
        return QueryTimeoutError(f"the query took too long and was stopped. {advice}")
    if state == "55P03":
        return BusyError(f"a table of this query is being replaced by a new version; {TRY_SOON}")
    if state[:2] == "22":
        return RefusedByDatabaseError(f"the query cannot be computed from these data: {detail}")
    if state[:2] in ("53", "54"):
        log.warning("a query needs too much", extra={"sqlstate": state, "reason": detail})
        return RefusedByDatabaseError("the query needs more memory or disk than one query may use; ask for less at once")
    if state == "XX000":
        # pgSphere reports values out of range so, and PostgreSQL its own mistakes.
        log.error("PostgreSQL reports an internal error", extra={"reason": str(error)})
        return RefusedByDatabaseError(f"the database could not compute this query: {detail}")
    if state[:2] in ("", "08", "57", "40", "58"):
        log.warning("the data database failed a query", extra={"sqlstate": state, "reason": str(error)})
        return BusyError(f"the data database went away in the middle of the query; {TRY_SOON}")
    log.error("PostgreSQL refuses a translated query", extra={"sqlstate": state, "reason": str(error)})
    return InternalError("the query could not be run because of a mistake in this service; its operators have a record")
