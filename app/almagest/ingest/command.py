"""`almagest-app ingest`: one source into one table.

Two databases take part, and no transaction spans both. The data database goes first: table, grants and ledger change
together there. The metadata follow, and are derived from the layout and the ledger alone. So after a kill between the
two the old metadata stand beside the new table, the queries that they allow still run under grants that are right, and
the next run finds the fingerprint in the ledger, loads nothing and writes the metadata. Only a table that is described
can be queried, so a new table is never visible half way.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.db import Error as DatabaseError

from almagest.config.environment import Dataset, Format, datasets, environment
from almagest.ingest.errors import IngestError
from almagest.ingest.layout import layout
from almagest.ingest.load import load, present
from almagest.ingest.progress import progress
from almagest.ingest.publish import publish
from almagest.ingest.readers import digest
from almagest.ingest.server import Server
from almagest.ingest.source import open_source
from almagest.ingest.staging import Staging
from almagest.metadata.grants import synchronise

log = logging.getLogger("almagest.ingest")


def ingest(
    dataset: str | None,
    source: str | None,
    table: str | None,
    format_name: Format | None,
    metadata: Path | None,
    jobs: int,
) -> int:
    """Load an entry of datasets.json, or `source` into `table`; returns the exit code. jobs: what is done at a time."""
    try:
        wanted = _wanted(dataset, source, table, format_name)
        _run(wanted, metadata, jobs)
    except IngestError as error:
        print(f"almagest-app ingest: {error}", file=sys.stderr)
        return 1
    except (psycopg.Error, DatabaseError) as error:
        print(f"almagest-app ingest: database: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _wanted(dataset: str | None, source: str | None, table: str | None, format_name: Format | None) -> Dataset:
    """What the command line asks for. Raises IngestError when it asks for nothing or for two things."""
    if dataset and (source or table):
        raise IngestError("say --dataset TABLE, or SOURCE and --table, not both")
    if dataset:
        return _entry(datasets(), dataset)
    if not (source and table):
        raise IngestError("say what to load: --dataset TABLE, or SOURCE and --table SCHEMA.TABLE")
    return Dataset.model_construct(table=table, source=source, format=format_name)


def _entry(entries: Sequence[Dataset], table: str) -> Dataset:
    for entry in entries:
        if entry.table == table:
            return entry
    known = ", ".join(entry.table for entry in entries) or "none"
    raise IngestError(f"datasets.json has no table {table!r}; it has {known}")


def _run(wanted: Dataset, metadata: Path | None, jobs: int) -> None:
    settings = environment()
    began = time.monotonic()
    source, description = open_source(wanted.source, wanted.format, metadata, settings.files_dir)
    plan = layout(wanted.table, source, description)
    digests = tuple(map(digest, source.parts))
    staging = Staging(plan, digests, plan.fingerprint(digests))
    server = Server(settings.datadb_conninfo("almagest"), str(plan))
    with server.alone(lambda: log.info("%s: another ingest of this table runs; waiting for it", plan)) as data:
        _require_provisioned(data)
        loaded = present(data, plan)
        fresh = loaded is None or loaded.fingerprint != staging.fingerprint
        if loaded is None or fresh:
            with progress(str(plan), source.rows) as report:
                hidden = description.table.published is False
                loaded = load(server, data, staging, source, published=not hidden, jobs=jobs, report=report)
        described = publish(plan, description, loaded)
        granted = synchronise(data)
    done = "loaded" if fresh else "metadata updated" if described or granted else "nothing changed"
    seconds = round(time.monotonic() - began, 2)
    log.info("%s: %s", plan, done, extra={"table": str(plan), "rows": loaded.nrows, "seconds": seconds})


def _require_provisioned(data: psycopg.Connection[Any]) -> None:
    row = data.execute("SELECT to_regclass('almagest.parts')").fetchone()
    if not (row and row[0]):
        raise IngestError("the data database is not set up; run `almagest-app migrate` first")
