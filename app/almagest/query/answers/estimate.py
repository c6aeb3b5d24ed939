"""How large an answer will be, as PostgreSQL's planner sees it: a millisecond that may spare the query.

The planner knows how many rows a table has, and guesses how many of them a condition, a join or a grouping leaves. Who
refuses an answer for its size goes by the former alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from almagest.formats import Copy
from almagest.query.datadb import Connection

ROW_BYTES = 5
"""Of a row beside its values: type and length of the message that it comes in."""

BINARY_ROW_BYTES = 10
"""Of a row of values: their number, and which of them are NULL."""

VALUE_BYTES = 4
"""Of a value: its length; or a separator, and the digits that a number takes beyond the bytes that it is stored in."""

ERROR = 3
"""How many times as wide as they come rows may seem: numbers may have few digits, and of a table that was just written
nobody has seen the values."""

_KEEPING = frozenset(
    {
        "Append", "Gather", "Gather Merge", "Incremental Sort", "Index Only Scan", "Index Scan", "Limit",
        "Merge Append", "Result", "Seq Scan", "Sort", "Subquery Scan",
    }
)  # fmt: skip
"""Nodes of a plan that leave as many rows as they get, or as a number in the query says."""

_CONDITIONS = ("Filter", "Index Cond", "One-Time Filter")


def least_bytes(connection: Connection, query: str, most: int, copy: Copy, count: int | None) -> int:
    """Bytes in which the rows of a SELECT come (`answers.copying`) at least; 0 where their number is a guess.

    connection: in a transaction, with the rights that the query will have; most: rows that are sent at most; count: how
    many it returns, where that is known. Raises psycopg.Error where the query cannot be planned.
    """
    statement = f"EXPLAIN (FORMAT JSON) SELECT * FROM ({query}) AS r LIMIT {most + 1}"  # noqa: S608 - translated, never text
    # An answer in binary form is asked for by a message that takes one statement only, whatever its text.
    explained = connection.execute(statement.encode(), binary=True).fetchone()
    plan = explained[0][0]["Plan"] if explained else {}
    if count is None and not _known(plan):
        return 0
    rows = min(plan["Plan Rows"] if count is None else count, most)
    beside = ROW_BYTES + (BINARY_ROW_BYTES if copy.binary else 0) + VALUE_BYTES * len(copy.expressions)
    return int(rows * (plan["Plan Width"] + beside) / ERROR)


def _known(plan: Mapping[str, Any]) -> bool:
    """Whether nothing in the plan makes fewer or more rows of those that tables have."""
    if plan["Node Type"] not in _KEEPING or any(condition in plan for condition in _CONDITIONS):
        return False
    return all(map(_known, plan.get("Plans", ())))
