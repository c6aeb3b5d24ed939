"""Queries that are answered by the request that asks them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial

from almagest import adql, formats
from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Table
from almagest.metadata import catalogue
from almagest.metadata.catalogue import Holdings
from almagest.query import limits, request
from almagest.query.answers import origin
from almagest.query.answers.answer import Answer, Source, check_columns
from almagest.query.errors import ForbiddenError, QueryError
from almagest.query.places import place, written_at, wrong_query
from almagest.query.tables import jobtables, uploads

CACHED = 128
"""Translations that a process keeps, of queries of so many characters at most."""

CACHED_CHARACTERS = 2000

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
        holdings = catalogue.holdings(identity)
        translation = translate(identity, holdings, asked, uploads.temporary(tables))
        about = origin.about(
            holdings,
            asked.query,
            translation.tables,
            translation.columns,
            path="/tap/sync",
            requested=datetime.now(UTC),
        )
        source = Source(
            translation.sql,
            translation.columns,
            asked.maxrec,
            limits.SYNC_SECONDS,
            ADVICE,
            identity=identity,
            bring=partial(uploads.store_temporarily, tables) if tables else None,
            sorts=translation.sorts,
        )
        # Up to its first rows the answer has stored the tables, which are closed then.
        return Answer(source, formats.negotiate(asked.response_format), about)


def check(identity: Identity, parameters: request.Parameters) -> formats.Format:
    """The format that `sync` would answer in, found out without running or fetching anything.

    Raises QueryError: what is wrong with the parameters, or with a query that brings no tables along.
    """
    asked = request.check(parameters)
    if not request.uploads(parameters):
        translate(identity, catalogue.holdings(identity), asked)
    return formats.negotiate(asked.response_format)


def translate(
    identity: Identity, holdings: Holdings, asked: request.QueryRequest, brought: Sequence[Table] = ()
) -> adql.Translation:
    """The query's SQL over what this identity may read, its own tables, and the tables that came with it.

    holdings: as this identity sees them. Raises WrongQueryError with the place in the query, ForbiddenError when it
    names what the asker may see but not read, TooLargeError when the format that is asked for cannot hold its result.
    """
    translation = _readable(identity, holdings, asked, brought)
    check_columns(formats.negotiate(asked.response_format), translation.columns)
    return translation


def _readable(
    identity: Identity, holdings: Holdings, asked: request.QueryRequest, brought: Sequence[Table]
) -> adql.Translation:
    own = (*jobtables.own_tables(identity, asked.query), *brought)
    try:
        if not own and len(asked.query) <= CACHED_CHARACTERS:
            return _cached(asked, holdings)
        return _translated(asked, holdings, own)
    except (adql.UnknownTable, adql.UnknownColumn) as error:
        raise _missing(error, asked, _with(holdings.known, own), identity) from error
    except adql.Forbidden as error:
        if error.function.upper() in holdings.hidden:
            unknown = adql.UnknownFunction(f"There is no function {error.function}.", error.position)
            raise wrong_query(unknown, asked.query) from error
        raise ForbiddenError(f"{error} {_remedy(identity)}", place(error, asked.query)) from error
    except adql.AdqlError as error:
        raise wrong_query(error, asked.query) from error


def _translated(asked: request.QueryRequest, holdings: Holdings, own: Sequence[Table] = ()) -> adql.Translation:
    return adql.translate(
        asked.query,
        _with(holdings.readable, own),
        maxrec=asked.maxrec,
        dialect=asked.dialect,
        forbidden=holdings.forbidden,
    )


_cached = lru_cache(maxsize=CACHED)(_translated)
"""Scripts and monitors send the same text again and again. Holdings are equal only to themselves, and there are others
after every change of the metadata."""


def _missing(error: adql.AdqlError, asked: request.QueryRequest, known: Catalogue, identity: Identity) -> QueryError:
    """What to say of a table or column that the asker cannot read: that it does not exist, or that it does.

    The latter when the query gets past that place with all that the asker may know of.
    """
    if error.position is None:
        return wrong_query(error, asked.query)
    try:
        adql.translate(asked.query, known, dialect=asked.dialect)
    except adql.AdqlError as other:
        if other.position is None or (type(other), other.position) == (type(error), error.position):
            return wrong_query(error, asked.query)
    line, column = error.position
    name = written_at(asked.query, error.position) or "this"
    told = f"line {line}, column {column}: you may not read {name}. {_remedy(identity)}"
    return ForbiddenError(told, place(error, asked.query))


def _remedy(identity: Identity) -> str:
    return "Log in to read more." if identity.user is None else "The archive's contact can give you access."


def _with(published: Catalogue, own: Sequence[Table]) -> Catalogue:
    return Catalogue((*published.tables, *own)) if own else published
