"""Tables that come with a request: decoded, then put where its query alone finds them, as `TAP_UPLOAD.<name>`.

A file is decoded before any connection to the database is held, into the bytes that COPY takes; so what is wrong with
it is said first, and a file that is slow to read keeps nobody waiting. Neither step holds more than a few blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import IO, BinaryIO, LiteralString, cast

import psycopg
from psycopg import sql

from almagest.catalogue import Column, Table
from almagest.config.environment import environment
from almagest.formats import pgcopy
from almagest.formats.block import Block, Text
from almagest.formats.decode import Bounds, Decoded, DecodingError, TooMuchError, decode
from almagest.query import datadb, limits, slots
from almagest.query.datadb import Connection
from almagest.query.errors import InternalError, InvalidRequestError, QueryError, TooLargeError
from almagest.query.request import Upload
from almagest.query.tables import fetch
from almagest.query.temporary import TemporaryFile
from almagest.query.watch import StalledError, watch

SCHEMA = "TAP_UPLOAD"
"""What queries call the schema of the tables that came with them (TAP 1.1 §2.7.5)."""

TEMPORARY = "pg_temp"
"""What every session of PostgreSQL calls the schema of its own tables."""

BOUNDS = Bounds(
    bytes=limits.UPLOAD_BYTES,
    rows=limits.UPLOAD_ROWS,
    columns=limits.UPLOAD_COLUMNS,
    cell=limits.UPLOAD_CELL_BYTES,
    row=limits.UPLOAD_ROW_BYTES,
)

PIECE = 1 << 18
"""Bytes of rows that are sent to PostgreSQL at once."""

ADVICE = "Upload fewer rows."

BLOCK_TURNS = 300
"""Turns of the watch for one block of rows: text of a thousand columns takes a minute of a processor."""

ANALYSED_ROWS = 10_000
"""From so many rows on the planner is told what is in the table; before, its size says enough."""

_MANY_UPLOADS = "too many uploads are being read at this moment; please try again soon"

_SHAPES: Mapping[str, LiteralString] = {
    "point": "spoint(radians(({0})[1]), radians(({0})[2]))",
    "circle": "scircle(spoint(radians(({0})[1]), radians(({0})[2])), radians(({0})[3]))",
    "polygon": "spoly_deg({0})",
}
"""xtype → pgSphere's value of an array of degrees."""

_TYPES = {"point": "spoint", "circle": "scircle", "polygon": "spoly"}

_REFUSED = (psycopg.DataError, psycopg.InternalError)
"""What pgSphere raises of values that it cannot take."""

MOST_ROWS_OF_A_PAGE = 300
"""PostgreSQL's limit is 291 (MaxHeapTuplesPerPage)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a request's body. media_type: as sent, possibly empty or nonsense."""

    file: BinaryIO
    media_type: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that is still to come. read: takes so many bytes of it, none at its end, and raises QueryError;
    media_type: as in `Part`."""

    read: Callable[[int], bytes]
    media_type: str


Parts = Mapping[str, Part | Unread]
"""Parts by name, which is what `param:<name>` means (DALI 1.1 §3.4.6)."""

NO_PARTS: Parts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Received:
    """A table that was decoded. copy: its rows as COPY takes them, open until its context ends."""

    name: str
    columns: tuple[Column, ...]
    nrows: int
    copy: IO[bytes]

    def table(self, schema: str, name: str) -> Table:
        """What a query may name, when the rows are stored so."""
        return Table(SCHEMA, self.name, self.columns, nrows=self.nrows, stored=(schema, name))


@contextmanager
def received(asked: Sequence[Upload], parts: Parts) -> Iterator[list[Received]]:
    """The tables that a request asks to have uploaded, in its order.

    Raises InvalidRequestError for a part that is missing or cannot be read, TooLargeError beyond a limit, BusyError
    when this process does, or keeps, as much as it may: a server that is read from may be slow.
    """
    with ExitStack() as files:
        tables = _received(asked, parts, files) if asked else []
        yield tables


def temporary(tables: Sequence[Received]) -> list[Table]:
    """What a query may name of tables that `store_temporarily` will put into its session."""
    return [table.table(TEMPORARY, _temporary_name(number)) for number, table in enumerate(tables)]


def store_temporarily(tables: Sequence[Received], connection: Connection, reader: str) -> None:
    """Put the tables into this session, where they end with its transaction, and let the role `reader` see them."""
    for number, table in enumerate(tables):
        name = _temporary_name(number)
        _create(connection, table, TEMPORARY, name, "TEMPORARY")
        grant = sql.SQL("GRANT SELECT ON {} TO {}")
        connection.execute(grant.format(sql.Identifier(TEMPORARY, name), sql.Identifier(reader)))


def store(connection: Connection, table: Received, schema: str, name: str, *, logged: bool = False) -> int:
    """Put a table where every connection finds it; returns the bytes that it takes.

    One that is not logged is emptied by a crash of the database.
    """
    _create(connection, table, schema, name, "" if logged else "UNLOGGED")
    return datadb.size(connection, schema, name)


def _temporary_name(number: int) -> str:
    return f"upload_{number}"


def _received(asked: Sequence[Upload], parts: Parts, files: ExitStack) -> list[Received]:
    with slots.slot(_MANY_UPLOADS) as slot:
        sources = [(upload, _source(upload, parts)) for upload in asked]
        if not all(isinstance(source, Part) for _, source in sources):
            # Whoever has still to send a table may be slow.
            slot.stay(_MANY_UPLOADS)
        try:
            with watch().step(BLOCK_TURNS):
                return [_receive(upload, source, files) for upload, source in sources]
        except StalledError as error:
            raise InternalError("upload") from error


def _source(upload: Upload, parts: Parts) -> Part | Unread | str:
    """The part that is meant, or the address. Raises InvalidRequestError when there is no such part."""
    if not upload.uri.lower().startswith("param:"):
        return upload.uri
    rest = upload.uri.partition(":")[2]
    if rest not in parts:
        raise InvalidRequestError(f"UPLOAD names the part {rest[:40]!r}, which the request does not have")
    return parts[rest]


def _receive(upload: Upload, source: Part | Unread | str, files: ExitStack) -> Received:
    try:
        part = source if isinstance(source, Part) else _whole(source, files)
        decoded = decode(part.file, part.media_type, BOUNDS)
        copy = files.enter_context(TemporaryFile())
        columns, nrows = _spool(decoded, copy)
    except DecodingError as error:
        kind: type[QueryError] = TooLargeError if isinstance(error, TooMuchError) else InvalidRequestError
        raise kind(f"the upload {upload.name}: {error}") from error
    copy.seek(0)
    return Received(upload.name, columns, nrows, copy)


def _whole(source: Unread | str, files: ExitStack) -> Part:
    """All of a part that is still to come, from whoever sends it or from an address. Raises QueryError."""
    if isinstance(source, str):
        file, media_type = files.enter_context(fetch.fetched(source, BOUNDS.bytes, environment().upload_networks))
        return Part(file, media_type)
    copy = files.enter_context(TemporaryFile())
    while piece := source.read(PIECE):
        watch().sign()
        copy.write(piece)
        if copy.tell() > BOUNDS.bytes:
            raise TooLargeError(f"the table has more than {BOUNDS.bytes:,} bytes, which is the most allowed")
    return Part(cast("BinaryIO", copy), source.media_type)


def _spool(decoded: Decoded, copy: IO[bytes]) -> tuple[tuple[Column, ...], int]:
    """Write the rows; returns the columns, now that their values are known, and how many rows there are."""
    nrows = 0
    unicode_columns: set[int] = set()
    copy.write(pgcopy.HEADER)
    for block in decoded.blocks:
        watch().sign()
        nrows += len(block)
        unicode_columns.update(_beyond_ascii(block))
        for piece in pgcopy.pieces(block):
            copy.write(piece)
    copy.write(pgcopy.TRAILER)
    columns = tuple(
        replace(column, datatype="unicodeChar") if index in unicode_columns else column
        for index, column in enumerate(decoded.columns)
    )
    return columns, nrows


def _beyond_ascii(block: Block) -> Iterator[int]:
    for index, values in enumerate(block.columns):
        if isinstance(values, Text) and len(values.data) and values.data.max() > 127:
            yield index


def _create(connection: Connection, table: Received, schema: str, name: str, kind: str) -> None:
    place = sql.Identifier(schema, name)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(pgcopy.sql_type(column)))
        for column in table.columns
    )
    connection.execute(sql.SQL("CREATE {} TABLE {} ({})").format(sql.SQL(kind), place, columns))
    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(place)) as target:
        while piece := table.copy.read(PIECE):
            target.write(piece)
    for column in table.columns:
        if column.xtype in _SHAPES:
            _shape(connection, table.name, place, column)
    if table.nrows >= ANALYSED_ROWS:
        connection.execute(sql.SQL("ANALYZE {}").format(place))


def _shape(connection: Connection, table: str, place: sql.Identifier, column: Column) -> None:
    """Make pgSphere's values of a column of degrees; it has no binary form that COPY could take.

    Raises InvalidRequestError with the row of what is no shape, which a polygon's edges show only here.
    """
    name, xtype = sql.Identifier(column.name), column.xtype or ""
    shape = sql.SQL(_SHAPES[xtype]).format(name)
    statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {} USING {}")
    try:
        with connection.transaction():
            connection.execute(statement.format(place, name, sql.SQL(_TYPES[xtype]), shape))
    except _REFUSED as error:
        row, reason = _first_refused(connection, place, shape)
        message = f"the upload {table}: row {row:,}, column {column.name!r}: is no {xtype} of the database: {reason}"
        raise InvalidRequestError(message) from error


def _first_refused(connection: Connection, place: sql.Identifier, shape: sql.Composed) -> tuple[int, str]:
    """The number of the first row that is no shape, and why, found by halving the pages and then the rows of one."""
    everything = sql.SQL("SELECT pg_relation_size({}::regclass)")
    (nbytes,) = connection.execute(everything.format(sql.Literal(place.as_string(connection)))).fetchone() or (0,)
    # The roles of askers may not call current_setting.
    (page_bytes,) = connection.execute("SHOW block_size").fetchone() or (8192,)
    pages = nbytes // int(page_bytes)
    page, _ = _halved(connection, place, shape, 0, pages, "({},0)")
    item, reason = _halved(connection, place, shape, 1, MOST_ROWS_OF_A_PAGE, f"({page},{{}})")
    before = sql.SQL("SELECT count(*) FROM {} WHERE ctid < {}::tid")
    (rows,) = connection.execute(before.format(place, sql.Literal(f"({page},{item})"))).fetchone() or (0,)
    return rows + 1, reason


def _halved(
    connection: Connection, place: sql.Identifier, shape: sql.Composed, low: int, high: int, tid: str
) -> tuple[int, str]:
    """The first of the numbers in the rows' addresses `tid` where a shape is refused, and why."""
    reading, reason = sql.SQL("SELECT count({}) FROM {} WHERE ctid >= {}::tid AND ctid < {}::tid"), ""
    while low < high and (high - low > 1 or not reason):
        middle = max(low + 1, (low + high) // 2)
        ends = (sql.Literal(tid.format(number)) for number in (low, middle))
        try:
            with connection.transaction():
                connection.execute(reading.format(shape, place, *ends))
        except _REFUSED as error:
            high, reason = middle, error.diag.message_primary or ""
        else:
            low = middle
    return low, reason
