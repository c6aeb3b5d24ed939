"""Queries that are answered by the request that asks them."""

from __future__ import annotations

from datetime import UTC, datetime

from almagest import adql, formats
from almagest.accounts.identity import Identity
from almagest.metadata import catalogue
from almagest.query import limits, origin, request
from almagest.query.answer import Answer, Source
from almagest.query.errors import InvalidRequestError

ADVICE = (
    f"A synchronous query may take {limits.SYNC_SECONDS:g} s;"
    " run it as an asynchronous job (/tap/async), or restrict it further."
)


def sync(identity: Identity, parameters: request.Parameters) -> Answer:
    """Translate a query and run it as `almagest_query` in a read-only transaction, up to its first rows.

    parameters: TAP's, see `request.collect`. Raises QueryError.
    """
    asked = request.check(parameters)
    translation = translate(identity, asked)
    about = origin.about(asked.query, translation.tables, path="/tap/sync", requested=datetime.now(UTC))
    source = Source(translation.sql, translation.columns, asked.maxrec, limits.SYNC_SECONDS, ADVICE)
    return Answer(source, formats.negotiate(asked.response_format), about)


def translate(identity: Identity, asked: request.QueryRequest) -> adql.Translation:
    """The query's SQL over what this identity may read now. Raises InvalidRequestError with the place in the query."""
    try:
        return adql.translate(asked.query, catalogue.visible(identity), maxrec=asked.maxrec)
    except adql.AdqlError as error:
        raise InvalidRequestError(str(error)) from error
