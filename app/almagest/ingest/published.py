"""What the published metadata say of tables, held against the data database, and their examples, run as anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from django.db.models import QuerySet

from almagest.accounts.identity import NOBODY
from almagest.config.environment import environment
from almagest.ingest.errors import IngestError
from almagest.ingest.remarks import Remark, SaidOfColumn, SaidOfTable, remarks
from almagest.metadata import models
from almagest.metadata.catalogue import holdings
from almagest.query import datadb, request
from almagest.query.answers.sync import translate
from almagest.query.errors import QueryError
from almagest.query.failures import explain

EXAMPLE_SECONDS = 30
"""An example that takes longer discourages whoever tries it."""


def of_tables(names: Sequence[str]) -> list[Remark]:
    """Remarks on the tables called `schema.table`, or on all. Raises IngestError for one that is not there."""
    tables = models.Table.objects.select_related("schema").prefetch_related("columns", "examples", "schema__creators")
    with psycopg.connect(environment().datadb_conninfo("almagest_query"), autocommit=True) as data:
        return [remark for table in _chosen(tables, names) for remark in _of_table(table, data)]


def _chosen(tables: QuerySet[models.Table], names: Sequence[str]) -> list[models.Table]:
    known = {str(table): table for table in tables}
    for name in names:
        if name not in known:
            raise IngestError(f"there is no table {name!r}; there are {', '.join(sorted(known)) or 'none'}")
    return [known[name] for name in names or sorted(known)]


def _of_table(table: models.Table, data: psycopg.Connection) -> Iterator[Remark]:
    yield from remarks(_said(table))
    yield from _ledger(table, data)
    for example in table.examples.all():
        failure = _failure(example.query, data)
        if failure:
            yield Remark("error", str(table), f"the example {example.name!r} fails: {failure}")


def _said(table: models.Table) -> SaidOfTable:
    columns = [
        SaidOfColumn(column.name, column.datatype, column.unit, column.ucd, column.description, column.nulls)
        for column in table.columns.all()
    ]
    return SaidOfTable(
        name=str(table),
        title=table.title,
        description=table.description,
        position=(table.ra_column, table.dec_column) if table.ra_column else None,
        epoch=table.epoch,
        columns=columns,
        schema_description=table.schema.description,
        licence=table.schema.licence,
        creators=[creator.name for creator in table.schema.creators.all()],
    )


def _ledger(table: models.Table, data: psycopg.Connection) -> Iterator[Remark]:
    """Whether the table is there, and still has the rows that were counted when it was loaded."""
    row = data.execute(
        """SELECT almagest.rows_loaded(n.nspname, c.relname), c.reltuples::bigint
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = %s AND c.relname = %s""",
        (table.schema.name, table.name),
    ).fetchone()
    if row is None:
        yield Remark("error", str(table), "is described and is not in the data database; ingest it")
    elif row[0] != table.nrows:
        message = f"is described with {table.nrows:,} rows and was loaded with {row[0] or 0:,}; ingest it"
        yield Remark("error", str(table), message)
    elif row[1] >= 0 and abs(row[1] - row[0]) > row[0] * 0.01 + 1:
        message = f"had {row[0]:,} rows when it was loaded and has about {row[1]:,}: its statistics are stale"
        yield Remark("warning", str(table), f"{message}; ingest it")


def _failure(query: str, data: psycopg.Connection) -> str | None:
    """Why a query does not run as anybody would run it; None when it gives a row, or none, in time."""
    try:
        asked = request.check({"LANG": "ADQL", "QUERY": query, "MAXREC": "1"})
        translation = translate(NOBODY, holdings(NOBODY), asked)
        datadb.begin_reading(data, NOBODY, EXAMPLE_SECONDS, translation.sorts)
        data.execute(translation.sql.encode())
    except QueryError as error:
        return str(error)
    except psycopg.Error as error:
        return str(explain(error, f"An example may take {EXAMPLE_SECONDS} s."))
    finally:
        data.rollback()
    return None
