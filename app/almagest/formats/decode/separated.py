"""CSV and its relatives (RFC 4180; also tabs, semicolons, bars; ECSV 1.0), typed by all of their values.

A first pass keeps, for each column, the types that all of its values could have; the second gives blocks of the
narrowest. A type that ECSV's header or the caller declares is not guessed, and a value that does not fit it is an error
with its row. An empty field is null, also in a table of one column, where it is an empty line; `""` is an empty text.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from almagest.catalogue import Column, Datatype
from almagest.formats.block import ROWS, Block
from almagest.formats.decode import ecsv, words
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.guesses import Guess
from almagest.formats.decode.table import BLOCK_BYTES, Bounds, Decoded, described

OPENING = 1 << 20
"""Bytes in which the header has to end."""

_END = "\x1e"
"""In every field of a row that is put behind those that are parsed: a quote that is not closed would hide it."""

_NEVER_CLOSED = "is not readable as CSV: a quote opens here and is never closed"

_QUOTED = re.compile('"(?:[^"]|"")*"')

NOTHING_DECLARED: Mapping[str, Datatype] = {}


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The table of a file with a header line; lines that begin with `#` before it are comments, or ECSV's header.

    file: read twice, from its beginning. Raises DecodingError, also while the blocks are taken.
    """
    table = opened(file, bounds)
    return Decoded(table.columns, table.blocks(file))


def decode_tabs(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The same of IANA's text/tab-separated-values, where a quote is a character as any other."""
    table = opened(file, bounds, tabs_only=True)
    return Decoded(table.columns, table.blocks(file))


def opened(
    file: BinaryIO, bounds: Bounds, declared: Mapping[str, Datatype] = NOTHING_DECLARED, *, tabs_only: bool = False
) -> Separated:
    """A file whose columns and number of rows are known. declared: types by name in the header. Raises DecodingError.

    file: read once from its beginning.
    """
    header = _header(file, tabs_only=tabs_only)
    names = [column.name for column in header.columns]
    bounds.check_columns(len(names))
    guesses = [None if header.typed or name in declared else Guess() for name in names]
    rows = 0
    for table in _tables(file, header, bounds):
        rows += len(table)
        bounds.check_rows(rows)
        for guess, values in zip(guesses, table.columns, strict=True):
            if guess:
                guess.see(_array(values))
    columns = [
        guess.column(column.name) if guess else _declared(column, declared)
        for guess, column in zip(guesses, header.columns, strict=True)
    ]
    return Separated(described(columns), rows, names, header, bounds)


@dataclass(frozen=True)
class Separated:
    """A file that was read once. names: of its columns as the header has them."""

    columns: tuple[Column, ...]
    rows: int
    names: Sequence[str]
    header: _Header
    bounds: Bounds

    def blocks(self, file: BinaryIO) -> Iterator[Block]:
        """All rows in order. file: the same, read from its beginning. Raises DecodingError."""
        first = 1
        for table in _tables(file, self.header, self.bounds):
            for start in range(0, len(table), ROWS):
                part = table.slice(start, ROWS)
                pairs = zip(part.columns, self.columns, strict=True)
                yield Block(first, tuple(words.values(_array(values), column, first) for values, column in pairs))
                first += len(part)


@dataclass(frozen=True)
class _Header:
    """columns: their names, and of ECSV, which is `typed`, all about them; size: bytes of the file up to its rows;
    quoted: what a field with quotes looks like, and one that goes on behind the end, None where quotes are text."""

    columns: tuple[Column, ...]
    delimiter: str
    size: int
    quoted: re.Pattern[bytes] | None
    typed: bool = False


def _declared(column: Column, declared: Mapping[str, Datatype]) -> Column:
    datatype = declared.get(column.name, column.datatype)
    if datatype == column.datatype:
        return column
    arraysize = "*" if datatype in ("char", "unicodeChar") else None
    return replace(column, datatype=datatype, arraysize=arraysize, xtype=None)


def _header(file: BinaryIO, *, tabs_only: bool) -> _Header:
    """Raises DecodingError for a file without one."""
    file.seek(0)
    opening = file.read(OPENING)
    mark = codecs.BOM_UTF8 if opening.startswith(codecs.BOM_UTF8) else b""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(opening[len(mark) :], len(opening) < OPENING)
    except UnicodeDecodeError as error:
        raise _no_text() from error
    lines = io.StringIO(text, newline="")
    comments: list[str] = []
    for line in lines:
        if tabs_only or not line.startswith("#"):
            break
        comments.append(line)
    else:
        raise DecodingError("the file has no header line")
    said = _ecsv(comments)
    delimiter = said.delimiter if said else "\t" if tabs_only else _delimiter(line)
    names, used = _names(line, lines, delimiter, quoted=not tabs_only)
    if len(opening) == OPENING and lines.tell() == len(text):
        raise TooMuchError(f"the header is longer than {OPENING:,} bytes")
    if not any(name.strip() for name in names):
        raise DecodingError("the file has no header line")
    size = len(mark) + len("".join([*comments, *used]).encode())
    quoted = None if tabs_only else _quoted(delimiter)
    if said is None:
        columns = tuple(Column(name.strip(), "char", "*") for name in names)
        return _Header(columns, delimiter, size, quoted)
    if [column.name for column in said.columns] != names:
        raise DecodingError("the ECSV header describes other columns than the line of names has")
    return _Header(said.columns, delimiter, size, quoted, typed=True)


def _quoted(delimiter: str) -> re.Pattern[bytes]:
    """A quote that stands elsewhere than at the beginning of a field is a character as any other."""
    return re.compile(rb"(?:\A|(?<=[\r\n" + re.escape(delimiter.encode()) + rb']))"[^"]*(?:""[^"]*)*(?:"|\Z)')


def _ecsv(comments: Sequence[str]) -> ecsv.Header | None:
    if not comments or not comments[0].startswith(ecsv.MARK):
        return None
    return ecsv.Header([line.removeprefix("#").removeprefix(" ") for line in comments[1:]])


def _delimiter(line: str) -> str:
    bare = _QUOTED.sub("", line)
    return max(",\t;|", key=bare.count)


def _names(line: str, rest: Iterator[str], delimiter: str, *, quoted: bool) -> tuple[list[str], list[str]]:
    """The names, and the lines that they take: a quoted one may have some."""
    used: list[str] = []

    def taken() -> Iterator[str]:
        for one in chain([line], rest):
            used.append(one)
            yield one

    if not quoted:
        return next(csv.reader(taken(), delimiter=delimiter, quoting=csv.QUOTE_NONE)), used
    try:
        return next(csv.reader(taken(), delimiter=delimiter, strict=True)), used
    except csv.Error as error:
        raise DecodingError(f"the header is not readable as CSV: {error}") from error


def _tables(file: BinaryIO, header: _Header, bounds: Bounds) -> Iterator[pa.Table]:
    """Every row as text, what is empty and not quoted as null; as many at once as are in a few MB of the file."""
    first = 1
    for piece in _pieces(file, header, bounds):
        table = _parsed(piece, header, first)
        _check(table, header, bounds, first)
        if len(table):
            yield table
        first += len(table)


def _pieces(file: BinaryIO, header: _Header, bounds: Bounds) -> Iterator[bytes]:
    """Whole rows, a few MB at a time; behind the last, a line end is put where it is missing."""
    # Arrow's own reader of streams still reads from a Python file when it is closed early, and brings the process down.
    file.seek(0)
    file.read(header.size)
    total, rest = header.size, b""
    data = file.read(BLOCK_BYTES)
    while data:
        total += len(data)
        bounds.check_bytes(total)
        if b"\0" in data:
            raise DecodingError("the file has a NUL character, which no text has")
        rest += data
        data = file.read(BLOCK_BYTES)
        # At the end of the file all that is left is whole rows, and a short file is one piece.
        if data and (end := _last_row(rest, header)):
            yield rest[:end]
            rest = rest[end:]
        if data:
            bounds.check_row(len(rest))
    if rest:
        yield rest if rest.endswith((b"\n", b"\r")) else rest + b"\n"


def _last_row(data: bytes, header: _Header) -> int:
    """Where the last whole row of these ends, 0 where none does. data: begins with a row, ends anywhere."""
    # What ends the data may go on: a CR as CR LF, a quote as two, and a field that no quote closes.
    stop = len(data) - data.endswith(b"\r")
    if header.quoted and b'"' in data:
        # Between the last fields that a row has at most, one ends, if any row does.
        for field in reversed(deque(header.quoted.finditer(data), len(header.columns) + 1)):
            end = _behind_line_end(data, field.end(), stop)
            if end:
                return end
            stop = field.start()
    return _behind_line_end(data, 0, stop)


def _behind_line_end(data: bytes, start: int, stop: int) -> int:
    return max(data.rfind(b"\n", start, stop), data.rfind(b"\r", start, stop)) + 1


def _parsed(piece: bytes, header: _Header, first: int) -> pa.Table:
    """first: number of the first row."""
    ragged: list[pacsv.InvalidRow] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    names = [str(number) for number in range(len(header.columns))]
    data = piece + header.delimiter.join([_END] * len(names)).encode() + b"\n"
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            pacsv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            pacsv.ParseOptions(
                delimiter=header.delimiter,
                quote_char='"' if header.quoted else False,
                newlines_in_values=header.quoted is not None,
                # An empty line of a table of one column is a row whose value is null.
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=refuse,
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                # ECSV has no other word for null.
                quoted_strings_can_be_null=header.typed,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(error, ragged, first) from error
    if [column[-1].as_py() for column in table.columns] != [_END] * len(names):
        raise DecodingError(_NEVER_CLOSED, row=first + len(table) - 1)
    return table.slice(0, len(table) - 1).combine_chunks()


def _check(table: pa.Table, header: _Header, bounds: Bounds, first: int) -> None:
    """Raises TooMuchError for a value or a row above the bounds."""
    if table.nbytes <= bounds.cell:
        return
    sizes = np.zeros(len(table), dtype=np.int64)
    for array, column in zip(table.columns, header.columns, strict=True):
        length = pc.fill_null(pc.binary_length(array), 0).to_numpy()
        bounds.check_cell(int(length.max(initial=0)), column.name)
        sizes += length
    bounds.check_row(int(sizes.max(initial=0)), first + int(sizes.argmax()) if len(sizes) else first)


def _unreadable(error: pa.ArrowInvalid, ragged: Sequence[pacsv.InvalidRow], first: int) -> DecodingError:
    if ragged:
        bad = ragged[0]
        row = first + bad.number - 1
        if bad.text.endswith(_END):
            return DecodingError(_NEVER_CLOSED, row=row)
        message = f"has {bad.actual_columns} fields where the header names {bad.expected_columns}: {bad.text[:80]!r}"
        return DecodingError(message, row=row)
    if "UTF8" in str(error):
        return _no_text()
    return DecodingError(f"the file is not readable as CSV: {error}")


def _array(values: pa.ChunkedArray) -> pa.Array:
    """The one chunk of a column."""
    return values.chunk(0)


def _no_text() -> DecodingError:
    return DecodingError("the file is not readable as CSV: it is not text in UTF-8")
