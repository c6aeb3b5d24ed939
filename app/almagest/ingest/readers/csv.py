"""CSV files (also gzipped, also with tabs, semicolons or bars), typed by all of their values.

A first pass reads every row as text and keeps, for each column, the types that all of its values could have; the
second gives blocks of those types. A type that the description declares is not guessed, and a value that does not fit
it is an error with its row. Whole numbers with leading zeros, or too long for 64 bits, are identifiers: text.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from almagest.adql.catalogue import Column, Datatype
from almagest.formats.block import Block, Values
from almagest.formats.decode import DecodingError, arrow
from almagest.formats.decode.separated import narrowest
from almagest.ingest.errors import IngestError

NULLS = pa.array(["NaN", "nan", "NULL", "null", "\\N"])
"""Spellings of no value in columns that are not text; the empty field is null everywhere."""

BLOCK_BYTES = 4 << 20


class CsvSource:
    """A CSV file with a header line; lines that begin with `#` before it are comments.

    declared: VOTable types that its description asks for, by column.
    """

    rows: int | None = None

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        self._header = _read_header(path, name)
        guesses = [_Guess() for _ in self._header.names]
        self.rows = 0
        for batch in self._batches():
            self.rows += len(batch)
            for guess, array in zip(guesses, batch.columns, strict=True):
                guess.see(array)
        self.columns = tuple(
            _declared(name, declared[name]) if name in declared else guess.column(name)
            for name, guess in zip(self._header.names, guesses, strict=True)
        )

    def blocks(self) -> Iterator[Block]:
        """All rows, a few MB of the file at a time."""
        first = 1
        try:
            for batch in self._batches():
                pairs = zip(batch.columns, self.columns, strict=True)
                yield Block(first, tuple(self._values(array, column, first) for array, column in pairs))
                first += len(batch)
        except DecodingError as error:
            raise IngestError.of(error, self.name) from error

    def _values(self, array: pa.Array, column: Column, first: int) -> Values:
        if column.arraysize is not None and column.xtype is None:
            return arrow.values(array, column, first)
        return arrow.values(_plain(array, column.xtype), column, first)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """Every row as text, empty fields as null."""
        ragged: list[pacsv.InvalidRow] = []

        def refuse(row: pacsv.InvalidRow) -> str:
            ragged.append(row)
            return "error"

        names = self._header.names
        try:
            with pacsv.open_csv(
                pa.input_stream(self.path, compression="gzip" if _zipped(self.path) else None),
                pacsv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=self._header.lines
                ),
                pacsv.ParseOptions(
                    delimiter=self._header.delimiter, newlines_in_values=True, invalid_row_handler=refuse
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            ) as reader:
                yield from (batch for batch in reader if len(batch))
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error, ragged) from error

    def _unreadable(self, error: Exception, ragged: list[pacsv.InvalidRow]) -> IngestError:
        if ragged and ragged[0].number is not None:
            bad = ragged[0]
            message = (
                f"has {bad.actual_columns} fields where the header names {bad.expected_columns}: {bad.text[:80]!r}"
            )
            return IngestError(message, file=self.name, row=bad.number - self._header.lines)
        return IngestError(f"is not readable as CSV: {error}", file=self.name)


@dataclass(frozen=True)
class _Header:
    names: list[str]
    delimiter: str
    lines: int


def _read_header(path: Path, name: str) -> _Header:
    """Names and delimiter from the first line that is no comment. Raises IngestError for doubled or empty names."""
    try:
        with _open_text(path) as file:
            comments = 0
            line = file.readline()
            while line.startswith("#"):
                comments += 1
                line = file.readline()
            delimiter = max(",\t;|", key=line.count)
            rest = csv.reader([line, *file] if line.count('"') % 2 else [line], delimiter=delimiter)
            names = [column.strip() for column in next(rest, [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IngestError(f"is not readable as CSV: {error}", file=name) from error
    if not any(names):
        raise IngestError("has no header line", file=name)
    for number, column in enumerate(names, start=1):
        if not column:
            raise IngestError(f"the header names no column at place {number}", file=name)
        if names.count(column) > 1:
            raise IngestError("the header has this name twice", file=name, column=column)
    return _Header(names, delimiter, comments + rest.line_num)


def _open_text(path: Path) -> IO[str]:
    if _zipped(path):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _zipped(path: Path) -> bool:
    """Whether the content, whatever the name says, begins as gzip does (RFC 1952 §2.3.1)."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _declared(name: str, datatype: Datatype) -> Column:
    return Column(name, datatype, "*" if datatype in ("char", "unicodeChar") else None)


def _plain(array: pa.Array, xtype: str | None) -> pa.Array:
    """The text of numbers, truth values and times, without blanks around it and with every spelling of null as null."""
    trimmed = pc.utf8_trim_whitespace(array)
    if xtype == "timestamp":
        trimmed = pc.replace_substring_regex(trimmed, "Z$", "")
    return pc.if_else(pc.is_in(trimmed, NULLS), pa.scalar(None, pa.string()), trimmed)


@dataclass
class _Guess:
    """The types that every value seen so far could have."""

    possible: list[str] = field(default_factory=lambda: ["boolean", "long", "double", "timestamp"])
    seen: bool = False
    whole: bool = True
    named: bool = False
    low: int = 0
    high: int = 0

    def see(self, array: pa.Array) -> None:
        """Strike out what this block's values cannot be."""
        if not self.possible:
            return
        values = _plain(array, None)
        if values.null_count == len(values):
            return
        self.seen = True
        self.whole = self.whole and _all_match(values, r"^[+-]?\d+$")
        self.named = self.named or _any_match(values, r"^[+-]?(0\d+|\d{19,})$")
        self.possible = [kind for kind in self.possible if self._fits(kind, values)]

    def _fits(self, kind: str, values: pa.Array) -> bool:
        if kind == "boolean":
            return _all_match(values, r"^(?i:true|false)$")
        if kind == "timestamp":
            return _all_match(values, r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?$")
        try:
            numbers = values.cast(pa.int64() if kind == "long" else pa.float64())
        except pa.ArrowInvalid:
            return False
        if kind == "long":
            extremes = pc.min_max(numbers).as_py()
            self.low, self.high = min(self.low, extremes["min"]), max(self.high, extremes["max"])
        return True

    def column(self, name: str) -> Column:
        """The narrowest type left; text when none is, or when no value was seen."""
        if not self.seen or not self.possible or (self.whole and (self.named or "long" not in self.possible)):
            return Column(name, "char", "*")
        return narrowest(name, self.possible, self.low, self.high)


def _all_match(values: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(values, pattern)).as_py() is not False


def _any_match(values: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(values, pattern)).as_py() is True
