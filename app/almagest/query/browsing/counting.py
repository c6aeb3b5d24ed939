"""How many rows fulfil conditions, and where among all rows they are: counted once, for all pages of them."""

from __future__ import annotations

from functools import partial

from psycopg import sql

from almagest.query import limits
from almagest.query.answers import results
from almagest.query.browsing import statements
from almagest.query.browsing.counted import BLOCK_BITS, Counted, Counting
from almagest.query.browsing.reading import ADVICE, ask
from almagest.query.browsing.remembered import Remembered
from almagest.query.browsing.selection import Where
from almagest.query.browsing.statements import NUMBER_NAME, Stored
from almagest.query.errors import QueryTimeoutError, ResultLostError
from almagest.query.models import Job

PIECE_BITS = 17
"""Rows whose numbers differ in so many of the last bits are a piece, which one statement counts: in about 50 ms."""

_PRESENT = sql.SQL("SELECT EXISTS (SELECT FROM {})")


_counting: Remembered[Counting] = Remembered(512)


def counted(job: Job, stored: Stored, where: Where, seconds: float) -> Counted:
    """The rows that fulfil the conditions, as far as they are counted after so many seconds. Raises QueryError."""
    if not where:
        return Counted(job.nrows or 0, job.nrows or 0, job.nrows or 0)
    counting = _counting.get(job.pk, where, lambda: Counting(job.nrows or 0))
    return counting.go_on(partial(_next, job, stored, where), seconds)


def count(job: Job, stored: Stored, where: Where) -> int:
    """How many rows fulfil the conditions. Raises QueryError."""
    found = counted(job, stored, where, limits.SYNC_SECONDS)
    if not found.complete:
        raise QueryTimeoutError(
            f"{found.seen:,} of {found.rows:,} rows were looked through in {limits.SYNC_SECONDS:.0f} s. {ADVICE}"
        )
    return found.total


def _next(job: Job, stored: Stored, where: Where, before: Counted) -> Counted:
    """With the next piece. What is counted in no time is one piece: a small result, or rows that an index finds."""
    conditions, seen = statements.conditions(stored, where), before.rows
    block = sql.SQL("{} >> {}").format(NUMBER_NAME, sql.Literal(BLOCK_BITS))
    statement = statements.counts(block, stored.rows, conditions)
    # Only a large result has an index on its rows' numbers.
    if stored.numbered and before.rows > limits.INDEXED_ROWS and (before.seen or _reads_all(job, statement)):
        seen = min(before.rows, before.seen + (1 << PIECE_BITS))
        within = statements.between_numbers(before.seen, seen)
        statement = statements.counts(block, stored.rows, sql.SQL("{} AND {}").format(within, conditions))
    found = before.and_then(seen, ask(job, statement))
    if found.complete and not found.total and found.rows and not ask(job, _PRESENT.format(stored.place))[0][0]:
        raise ResultLostError(results.lost(job))
    return found


def _reads_all(job: Job, statement: sql.Composed) -> bool:
    """Whether PostgreSQL would look at every row for it."""
    return any("Seq Scan" in line for (line,) in ask(job, sql.SQL("EXPLAIN {}").format(statement)))
