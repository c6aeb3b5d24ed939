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
from almagest.query.browsing.counted import Counted
from almagest.query.browsing.counting import counted
from almagest.query.browsing.indexes import Preparing
from almagest.query.browsing.reading import ADVICE, stored
from almagest.query.browsing.selection import FieldError, Selection
from almagest.query.browsing.statements import Stored
from almagest.query.models import Job

COUNTED_SECONDS = 0.25
"""How long a page counts the rows that fulfil its conditions; those that come after it go on."""


def page(job: Job, wanted: Selection, offset: int, limit: int) -> Answer | Preparing:
    """The rows of a selection from place `offset` on, at most `limit` of them; or that they are being looked for, or an
    index for them is being made. Of a large result's filter the first pages come before all rows are counted.

    Raises FieldError, NoSuchJobError when there is no result, ResultLostError, QueryTimeoutError, BusyError.
    """
    if not 0 < limit <= limits.PAGE_ROWS:
        raise FieldError("limit", f"a page has 1 to {limits.PAGE_ROWS:,} rows")
    if offset < 0:
        raise FieldError("offset", "pages begin at 0")
    table = stored(job)
    filter_ = counted(job, table, wanted.where, COUNTED_SECONDS)
    rows = max(0, min(limit, filter_.total - offset))
    if not filter_.complete and (rows < limit or (wanted.order and filter_.total <= limits.INDEXED_ROWS)):
        return _looking(filter_)
    found = _statement(job, table, wanted, offset, rows, filter_) if rows else sql.SQL("")
    if isinstance(found, Preparing):
        return found
    statement, settings = found if isinstance(found, tuple) else (found, ())
    head = {"total": job.nrows or 0, "filtered": filter_.total, "counted": filter_.seen, "offset": offset}
    return _answer(job, table, wanted.columns, statement, rows, Page(head), settings)


def _looking(filter_: Counted) -> Preparing:
    sentence = f"{filter_.seen:,} of {filter_.rows:,} rows are looked through; {filter_.total:,} fulfil the conditions"
    return Preparing(round(filter_.seen / filter_.rows, 3), sentence, seconds=0)


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


def _statement(
    job: Job, table: Stored, wanted: Selection, offset: int, rows: int, filter_: Counted
) -> Found | Preparing:
    """The statement of a page that has rows, and what is set before it."""
    large = table.numbered and (job.nrows or 0) > limits.INDEXED_ROWS
    if not wanted.order:
        if not wanted.where:
            return statements.numbered(table, wanted.columns, offset, rows), ()
        if table.numbered:
            within, skipped = filter_.find(offset, rows)
            addresses = statements.filtered_addresses(table, wanted.where, within, skipped, rows)
            return statements.page(table, wanted.columns, (), addresses), statements.IN_PLACE
    if large and (filter_.total > limits.INDEXED_ROWS or not wanted.where):
        index = indexes.find(job, table, wanted.order)
        if isinstance(index, Preparing):
            return index
        if index is not None and not wanted.where:
            found = index.addresses(table, wanted.order, offset, rows)
            return statements.page(table, wanted.columns, wanted.order, found), indexes.ONLY
    addresses = statements.sorted_addresses(table, wanted.where, wanted.order, offset, rows)
    return statements.page(table, wanted.columns, wanted.order, addresses), ()
