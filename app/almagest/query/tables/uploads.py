"""Tables that come with a request: decoded, then put where its query alone finds them, as `TAP_UPLOAD.<name>`.

A file is decoded before any connection to the database is held, into the bytes that COPY takes; so what is wrong with
it is said first, and a file that is slow to read keeps nobody waiting. Neither step holds more than a few blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import IO, BinaryIO

from psycopg import sql

from almagest.adql.catalogue import Column, Table
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

_SHAPES = {
    "point": "spoint(radians(({0})[1]), radians(({0})[2]))",
    "circle": "scircle(spoint(radians(({0})[1]), radians(({0})[2])), radians(({0})[3]))",
    "polygon": "spoly_deg({0})",
}
"""xtype → pgSphere's value of an array of degrees."""

_TYPES = {"point": "spoint", "circle": "scircle", "polygon": "spoly"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a request's body. media_type: as sent, possibly empty or nonsense."""

    file: BinaryIO
    media_type: str


Parts = Mapping[str, Part]
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
        if not all(map(_inline, asked)):
            slot.stay(_MANY_UPLOADS)
        try:
            with watch().step(BLOCK_TURNS):
                return [_receive(upload, parts, files) for upload in asked]
        except StalledError as error:
            raise InternalError("upload") from error


def _inline(upload: Upload) -> bool:
    return upload.uri.lower().startswith("param:")


def _receive(upload: Upload, parts: Parts, files: ExitStack) -> Received:
    try:
        part = _part(upload, parts, files)
        decoded = decode(part.file, part.media_type, BOUNDS)
        copy = files.enter_context(TemporaryFile())
        columns, nrows = _spool(decoded, copy)
    except DecodingError as error:
        kind: type[QueryError] = TooLargeError if isinstance(error, TooMuchError) else InvalidRequestError
        raise kind(f"the upload {upload.name}: {error}") from error
    copy.seek(0)
    return Received(upload.name, columns, nrows, copy)


def _part(upload: Upload, parts: Parts, files: ExitStack) -> Part:
    """Where the table is. Raises InvalidRequestError when it is nowhere, TooLargeError when it is too large."""
    if _inline(upload):
        rest = upload.uri.partition(":")[2]
        if rest not in parts:
            raise InvalidRequestError(f"UPLOAD names the part {rest[:40]!r}, which the request does not have")
        return parts[rest]
    file, media_type = files.enter_context(fetch.fetched(upload.uri, BOUNDS.bytes, environment().upload_networks))
    return Part(file, media_type)


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
            _shape(connection, place, column)
    if table.nrows >= ANALYSED_ROWS:
        connection.execute(sql.SQL("ANALYZE {}").format(place))


def _shape(connection: Connection, place: sql.Identifier, column: Column) -> None:
    """Make pgSphere's values of a column of degrees; it has no binary form that COPY could take."""
    name = sql.Identifier(column.name)
    statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {} USING {}").format(
        place, name, sql.SQL(_TYPES[column.xtype or ""]), sql.SQL(_SHAPES[column.xtype or ""]).format(name)
    )
    connection.execute(statement)
