"""How many rows fulfil conditions, and where among all rows they are: counted once, for all pages of them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from psycopg import sql

from almagest.query.answers import results
from almagest.query.browsing import statements
from almagest.query.browsing.reading import ask
from almagest.query.browsing.remembered import Remembered
from almagest.query.browsing.selection import Where
from almagest.query.browsing.statements import NUMBER_NAME, Stored
from almagest.query.errors import ResultLostError
from almagest.query.models import Job

BLOCK_BITS = 14
"""Rows whose numbers differ in so many of the last bits only are counted together: as many as are read in 5 ms."""

_COUNT = sql.SQL("SELECT {} >> {}, count(*) FROM {} WHERE {} GROUP BY 1 ORDER BY 1")
_PRESENT = sql.SQL("SELECT EXISTS (SELECT FROM {})")


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows that fulfil conditions. starts: number of the first row of each block that has some; before: how many
    there are before that block; total: in all."""

    starts: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def find(self, offset: int) -> tuple[int, int]:
        """Where the row at `offset` among them is: the number from which on to look, and how many to skip."""
        block = bisect_right(self.before, offset) - 1
        return self.starts[block], offset - self.before[block]


_counted: Remembered[Counted] = Remembered(512)


def count(job: Job, stored: Stored, where: Where) -> int:
    """How many rows fulfil the conditions. Raises QueryError."""
    return counted(job, stored, where).total if where else job.nrows or 0


def counted(job: Job, stored: Stored, where: Where) -> Counted:
    """The rows that fulfil the conditions, by block. Raises QueryError."""
    return _counted.get(job.pk, where, lambda: _count(job, stored, where))


def _count(job: Job, stored: Stored, where: Where) -> Counted:
    statement = _COUNT.format(NUMBER_NAME, sql.Literal(BLOCK_BITS), stored.rows, statements.conditions(stored, where))
    starts, before, total = [], [], 0
    for block, some in ask(job, statement):
        starts.append(block << BLOCK_BITS)
        before.append(total)
        total += some
    if not total and job.nrows and not ask(job, _PRESENT.format(stored.place))[0][0]:
        raise ResultLostError(results.lost(job))
    return Counted(tuple(starts), tuple(before), total)
