"""The first rows of a table, for whoever wants to see what it looks like before they ask it anything."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from almagest import adql
from almagest.accounts.identity import Identity
from almagest.catalogue import Column, Table, written
from almagest.metadata.catalogue import Holdings
from almagest.query import datadb
from almagest.query.errors import BusyError
from almagest.query.failures import explain

ROWS = 5
SECONDS = 2.0
"""A look may take no longer."""

PAUSE_SECONDS = 15.0
"""After a look that failed, so that pages do not wait for a server that is away, each for itself."""

CACHED = 256
"""Samples that a process keeps; they are old as soon as the metadata change, as they do when a table is loaded."""

AWAY = "the data database does not answer at the moment; please try again soon"


@dataclass(frozen=True, slots=True)
class Sample:
    """A few rows as Python values, and what their columns are."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


Key = tuple[datetime, str, tuple[str, ...]]

_lock = threading.Lock()
_samples: OrderedDict[Key, Sample] = OrderedDict()
_not_before = 0.0


def sample(identity: Identity, holdings: Holdings, table: Table, columns: Sequence[Column] | None = None) -> Sample:
    """The first rows of a table that the asker may read, read with their rights.

    table: of `holdings.readable`; columns: those of it that are wanted, None for all. Whoever may read the same columns
    gets the same rows, so they are read once. Raises QueryError.
    """
    global _not_before  # noqa: PLW0603 - one for each process
    chosen = table.columns if columns is None else tuple(columns)
    key = (holdings.changed, str(table), tuple(column.name for column in chosen))
    with _lock:
        found = _samples.get(key)
        if found is None and time.monotonic() < _not_before:
            raise BusyError(AWAY)
    if found is None:
        try:
            found = _read(identity, holdings, table, chosen)
        except BusyError:
            _not_before = time.monotonic() + PAUSE_SECONDS
            raise
        with _lock:
            _samples[key] = found
            if len(_samples) > CACHED:
                _samples.popitem(last=False)
    return found


def _read(identity: Identity, holdings: Holdings, table: Table, columns: tuple[Column, ...]) -> Sample:
    names = ", ".join(written(column.name) for column in columns)
    translation = adql.translate(f"SELECT TOP {ROWS} {names} FROM {table.written}", holdings.readable)  # noqa: S608 - it is ADQL
    with datadb.reader() as connection:
        try:
            datadb.begin_reading(connection, identity, SECONDS)
            rows = connection.execute(translation.sql.encode()).fetchall()
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and not isinstance(error, psycopg.errors.QueryCanceled):
                raise BusyError(AWAY) from error
            raise explain(error, f"A look at a table may take {SECONDS:g} s.") from error
        finally:
            if not connection.closed:
                connection.rollback()
    return Sample(columns, tuple(rows))
