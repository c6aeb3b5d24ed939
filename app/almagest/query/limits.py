"""How much one query may take: rows, seconds, bytes of text. Every limit of the archive's queries has its home here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from almagest import adql
from almagest.config.environment import Queue
from almagest.formats.names import NAME_BYTES
from almagest.metadata import roles

DEFAULT_ROWS = 1_000_000
"""Rows of an answer to a request without MAXREC; announced as `outputLimit/default`. Large enough that CSV, which
cannot say that it was cut, rarely is; small enough that one careless `SELECT *` fills no disk."""

MAX_ROWS = 10_000_000
"""Rows of any answer, whatever MAXREC says; announced as `outputLimit/hard`."""

LARGE_BYTES = 8 << 20
"""An answer that has sent so much takes long for whoever reads slowly, and keeps its slot only where others have one.
The proxy takes twice as much off our hands at once, so that nobody is slow before. Where it could not keep its slot,
nothing is sent before it is clear that there is not so much."""

SPOOL_BYTES = 4 << 30
"""Bytes that one answer may take while its rows are counted (FITS)."""

SORTS = 8
"""How many sorts of one query may take roles.SORT_KIBIBYTES each; where it has more, they share what these take."""

TEMPORARY_BYTES = 8 << 30
"""Bytes that all answers whose rows were counted, and all uploads, of a process may take together until they are done
with: of a disk that the node needs for other things too."""

RESERVED_FOR_UPLOADS_BYTES = 2 << 30
"""Bytes of these that no answer may take: an answer waits there until its reader has it, however slow they are."""

SYNC_SECONDS = 60.0
"""Seconds that PostgreSQL works on, and sends, a synchronous answer."""

CONE_DEGREES = 90.0
"""The largest radius of a cone search; announced as `maxSR`. pgSphere has no circle that is more than half the sky."""

LOCK_SECONDS = roles.LOCK_SECONDS
"""Seconds that a query waits for a table that is being replaced."""

LINKED_ROWS = 500
"""Identifiers that one request may ask DataLink about; the answer to more of them says OVERFLOW."""

QUERY_CHARACTERS = adql.MAX_BYTES
"""Length of QUERY, counted before anything looks at it."""

VALUE_CHARACTERS = 20_000
"""Length of any other parameter; the addresses of UPLOAD_TABLES fit into it."""

RUN_ID_CHARACTERS = 64
"""Length of RUNID (DALI 1.1 §3.4.5)."""

UPLOAD_BYTES = 100 * 2**20
"""Size of an uploaded file, and of what it is decompressed to; announced as `uploadLimit`."""

UPLOAD_ROWS = 2_000_000
"""Rows of an uploaded table."""

UPLOAD_COLUMNS = 1000
"""Columns of an uploaded table; a row of more does not fit a page of PostgreSQL."""

UPLOAD_CELL_BYTES = 2**20
"""Size of one value of an uploaded table."""

UPLOAD_ROW_BYTES = 4 * 2**20
"""Size of one row of an uploaded table: a row is the least that is decoded, and encoded for PostgreSQL, at once."""

UPLOAD_TABLES = 10
"""Tables that come with one query."""

MEMORY_BYTES = 4 * 2**20
"""What of an upload, or of an answer whose rows are counted, waits in memory; beyond it, a temporary file is used."""

BODY_BYTES = UPLOAD_BYTES + 4 * 2**20
"""Size of a request's body: an upload and what is around it."""

FETCH_SECONDS = 30.0
"""Time for the whole of a file that UPLOAD points at."""

FETCH_CONNECT_SECONDS = 5.0
"""Time for its server to take the connection."""

RETENTION = timedelta(days=7)
"""Life of a job when nobody says otherwise."""

MAX_RETENTION = timedelta(days=30)
"""The latest destruction that a client may ask for, counted from now."""

ARCHIVE_RETENTION = timedelta(days=365)
"""How long the record of a user's job outlives its result."""

ENDED_JOBS: Mapping[str, int] = {"COMPLETED": 10_000, "ERROR": 2000, "ABORTED": 2000}
"""Jobs that have ended, by phase, of nobody's and as many of all visitors' together, that are kept: the newest. They
take room in the application's database, and no other limit counts errors, or results that are small. Each phase has a
number of its own, so that no number of failures, which cost nothing, displaces a result."""

ENDED_JOBS_OF_VISITOR = 1000
"""The same for the jobs of one visitor, in any phase: a visitor displaces their own jobs first."""

LISTED_JOBS = 10_000
"""Jobs in one list, the newest; LAST asks for fewer."""

LISTED_CHARACTERS = 1000
"""Of its query, that a list tells of a job."""

TABLE_NAME_CHARACTERS = NAME_BYTES
"""Length of a table's name."""

WAIT_SECONDS = 30.0
"""The longest that GET ?WAIT holds a request; the client asks again (UWS 1.1 §2.2.1.1 allows the cap)."""

CROWDED_WAIT_SECONDS = 0.25
"""The same when as many requests wait as a process lets wait."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one owner may have at once.

    nbytes, nrows: of all stored results together; active: jobs QUEUED or EXECUTING; pending: jobs that nobody has
    started yet, each with a query of up to QUERY_CHARACTERS and perhaps uploads; executing: jobs of one queue that
    run at the same time, so that nobody holds all its workers while others wait.
    """

    nbytes: int
    nrows: int
    active: int
    pending: int
    executing: int


INDEXED_ROWS = 200_000
"""Up to so many rows of a stored result PostgreSQL sorts within a tenth of a second; of more there are indexes."""

INDEXES = 6
"""B-tree indexes that a stored result may have at once; the one that was used least recently makes room for another."""

INDEXING = 2
"""Indexes of stored results that a process makes at once."""

PAGE_ROWS = 1000
"""Rows of one page of a stored result."""

PLOTTED_ROWS = 2_000_000
"""Rows of a stored result that are sent as points; more are counted in bins."""

BINS = 1_000_000
"""Cells of one two-dimensional histogram."""

GiB = 2**30

ALLOWANCES: Mapping[str, Allowance] = {
    "nobody": Allowance(nbytes=20 * GiB, nrows=1_000_000_000, active=2000, pending=5000, executing=4),
    "guest": Allowance(nbytes=1 * GiB, nrows=50_000_000, active=20, pending=50, executing=1),
    "guests": Allowance(nbytes=20 * GiB, nrows=1_000_000_000, active=2000, pending=5000, executing=4),
    "user": Allowance(nbytes=20 * GiB, nrows=1_000_000_000, active=200, pending=500, executing=2),
}
"""Unless a `Quota` says otherwise. `nobody` is all askers together that cannot be told from one another, `guest` one
visitor, `guests` all of them together."""


def rows(maxrec: int | None) -> int:
    """How many rows to send for a request's MAXREC."""
    return DEFAULT_ROWS if maxrec is None else min(maxrec, MAX_ROWS)


def sort_kibibytes(sorts: int) -> int | None:
    """What each of so many sorts may take, at least the 64 kB that PostgreSQL insists on; None for what its role has,
    roles.SORT_KIBIBYTES."""
    return None if sorts <= SORTS else max(64, SORTS * roles.SORT_KIBIBYTES // sorts)


def queue_for(seconds: int, queues: Sequence[Queue]) -> Queue:
    """The queue of a job that may run so long: the one with the smallest sufficient timeout.

    seconds: 0 asks for no limit (UWS 1.1 §2.2.1.3) and gets the slowest queue, as does more than any queue gives.
    """
    slowest = max(queues, key=lambda queue: queue.timeout)
    sufficient = [queue for queue in queues if queue.timeout >= seconds]
    if seconds == 0 or not sufficient:
        return slowest
    return min(sufficient, key=lambda queue: queue.timeout)


def duration(seconds: int, queues: Sequence[Queue]) -> int:
    """An execution duration as granted: at most what the slowest queue gives; 0 (no limit) becomes that."""
    longest = int(max(queue.timeout for queue in queues))
    return longest if seconds == 0 else min(seconds, longest)


def destruction(wanted: datetime, now: datetime) -> datetime:
    """A destruction time as granted: not before now, not after the longest retention."""
    return max(now, min(wanted, now + MAX_RETENTION))
