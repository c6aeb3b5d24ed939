"""CSV and its relatives (RFC 4180; also tabs, semicolons, bars), typed by all of their values.

A first pass keeps, for each column, the types that all of its values could have; the second gives blocks of the
narrowest. Whole numbers with leading zeros, or too long for 64 bits, are identifiers: text.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from almagest.catalogue import Column
from almagest.formats.block import ROWS, Block
from almagest.formats.decode import cells
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import Field
from almagest.formats.decode.table import BLOCK_BYTES, CHUNK, Bounds, Decoded, described

_NULLS = frozenset({"", "NaN", "nan", "NULL", "null", "\\N"})
"""Spellings of no value in columns that are not text."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|[+-]?(?i:inf(?:inity)?)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?Z?", re.ASCII)

Rows = Iterator[list[str]]


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The table of a file with a header line; lines that begin with `#` before it are comments.

    file: read twice, from its beginning. Raises DecodingError, also while the blocks are taken.
    """
    names, rows = _open(file, bounds)
    bounds.check_columns(len(names))
    guesses = [_Guess() for _ in names]
    for _, part in _parts(rows, len(names), bounds):
        for guess, column in zip(guesses, zip(*part, strict=True), strict=True):
            guess.see(column)
    columns = described([guess.column(name) for guess, name in zip(guesses, names, strict=True)])
    fields = [Field(column, column.datatype, None if column.arraysize else 1, None) for column in columns]
    return Decoded(columns, _blocks(file, fields, bounds))


def _blocks(file: BinaryIO, fields: Sequence[Field], bounds: Bounds) -> Iterator[Block]:
    _, rows = _open(file, bounds)
    for first, part in _parts(rows, len(fields), bounds):
        columns = zip(fields, zip(*part, strict=True), strict=True)
        yield Block(first, tuple(cells.values(field, _cells(field, column), first) for field, column in columns))


def _cells(field: Field, column: Sequence[str]) -> Sequence[str]:
    if field.is_text and field.column.xtype is None:
        return column
    return ["" if cell.strip() in _NULLS else cell for cell in column]


def _open(file: BinaryIO, bounds: Bounds) -> tuple[list[str], Rows]:
    """The header's names, and the rows after it."""
    file.seek(0)
    lines = _lines(file, bounds)
    header = next((line for line in lines if not line.startswith("#")), "")
    delimiter = max(",\t;|", key=header.count)

    rows = _read(chain([header], lines), delimiter, bounds)
    names = next(rows, [])
    if not any(name.strip() for name in names):
        raise DecodingError("the file has no header line")
    return names, rows


def _read(lines: Iterator[str], delimiter: str, bounds: Bounds) -> Rows:
    """Rows of any number of lines: a quoted field may have some."""
    size = 0

    def counted() -> Iterator[str]:
        nonlocal size
        for line in lines:
            size += len(line)
            bounds.check_row(size)
            yield line

    try:
        for row in csv.reader(counted(), delimiter=delimiter, strict=True):
            size = 0
            if row:
                yield row
    except csv.Error as error:
        raise DecodingError(f"the file is not readable as CSV: {error}") from error


def _lines(file: BinaryIO, bounds: Bounds) -> Iterator[str]:
    """Lines with their ends, as csv needs them: `\\n`, `\\r\\n` or `\\r`, and no other of Unicode's."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    pending, total, final = "", 0, False
    while not final:
        chunk = file.read(CHUNK)
        total += len(chunk)
        bounds.check_bytes(total)
        final = not chunk
        try:
            text = pending + decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise DecodingError("the file is not text in UTF-8") from error
        if "\0" in text:
            raise DecodingError("the file has a NUL character, which no text has")
        found = list(io.StringIO(text, newline=""))
        pending = found.pop() if found and not final else ""
        bounds.check_row(len(pending))
        yield from found


def _parts(rows: Rows, width: int, bounds: Bounds) -> Iterator[tuple[int, list[list[str]]]]:
    """(number of the first row, rows), about a block's worth at a time."""
    first, size = 1, 0
    part: list[list[str]] = []
    for row in rows:
        if len(row) != width:
            message = f"has {len(row)} fields where the header names {width}"
            raise DecodingError(message, row=first + len(part))
        part.append(row)
        # What is between cells counts too: rows of empty ones are no smaller in memory.
        size += sum(map(len, row)) + len(row)
        if len(part) >= ROWS or size >= BLOCK_BYTES:
            bounds.check_rows(first + len(part) - 1)
            yield first, part
            first, part, size = first + len(part), [], 0
    if part:
        bounds.check_rows(first + len(part) - 1)
        yield first, part


@dataclass
class _Guess:
    """The types that every value seen so far could have."""

    possible: list[str] = field(default_factory=lambda: ["boolean", "long", "double", "timestamp"])
    seen: bool = False
    whole: bool = True
    low: int = 0
    high: int = 0

    def see(self, column: Sequence[str]) -> None:
        """Strike out what these values cannot be."""
        if not self.possible:
            return
        values = [value for value in map(str.strip, column) if value not in _NULLS]
        if not values:
            return
        self.seen = True
        self.whole = self.whole and all(map(_WHOLE.fullmatch, values))
        self.possible = [kind for kind in self.possible if self._fits(kind, values)]

    def _fits(self, kind: str, values: list[str]) -> bool:
        if kind == "boolean":
            return all(value.lower() in ("true", "false") for value in values)
        if kind == "timestamp":
            return all(map(_TIME.fullmatch, values))
        if kind == "double":
            return all(map(_REAL.fullmatch, values))
        if not all(map(_NUMBER.fullmatch, values)):
            return False
        numbers = list(map(int, values))
        self.low, self.high = min(self.low, *numbers), max(self.high, *numbers)
        return True

    def column(self, name: str) -> Column:
        """The narrowest type left; text when none is, or when no value was seen."""
        if not self.seen or not self.possible or (self.whole and "long" not in self.possible):
            return Column(name, "char", "*")
        return narrowest(name, self.possible, self.low, self.high)


def narrowest(name: str, possible: Sequence[str], low: int, high: int) -> Column:
    """The column of the first of the types that values could have. low, high: of them, where they are whole numbers."""
    match possible[0]:
        case "timestamp":
            return Column(name, "char", "*", "timestamp")
        case "long":
            return Column(name, "int" if low >= -(2**31) and high < 2**31 else "long")
        case "boolean":
            return Column(name, "boolean")
        case _:
            return Column(name, "double")
