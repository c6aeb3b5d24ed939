"""Queries that are answered by the request that asks them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from almagest import adql, formats
from almagest.accounts.identity import Identity
from almagest.adql.catalogue import Catalogue, Table
from almagest.metadata import catalogue
from almagest.query import limits, request, uploads
from almagest.query.answer import Answer, Source
from almagest.query.errors import InvalidRequestError

ADVICE = (
    f"A synchronous query may take {limits.SYNC_SECONDS:g} s;"
    " run it as an asynchronous job (/tap/async), or restrict it further."
)


def sync(identity: Identity, parameters: request.Parameters, parts: uploads.Parts = uploads.NO_PARTS) -> Answer:
    """Translate a query and run it with the identity's rights in a read-only transaction, up to its first rows.

    parameters: TAP's, see `request.collect`; parts: of the body, for UPLOAD. Raises QueryError.
    """
    asked = request.check(parameters)
    with uploads.received(request.uploads(parameters), parts) as tables:
        translation = translate(identity, asked, uploads.temporary(tables))
        source = Source(
            translation.sql,
            translation.columns,
            asked.maxrec,
            limits.SYNC_SECONDS,
            ADVICE,
            identity=identity,
            bring=partial(uploads.store_temporarily, tables) if tables else None,
        )
        # Up to its first rows the answer has stored the tables, which are closed then.
        return Answer(source, formats.negotiate(asked.response_format), {"QUERY": asked.query})


def translate(identity: Identity, asked: request.QueryRequest, own: Iterable[Table] = ()) -> adql.Translation:
    """The query's SQL over what this identity may read now. own: tables that only this query knows.

    Raises InvalidRequestError with the place in the query.
    """
    readable = catalogue.visible(identity)
    if brought := tuple(own):
        readable = Catalogue((*readable.tables, *brought))
    try:
        return adql.translate(asked.query, readable, maxrec=asked.maxrec)
    except adql.AdqlError as error:
        raise InvalidRequestError(str(error)) from error
