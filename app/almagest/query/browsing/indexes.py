"""B-tree indexes of stored results, made when somebody sorts a large one, each in one transaction of its own.

An index is on the keys of an order and the rows' numbers, and its comment holds a sample of it: every so-many-th row's
keys and number, by which any place of the order is found without reading what is before it. Index and comment commit
together, so a process that is killed leaves nothing, and both go with the table. All that is known of an index is in
the data database: what this process remembers is only which it is making.

An index counts as part of its result: in the owner's quota, and in the number of bytes that the job tells. Where there
is no room for one, or PostgreSQL refuses it (a text of some kB has no place in an index), the result is sorted at each
request instead.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg
from django.db import Error as DatabaseError
from django.db import connections
from psycopg import sql

from almagest.query import datadb, limits, quotas, slots
from almagest.query.browsing import sampled
from almagest.query.browsing.reading import fetch
from almagest.query.browsing.remembered import Remembered
from almagest.query.browsing.sampled import Index
from almagest.query.browsing.selection import Order
from almagest.query.browsing.statements import Stored
from almagest.query.errors import BusyError, QueryError
from almagest.query.models import Job, Phase

log = logging.getLogger(__name__)

SAMPLES = 2048
"""Rows of a sample: between two of them are as many rows of the largest result as are skipped in a few milliseconds."""

AT_ONCE_SECONDS = 0.5
"""How long the request waits that an index is made for: for one of a million rows that is nearly enough."""

SECONDS = 600.0
"""That the making of an index may take."""

REFUSED_SECONDS = 60.0
"""How long an index that could not be made is not tried again: room may have been made for it."""

ENTRY_BYTES = 32
"""Of a row in an index, about."""

ONLY: Final = ("SET LOCAL enable_seqscan = off", "SET LOCAL enable_sort = off", "SET LOCAL enable_bitmapscan = off")
"""For statements that read an index in its order: what is thought to cost less without statistics costs far more."""

_BUSY = "as many results as this service sorts at once are being sorted; yours is the next"

_STATE = sql.SQL("""
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {} AND c.relname = {} AND c.relkind = 'i'
""")
_COMMENT = sql.SQL("SELECT obj_description({}, 'pg_class')")
_PROGRESS = sql.SQL("""
    SELECT CASE WHEN phase LIKE '%loading tuples%'
                THEN 0.5 + 0.35 * coalesce(tuples_done::float8 / nullif(tuples_total, 0), 0)
                WHEN phase LIKE '%sorting%' THEN 0.5
                ELSE 0.15 + 0.35 * coalesce(blocks_done::float8 / nullif(blocks_total, 0), 0) END
    FROM pg_stat_progress_create_index WHERE relid = {table}
    UNION ALL
    SELECT 0.15 * coalesce(heap_blks_scanned::float8 / nullif(heap_blks_total, 0), 0)
    FROM pg_stat_progress_vacuum WHERE relid = {table}
""")
_TABLE = sql.SQL("""
    SELECT c.oid, c.relpages, c.relallvisible FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {} AND c.relname = {} AND c.relkind = 'r'
""")
_OTHERS = sql.SQL("""
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
    WHERE i.indrelid = {} AND a.amname = 'btree' ORDER BY s.last_idx_scan DESC NULLS FIRST, c.oid DESC
""")
_LOCK = sql.SQL("SELECT pg_try_advisory_lock(hashtextextended({}, 2))")
_VISIBLE = 0.9
"""Part of a table's pages from which on VACUUM is not worth its time."""


@dataclass(frozen=True, slots=True)
class Preparing:
    """Something is not done yet: the making of an index, or the counting of rows. progress: from 0 to 1; sentence: what
    happens, for people; seconds: after which it is worth while to ask again; at once where each request does a part."""

    progress: float
    sentence: str
    seconds: int = 1


def find(job: Job, table: Stored, wanted: Order) -> Index | Preparing | None:
    """The index for an order, made when there is none; None where it cannot be.

    Raises BusyError when the data database does not answer.
    """
    work = _Work(job, table, sampled.serving(wanted))
    if (found := work.index()) is not None:
        return found
    with _lock:
        if _refused.get(work.name, 0) > time.monotonic():
            return None
        making = _making.get(work.name)
        if making is None and len(_making) < limits.INDEXING:
            making = _making[work.name] = threading.Event()
            threading.Thread(target=_make, args=(work, making), name=work.name, daemon=True).start()
            started = True
        else:
            started = False
    if started and making is not None and making.wait(AT_ONCE_SECONDS):
        if work.name in _refused:
            return None
        return work.index() or Preparing(0, _BUSY)
    return work.progress() if making is not None or work.elsewhere() else Preparing(0, _BUSY)


_lock = threading.Lock()
_making: dict[str, threading.Event] = {}
_refused: dict[str, float] = {}
"""Names of indexes that cannot be, and until when nobody tries again."""

_found: Remembered[Index] = Remembered(64)


class _Work:
    """The index of one order of one result, there or to be made."""

    def __init__(self, job: Job, table: Stored, order: Order) -> None:
        self.job = job
        self.table = table
        self.order = order
        said = hashlib.sha256(repr(order).encode()).hexdigest()
        self.name = f"sorted_{job.pk.hex}_{said[:16]}"

    def index(self) -> Index | None:
        """The index, if it is there."""
        for (oid,) in fetch(None, self._state(), ""):
            return _found.get(self.job.pk, oid, partial(self._told, oid))
        return None

    def _told(self, oid: int) -> Index:
        ((comment,),) = fetch(None, _COMMENT.format(sql.Literal(oid)), "")
        return Index.read(self.order, comment)

    def _state(self) -> sql.Composed:
        return _STATE.format(sql.Literal(self.job.result_schema), sql.Literal(self.name))

    def progress(self) -> Preparing:
        """How far the making is."""
        names = " and ".join(self.table.column(key.place).name for key in self.order)
        rows = self.job.nrows or 0
        place = fetch(None, self._table(), "")
        found = fetch(None, _PROGRESS.format(table=sql.Literal(place[0][0])), "") if place else []
        # The last part, in which a sample is taken, tells nothing of itself.
        progress = round(found[0][0], 3) if found else 0.85 if self.elsewhere() else 0.0
        return Preparing(progress, f"sorting {rows:,} rows by {names}; this is done once")

    def elsewhere(self) -> bool:
        """Whether somebody is making it."""
        held = sql.SQL(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
            " AND (classid::bigint << 32 | objid::bigint) = hashtextextended({}, 2))"
        )
        return bool(fetch(None, held.format(sql.Literal(self.name)), "")[0][0])

    def make(self) -> None:
        """Make it. Raises psycopg.Error, QueryError when it has no place or nobody may take the time for it."""
        with slots.slot(_BUSY) as slot, datadb.connected() as connection:
            slot.stay(_BUSY)
            try:
                row = connection.execute(_LOCK.format(sql.Literal(self.name))).fetchone()
                if row and row[0] and connection.execute(self._state()).fetchone() is None:
                    quotas.check_fits(self.job.owner, self.job.user_id, ENTRY_BYTES * (self.job.nrows or 0))
                    self._vacuum(connection)
                    nbytes = self._create(connection)
                    Job.objects.filter(pk=self.job.pk, phase=Phase.COMPLETED).update(nbytes=nbytes)
            finally:
                # Locks and roles of a session are for whoever has this connection next.
                _as_new(connection)

    def _table(self) -> sql.Composed:
        return _TABLE.format(sql.Literal(self.job.result_schema), sql.Literal(self.job.result_table))

    def _vacuum(self, connection: datadb.Connection) -> None:
        """Let PostgreSQL know that all rows are visible, without which it looks at each of them when it reads an index
        alone, and how values are distributed."""
        _, pages, visible = connection.execute(self._table()).fetchone() or (0, 0, 0)
        if pages and visible >= _VISIBLE * pages:
            return
        role = sql.Identifier(datadb.writing_role(self.job.keeper))
        connection.execute(sql.SQL("SET ROLE {}").format(role))
        connection.execute(f"SET statement_timeout = {round(SECONDS * 1000)}")
        connection.execute(
            sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE OFF, PROCESS_TOAST OFF) {}").format(self.table.place)
        )
        connection.execute("RESET ROLE")

    def _create(self, connection: datadb.Connection) -> int:
        """Returns what the result takes with it."""
        datadb.begin_writing(connection, self.job.keeper, SECONDS)
        self._make_room(connection)
        connection.execute(sampled.creation(self.table, self.order, self.name))
        comment = sql.SQL("COMMENT ON INDEX {} IS {}")
        place = sql.Identifier(self.job.result_schema, self.name)
        connection.execute(comment.format(place, sql.Literal(self._sampled(connection))))
        nbytes = datadb.size(connection, self.job.result_schema, self.job.result_table)
        quotas.check_fits(self.job.owner, self.job.user_id, nbytes - (self.job.nbytes or 0))
        connection.commit()
        return nbytes

    def _make_room(self, connection: datadb.Connection) -> None:
        oid, _, _ = connection.execute(self._table()).fetchone() or (0, 0, 0)
        found = connection.execute(_OTHERS.format(sql.Literal(oid))).fetchall()
        for (name,) in found[limits.INDEXES - 1 :]:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(self.job.result_schema, name)))

    def _sampled(self, connection: datadb.Connection) -> str:
        """The comment."""
        for setting in ONLY:
            connection.execute(setting)
        rows = self.job.nrows or 0
        step = max(1, rows // SAMPLES)
        found = connection.execute(sampled.sampling(self.table, self.order, step)).fetchall()
        (nulls,) = connection.execute(sampled.without_value(self.table, self.order)).fetchone() or (0,)
        return sampled.comment(rows, nulls, found)


def _make(work: _Work, done: threading.Event) -> None:
    """The edge of a thread."""
    try:
        work.make()
    except (QueryError, psycopg.Error, DatabaseError) as error:
        log.info("a result has no index", extra={"index": work.name, "reason": str(error)})
        later = isinstance(error, (BusyError, DatabaseError, psycopg.OperationalError))
        refused = not later or isinstance(error, psycopg.errors.QueryCanceled)
    except Exception:
        log.exception("the making of an index failed", extra={"index": work.name})
        refused = True
    else:
        refused = False
    finally:
        connections.close_all()
    with _lock:
        del _making[work.name]
        _refused.pop(work.name, None)
        if refused:
            _refused[work.name] = time.monotonic() + REFUSED_SECONDS
        for name in [name for name, until in _refused.items() if until < time.monotonic()]:
            del _refused[name]
    done.set()


def _as_new(connection: datadb.Connection) -> None:
    try:
        if not connection.closed:
            connection.rollback()
            connection.execute("DISCARD ALL")
    except psycopg.Error:
        connection.close()
