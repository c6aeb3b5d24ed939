"""Queries that are answered by the request that asks them."""

from __future__ import annotations

import re

from almagest import adql, formats
from almagest.accounts.identity import Identity
from almagest.metadata import catalogue
from almagest.query import limits, request
from almagest.query.answer import Answer, Source
from almagest.query.errors import ForbiddenError, InvalidRequestError, QueryError

ADVICE = (
    f"A synchronous query may take {limits.SYNC_SECONDS:g} s;"
    " run it as an asynchronous job (/tap/async), or restrict it further."
)


def sync(identity: Identity, parameters: request.Parameters) -> Answer:
    """Translate a query and run it with the identity's rights in a read-only transaction, up to its first rows.

    parameters: TAP's, see `request.collect`. Raises QueryError.
    """
    asked = request.check(parameters)
    translation = translate(identity, asked)
    source = Source(translation.sql, translation.columns, asked.maxrec, limits.SYNC_SECONDS, ADVICE, identity=identity)
    return Answer(source, formats.negotiate(asked.response_format), {"QUERY": asked.query})


def translate(identity: Identity, asked: request.QueryRequest) -> adql.Translation:
    """The query's SQL over what this identity may read now.

    Raises InvalidRequestError with the place in the query, or ForbiddenError when it names what the asker may see but
    not read.
    """
    try:
        return adql.translate(
            asked.query, catalogue.visible(identity), maxrec=asked.maxrec, forbidden=catalogue.forbidden(identity)
        )
    except (adql.UnknownTable, adql.UnknownColumn) as error:
        raise _missing(error, asked.query, identity) from error
    except adql.Forbidden as error:
        raise ForbiddenError(f"{error} {_remedy(identity)}") from error
    except adql.AdqlError as error:
        raise InvalidRequestError(str(error)) from error


def _missing(error: adql.AdqlError, query: str, identity: Identity) -> QueryError:
    """What to say of a table or column that the asker cannot read: that it does not exist, or that it does.

    The latter when the query gets past that place with all that the asker may know of.
    """
    if error.position is None:
        return InvalidRequestError(str(error))
    try:
        adql.translate(query, catalogue.known(identity))
    except adql.AdqlError as other:
        if other.position is None or (type(other), other.position) == (type(error), error.position):
            return InvalidRequestError(str(error))
    line, column = error.position
    name = re.match(r'[\w".]+', query.splitlines()[line - 1][column - 1 :])
    told = f"line {line}, column {column}: you may not read {name[0] if name else 'this'}."
    return ForbiddenError(f"{told} {_remedy(identity)}")


def _remedy(identity: Identity) -> str:
    return "Log in to read more." if identity.user is None else "The archive's contact can give you access."
