"""A loaded table's indexes, several at a time, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.sql import SQL, Composed, Identifier

from almagest.ingest.errors import IngestError
from almagest.ingest.progress import Report
from almagest.ingest.server import Server
from almagest.ingest.staging import Staging, point, staged

SECONDS = 1.0
"""Between two looks at how far the builds are."""

MEMORY = "128MB"
"""For each index at a time: a tenth of it holds the keys of a million rows."""


def build(
    server: Server, data: Connection[Any], staging: Staging, file: str, jobs: int, rows: int, report: Report
) -> None:
    """Make every index that is not there yet, `jobs` at a time: a load that was killed keeps those that it finished.

    data: to ask how far they are; file: as errors name the source; rows: of the table, for the report. Raises
    IngestError when a primary key is not unique; the other indexes are finished first.
    """
    with ThreadPoolExecutor(jobs, "index") as pool:
        alone = jobs == 1
        builds = [pool.submit(_build, server, name, sql, file, alone=alone) for name, sql in _statements(staging)]
        try:
            _watch(builds, server, data, rows, report)
        except BaseException:  # also Ctrl-C: the pool waits for its threads
            server.end_others(data)
            raise
    for finished in builds:
        finished.result()


def _watch(builds: Sequence[Future[None]], server: Server, data: Connection[Any], rows: int, report: Report) -> None:
    unfinished = set(builds)
    while unfinished:
        _, unfinished = wait(unfinished, timeout=SECONDS)
        for name, share in server.building(data):
            report(f"indexing {name}", rows, share)


def _statements(staging: Staging) -> Iterator[tuple[str, Composed]]:
    """(what is indexed, the statement), the longest first."""
    layout, table = staging.layout, staged(staging.ready)
    if layout.position:
        yield (
            "sky",
            SQL("CREATE INDEX IF NOT EXISTS {} ON {} USING gist ({})").format(
                Identifier(staging.index("sky")), table, point(layout.position)
            ),
        )
    if layout.primary_key:
        yield (
            layout.primary_key,
            SQL("CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({})").format(
                Identifier(staging.index("pkey")), table, Identifier(layout.primary_key)
            ),
        )
    for number, column in enumerate(layout.indexes):
        yield (
            column,
            SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({})").format(
                Identifier(staging.index(f"i{number}")), table, Identifier(column)
            ),
        )


def _build(server: Server, name: str, statement: Composed, file: str, *, alone: bool) -> None:
    with server.connect(name) as connection:
        connection.execute(SQL("SET maintenance_work_mem = {}").format(MEMORY))
        if not alone:
            # The builds share the processors already; helpers of each would only take turns with the others'.
            connection.execute("SET max_parallel_maintenance_workers = 0")
        try:
            connection.execute(statement)
        except UniqueViolation as error:
            raise IngestError(f"the primary key is not unique: {error.diag.message_detail}", file=file) from error
