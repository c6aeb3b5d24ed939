"""A table as every decoder gives it, and how much of one may come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from almagest.catalogue import Column
from almagest.formats.block import Block
from almagest.formats.decode.errors import TooMuchError
from almagest.formats.names import NAME_BYTES, SYSTEM_NAMES

BLOCK_BYTES = 4 << 20
"""A block ends when this much of a file is in it, if it has not ended for its number of rows."""

CHUNK = 1 << 16
"""Bytes of a file that are read at once."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a table may have. bytes: of the file, and of what it is decompressed to; cell: bytes of a value;
    row: bytes of all values of a row, which are held at once, whatever else is done in parts."""

    bytes: int
    rows: int
    columns: int
    cell: int
    row: int

    def check_columns(self, number: int) -> None:
        """Raises TooMuchError for a table that has so many."""
        if number > self.columns:
            raise TooMuchError(f"the table has more than {self.columns:,} columns, which is the most allowed")

    def check_rows(self, number: int) -> None:
        """Raises TooMuchError for a table that has so many."""
        if number > self.rows:
            raise TooMuchError(f"the table has more than {self.rows:,} rows, which is the most allowed")

    def check_bytes(self, number: int) -> None:
        """Raises TooMuchError for a file that has so many, or is decompressed to so many."""
        if number > self.bytes:
            raise TooMuchError(f"the file has, or decompresses to, more than {self.bytes:,} bytes, the most allowed")

    def check_cell(self, size: int, column: str) -> None:
        """Raises TooMuchError for a value of so many bytes."""
        if size > self.cell:
            message = f"a value claims {size:,} bytes; at most {self.cell:,} are allowed"
            raise TooMuchError(message, column=column)

    def check_row(self, size: int, number: int | None = None) -> None:
        """Raises TooMuchError for a row of so many bytes. number: the row's, counted from 1."""
        if size > self.row:
            raise TooMuchError(f"a row has more than {self.row:,} bytes, which is the most allowed", row=number)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A table whose columns are known and whose rows are still to come.

    columns: names are unique, at most NAME_BYTES long and otherwise as in the file, so that some need to be delimited
    in a query. blocks: all rows in order, once; each step reads on in the file and may raise DecodingError.
    rows: how many the file says that it has, where it says it before them.
    """

    columns: tuple[Column, ...]
    blocks: Iterator[Block]
    description: str = ""
    rows: int | None = None


def described(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The same columns as a table can have them: no name empty, too long, unprintable or twice, and no control
    characters, of which databases and documents take some only, in what is said about them."""
    taken: set[str] = set()
    result = []
    for number, column in enumerate(columns, 1):
        wanted = "".join(letter if letter.isprintable() else "_" for letter in column.name.strip()) or f"col_{number}"
        name, attempt = _cut(wanted, ""), 1
        while name in taken or name in SYSTEM_NAMES:
            attempt += 1
            name = _cut(wanted, f"_{attempt}")
        taken.add(name)
        unit, ucd, utype = _plain(column.unit), _plain(column.ucd), _plain(column.utype)
        description = _plain(column.description) or ""
        result.append(replace(column, name=name, unit=unit, ucd=ucd, utype=utype, description=description))
    return tuple(result)


def _plain(text: str | None) -> str | None:
    return _CONTROLS.sub(" ", text).strip() or None if text else None


def _cut(name: str, suffix: str) -> str:
    return name.encode()[: NAME_BYTES - len(suffix)].decode(errors="ignore") + suffix
