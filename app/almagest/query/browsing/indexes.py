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
import json
import logging
import threading
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg
from django.db import Error as DatabaseError
from django.db import connections
from psycopg import sql

from almagest.query import datadb, limits, quotas, slots
from almagest.query.browsing import statements
from almagest.query.browsing.reading import fetch
from almagest.query.browsing.remembered import Remembered
from almagest.query.browsing.selection import Key, Order
from almagest.query.browsing.statements import NUMBER_NAME, Sample, Stored
from almagest.query.errors import QueryError, QuotaError
from almagest.query.models import Job, Phase

log = logging.getLogger(__name__)

SAMPLES = 2048
"""Rows of a sample: between two of them are as many rows of the largest result as are skipped in a few milliseconds."""

AT_ONCE_SECONDS = 0.5
"""How long the request waits that an index is made for: for one of a million rows that is nearly enough."""

SECONDS = 600.0
"""That the making of an index may take."""

ENTRY_BYTES = 32
"""Of a row in an index, about."""

SAMPLE_CHARACTERS = 200
"""Of a text in a sample; where there are longer ones there is no sample."""

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
    """An index is being made. progress: from 0 to 1; sentence: what happens, for people."""

    progress: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index. order: of its rows; rows: in all; nulls: those whose first key is NULL; samples: in its order."""

    order: Order
    rows: int
    nulls: int
    samples: tuple[Sample, ...]

    def before(self, place: int) -> Sample | None:
        """The last of the samples that is not after this place."""
        found = bisect_right(self.samples, place, key=lambda sample: sample.place)
        return self.samples[found - 1] if found else None

    def spans(self, wanted: Order, offset: int, count: int) -> Iterator[tuple[int, int]]:
        """Where the rows of a page are in the index, as first places and how many: in another direction they are the
        other way round, but for NULL, which is last in both."""
        if wanted == self.order:
            yield offset, count
            return
        valued = self.rows - self.nulls
        of_values = max(0, min(count, valued - offset))
        if of_values:
            yield valued - offset - of_values, of_values
        if of_nulls := count - of_values:
            skipped = max(0, offset - valued)
            yield self.rows - skipped - of_nulls, of_nulls


def find(job: Job, table: Stored, wanted: Order) -> Index | Preparing | None:
    """The index for an order, made when there is none; None where it cannot be.

    Raises BusyError when the data database does not answer.
    """
    work = _Work(job, table, _kept(wanted))
    if (found := work.index()) is not None:
        return found
    with _lock:
        if work.name in _refused:
            return None
        making = _making.get(work.name)
        if making is None and len(_making) < limits.INDEXING:
            making = _making[work.name] = threading.Event()
            threading.Thread(target=_make, args=(work, making), name=work.name, daemon=True).start()
            started = True
        else:
            started = False
    if started and making is not None and making.wait(AT_ONCE_SECONDS):
        with _lock:
            if work.name in _refused:
                return None
        return work.index() or Preparing(0, _BUSY)
    return work.progress() if making is not None or work.elsewhere() else Preparing(0, _BUSY)


def _kept(wanted: Order) -> Order:
    """The order of the index that serves this one: of a single key in either direction the same."""
    return (Key(wanted[0].place),) if len(wanted) == 1 else wanted


_lock = threading.Lock()
_making: dict[str, threading.Event] = {}
_refused: set[str] = set()
"""Names of indexes that cannot be: forgotten with the process."""

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
        return _told(self.order, comment)

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
        create = sql.SQL("CREATE INDEX {} ON {} ({})")
        keys = statements.order_by(self.table, self.order)
        connection.execute(create.format(sql.Identifier(self.name), self.table.place, keys))
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
        keys = statements.listed(self.table, [key.place for key in self.order])
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(self.table.name(key.place)) for key in self.order)
        order = statements.order_by(self.table, self.order)
        sample = sql.SQL(
            "SELECT place, {number}, {texts} FROM (SELECT {keys}, {number}, row_number() OVER (ORDER BY {order}) - 1 AS"
            " place FROM {table}) AS s WHERE place % {step} = 0"
        )
        found = connection.execute(
            sample.format(
                number=NUMBER_NAME, texts=texts, keys=keys, order=order, table=self.table.place, step=sql.Literal(step)
            )
        ).fetchall()
        first = self.table.name(self.order[0].place)
        null = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(self.table.place, first)
        (nulls,) = connection.execute(null).fetchone() or (0,)
        short = all(len(text or "") <= SAMPLE_CHARACTERS for _, _, *texts_ in found for text in texts_)
        return json.dumps({"rows": rows, "nulls": nulls, "samples": found if short else []})


def _told(order: Order, comment: str) -> Index:
    told = json.loads(comment)
    samples = tuple(Sample(place, tuple(values), number) for place, number, *values in told["samples"])
    return Index(order, told["rows"], told["nulls"], samples)


def _make(work: _Work, done: threading.Event) -> None:
    """The edge of a thread."""
    try:
        work.make()
    except (QueryError, psycopg.Error, DatabaseError) as error:
        log.info("a result has no index", extra={"index": work.name, "reason": str(error)})
        refused = isinstance(error, (QuotaError, psycopg.errors.ProgramLimitExceeded))
    except Exception:
        log.exception("the making of an index failed", extra={"index": work.name})
        refused = True
    else:
        refused = False
    finally:
        connections.close_all()
    with _lock:
        del _making[work.name]
        if refused:
            _refused.add(work.name)
    done.set()


def _as_new(connection: datadb.Connection) -> None:
    try:
        if not connection.closed:
            connection.rollback()
            connection.execute("DISCARD ALL")
    except psycopg.Error:
        connection.close()
