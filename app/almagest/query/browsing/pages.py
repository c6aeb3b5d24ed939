"""A page of a stored result: some rows from any place on, in any order, of those that fulfil conditions."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from almagest.formats import About
from almagest.formats.page import NUMBER, Page
from almagest.query import limits
from almagest.query.answers import results
from almagest.query.answers.answer import Answer, Source
from almagest.query.browsing import indexes, statements
from almagest.query.browsing.counting import count, counted
from almagest.query.browsing.indexes import Index, Preparing
from almagest.query.browsing.reading import ADVICE, stored
from almagest.query.browsing.selection import FieldError, Selection
from almagest.query.browsing.statements import Stored
from almagest.query.models import Job


def page(job: Job, wanted: Selection, offset: int, limit: int) -> Answer | Preparing:
    """The rows of a selection from place `offset` on, at most `limit` of them; or that an index for them is being made.

    Raises FieldError, NoSuchJobError when there is no result, ResultLostError, QueryTimeoutError, BusyError.
    """
    if not 0 < limit <= limits.PAGE_ROWS:
        raise FieldError("limit", f"a page has 1 to {limits.PAGE_ROWS:,} rows")
    if offset < 0:
        raise FieldError("offset", "pages begin at 0")
    table = stored(job)
    total = job.nrows or 0
    filtered = count(job, table, wanted.where)
    rows = max(0, min(limit, filtered - offset))
    found = _statement(job, table, wanted, offset, rows, filtered) if rows else sql.SQL("")
    if isinstance(found, Preparing):
        return found
    statement, settings = found if isinstance(found, tuple) else (found, ())
    head = {"total": total, "filtered": filtered, "offset": offset}
    return _answer(job, table, wanted.columns, statement, rows, Page(head), settings)


def _answer(
    job: Job,
    table: Stored,
    places: Sequence[int],
    statement: sql.Composable,
    rows: int,
    format_: Page,
    settings: Sequence[str],
) -> Answer:
    source = Source(
        statement.as_string(),
        (NUMBER, *(table.columns[place] for place in places)),
        rows,
        limits.SYNC_SECONDS,
        ADVICE,
        overflow=False,
        count=rows,
        identity=results.reader(job),
        lost=results.lost(job),
        settings=tuple(settings),
    )
    return Answer(source, format_, About())


Found = tuple[sql.Composable, tuple[str, ...]]


def _statement(job: Job, table: Stored, wanted: Selection, offset: int, rows: int, filtered: int) -> Found | Preparing:
    """The statement of a page that has rows, and what is set before it."""
    large = table.numbered and (job.nrows or 0) > limits.INDEXED_ROWS
    if not wanted.order:
        if not wanted.where:
            return statements.numbered(table, wanted.columns, offset, rows), ()
        if table.numbered:
            first, skipped = counted(job, table, wanted.where).find(offset)
            addresses = statements.filtered_addresses(table, wanted.where, first, skipped, rows)
            return statements.page(table, wanted.columns, (), addresses), ()
    if large and (filtered > limits.INDEXED_ROWS or not wanted.where):
        index = indexes.find(job, table, wanted.order)
        if isinstance(index, Preparing):
            return index
        if index is not None and not wanted.where:
            return _indexed(table, wanted, index, offset, rows), indexes.ONLY
    addresses = statements.sorted_addresses(table, wanted.where, wanted.order, offset, rows)
    return statements.page(table, wanted.columns, wanted.order, addresses), ()


def _indexed(table: Stored, wanted: Selection, index: Index, offset: int, rows: int) -> sql.Composable:
    """The page by an index. One on a single key is there ascending only: of a descending order, what is not NULL comes
    from its end, and NULL, which comes last in both, from where it stands."""
    pieces = []
    for first, count_ in index.spans(wanted.order, offset, rows):
        sample = index.before(first)
        skipped = first - (sample.place if sample else 0)
        pieces.append(statements.addresses_from(table, index.order, sample, skipped, count_))
    addresses = pieces[0] if len(pieces) == 1 else sql.SQL(" UNION ALL ").join(map(sql.SQL("({})").format, pieces))
    return statements.page(table, wanted.columns, wanted.order, addresses)
