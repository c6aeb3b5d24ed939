"""A part of a stored result as a file: only the rows and columns that were chosen, in their order."""

from __future__ import annotations

from almagest import formats
from almagest.formats import About
from almagest.formats.page import NUMBER
from almagest.query import limits, request
from almagest.query.answers import results
from almagest.query.answers.answer import Source, check_columns
from almagest.query.answers.downloads import Document
from almagest.query.browsing import statements
from almagest.query.browsing.counting import count
from almagest.query.browsing.reading import stored
from almagest.query.browsing.selection import FieldError, Selection
from almagest.query.browsing.statements import Stored
from almagest.query.errors import TooLargeError
from almagest.query.models import Job


def download(job: Job, wanted: Selection, path: str, response_format: str | None = None) -> Document:
    """The rows of a selection in a format, by default in the one that the job asked for. The same selection gives the
    same bytes at every time. path: as of `results.stored`.

    Raises FieldError, NoSuchJobError, ResultLostError, InvalidRequestError for an unknown format, and TooLargeError for
    one that cannot hold it.
    """
    table = stored(job)
    everything = tuple(range(len(table.columns)))
    if not wanted.where and not wanted.order and wanted.columns == everything:
        return results.stored(job, path, response_format)
    named = request.response_format({"RESPONSEFORMAT": response_format} if response_format else job.parameters)
    chosen = formats.negotiate(named)
    source = _source(job, table, wanted, numbers=False)
    check_columns(chosen, source.columns)
    return Document(source, chosen, results.told(job, path))


def points(job: Job, wanted: Selection, *, numbers: bool) -> Document:
    """Columns of a selection as Arrow's stream, for programs that draw them. numbers: with the rows' numbers before.

    Raises FieldError, NoSuchJobError, ResultLostError, and TooLargeError for more rows than are sent so.
    """
    source = _source(job, stored(job), wanted, numbers=numbers)
    if source.rows > limits.PLOTTED_ROWS:
        raise TooLargeError(
            f"these are {source.rows:,} rows, and {limits.PLOTTED_ROWS:,} are sent as points at most; ask for their"
            " bins, or add conditions"
        )
    return Document(source, formats.negotiate("arrow"), About())


def _source(job: Job, table: Stored, wanted: Selection, *, numbers: bool) -> Source:
    if not wanted.columns and not numbers:
        raise FieldError("columns", "name at least one column")
    rows = count(job, table, wanted.where)
    selected = statements.rows(table, wanted.columns, wanted.where, wanted.order)
    statement = selected if numbers else statements.without_number(selected, len(wanted.columns))
    described = tuple(table.columns[place] for place in wanted.columns)
    return Source(
        statement.as_string(),
        (NUMBER, *described) if numbers else described,
        rows,
        results.DOWNLOAD_SECONDS,
        "Fetch the result over a faster connection, or in parts.",
        overflow=job.overflow and not wanted.where,
        count=rows,
        identity=results.reader(job),
        lost=results.lost(job),
    )
