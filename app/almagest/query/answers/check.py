"""What is to be expected of a query, without running it: whether it is one, its columns, and what it will cost."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from almagest.accounts.identity import Identity
from almagest.adql import Translation
from almagest.catalogue import Column, Table
from almagest.config.environment import queues
from almagest.metadata import catalogue
from almagest.metadata.catalogue import Holdings
from almagest.query import datadb, limits, request
from almagest.query.answers.sync import translate
from almagest.query.errors import BusyError, QueryError
from almagest.query.tables import jobtables

log = logging.getLogger(__name__)

PLAN_SECONDS = 2.0
"""What PostgreSQL may take to plan; a check is asked for with every pause in typing."""

SECONDS_PER_COST = 1e-5
"""What PostgreSQL calls 1 takes about so long here: 1,000,000 rows of 89 bytes are read whole for 23,000, in 0.2 s."""

MARGIN = 4
"""How much longer than estimated a query may take and still end in its queue."""

LARGE_ROWS = 100_000
"""Reading a table of fewer rows whole takes no time that anybody feels."""

_NAMED = 4
"""Columns that an advice names."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What PostgreSQL expects. rows: of the result; cost: in its own unit; indexed: whether no large table is read
    whole; seconds: a rough guess; queue: in which a job would surely end; sentence: this in words; advice: what would
    be cheaper."""

    rows: int
    cost: float
    indexed: bool
    seconds: float
    queue: str
    sentence: str
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a query. error: why it is none that can be answered, or None; columns: of its result; tables:
    that it reads, as queries write them; plan: None without one, and where nobody could make it now."""

    error: QueryError | None
    columns: Sequence[Column] = ()
    tables: tuple[str, ...] = ()
    plan: Plan | None = None


def check(identity: Identity, parameters: request.Parameters) -> Checked:
    """Check a query as `sync` and jobs do, and plan it with the identity's rights.

    Raises QueryError for what is wrong with the parameters other than QUERY, and when the database is away nothing:
    there is no plan then.
    """
    asked = request.check(parameters)
    holdings = catalogue.holdings(identity)
    try:
        translation = translate(identity, holdings, asked)
    except QueryError as error:
        return Checked(error)
    read = tuple(_tables(identity, holdings, asked.query, translation))
    return Checked(
        None, translation.columns, tuple(sorted(table.written for table in read)), _plan(identity, translation, read)
    )


def _tables(identity: Identity, holdings: Holdings, query: str, translation: Translation) -> Iterator[Table]:
    for schema, name in translation.tables:
        known = holdings.readable.table(schema, name, schema_delimited=True, name_delimited=True)
        if known:
            yield known
    yield from (table for table in jobtables.own_tables(identity, query) if _key(table) in translation.tables)


def _key(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _plan(identity: Identity, translation: Translation, read: Sequence[Table]) -> Plan | None:
    try:
        with datadb.reader() as connection:
            try:
                datadb.begin_reading(connection, identity, PLAN_SECONDS, translation.sorts)
                row = connection.execute(f"EXPLAIN (FORMAT JSON) {translation.sql}".encode()).fetchone()
            finally:
                if not connection.closed:
                    connection.rollback()
    except (psycopg.Error, BusyError) as error:
        log.info("a query could not be planned", extra={"reason": str(error)})
        return None
    return told(row[0][0]["Plan"], read) if row else None


def told(plan: Mapping[str, Any], read: Sequence[Table]) -> Plan:
    """PostgreSQL's plan in words. plan: as EXPLAIN (FORMAT JSON) has it; read: the tables of the query."""
    rows, cost = int(plan["Plan Rows"]), float(plan["Total Cost"])
    nodes = list(_nodes(plan))
    stored = {table.stored or _key(table): table for table in read}
    whole = {
        _key(table): table
        for node in nodes
        if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan")
        # One that is left when there are rows enough costs less in the end than to read it.
        and cost > float(node["Total Cost"]) / 2
        and (table := _named(node, stored)) is not None
        and (table.nrows or 0) > LARGE_ROWS
    }
    used = dict.fromkeys(
        str(table)
        for node in nodes
        if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
        and (table := _named(node, stored)) is not None
    )
    seconds = cost * SECONDS_PER_COST
    queue = limits.queue_for(int(seconds * MARGIN) + 1, queues()).name
    advice = tuple(map(_advice, whole.values()))
    return Plan(
        rows, cost, not whole, seconds, queue, _sentence(rows, seconds, queue, list(whole.values()), list(used)), advice
    )


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.get("Plans", ()))


def _named(node: Mapping[str, Any], stored: Mapping[tuple[str, str], Table]) -> Table | None:
    """The table that a scan reads; EXPLAIN tells schemas only where it is verbose."""
    names = [table for (_, name), table in stored.items() if name == node.get("Relation Name")]
    return names[0] if names else None


def _sentence(rows: int, seconds: float, queue: str, whole: Sequence[Table], used: Sequence[str]) -> str:
    expected = "1 row" if rows == 1 else f"About {rows:,} rows"
    if whole:
        reads = " and ".join(f"{table} ({table.nrows:,} rows)" for table in whole[:2])
        how = f"no index helps: {reads} read whole, {_duration(seconds)}"
    elif used:
        how = f"uses an index of {' and '.join(used[:2])}"
    else:
        how = "reads small tables only"
    return f"{expected}; {how}; queue {queue}."


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.0f} hours"


def _advice(table: Table) -> str:
    indexed = [column.name for column in table.columns if column.indexed and column.name not in (table.position or ())]
    ways = [f"restrict {' or '.join(indexed[:_NAMED])}"] if indexed else []
    if table.position:
        ra, dec = table.position
        ways.append(f"ask for a region of the sky, e.g. 1 = CONTAINS(POINT({ra}, {dec}), CIRCLE(56.75, 24.12, 1))")
    if not ways:
        ways.append("ask for fewer rows with TOP, or add a condition on another table that has an index")
    return f"To read less of {table}, {', or '.join(ways)}."
