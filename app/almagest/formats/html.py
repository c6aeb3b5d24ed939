"""Answers for eyes: a page with a table, and plain text in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Rows, Status, Streamed
from almagest.formats.lines import SEPARATOR, lines, plain, separated
from almagest.formats.markup import escaped, escaped_in_sql
from almagest.formats.separated import without_ends
from almagest.formats.sql import plain_cells

STYLE = "/static/pages/result.css"
"""The page's style sheet: nothing in the page itself may be run or applied (`almagest.processes.headers`)."""

_NUMBERS = ("short", "int", "long", "float", "double")
_MEASURED = 1000
"""Lines that decide how wide the columns of plain text are."""

_WIDEST = 40
"""Characters that a column of plain text is given beforehand, at most; longer values push the others aside."""


@dataclass(frozen=True)
class Html(Streamed):
    """A page of HTML with the table and nothing that a browser would run, whatever the cells hold."""

    media_type: str = "text/html;charset=utf-8"
    extension: str = "html"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Text, escaped by PostgreSQL."""
        return separated(plain_cells(columns, escaped_in_sql))

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """The page, its rows as they come."""
        told = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>\n" for name, value in about.items())
        heads = "".join(_head(column) for column in columns)
        yield (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Result</title>\n'
            f'<link rel="stylesheet" href="{STYLE}">\n</head>\n<body>\n'
            f"<table>\n<thead>\n<tr>{heads}</tr>\n</thead>\n<tbody>\n"
        ).encode()
        for block in lines(rows, b"</td></tr>\n<tr><td>"):
            yield b"<tr><td>" + plain(block).replace(SEPARATOR, b"</td><td>") + b"</td></tr>\n"
        status, message = rows.ending()
        said = "" if status is Status.OK else f'<p class="status">{status.value}: {escaped(message)}</p>\n'
        yield f"</tbody>\n</table>\n{said}<dl>\n{told}</dl>\n</body>\n</html>\n".encode()

    def broken(self, message: str) -> bytes:
        """The sentence that says so: browsers show a page without an end as it is."""
        return f'</tbody>\n</table>\n<p class="status">{Status.ERROR.value}: {escaped(message)}</p>\n'.encode()


@dataclass(frozen=True)
class Text(Streamed):
    """Plain text: a line of names, one of units, and a line a row, in columns as wide as the first rows need."""

    media_type: str = "text/plain;charset=utf-8"
    extension: str = "txt"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Text without line ends."""
        return separated(plain_cells(columns, without_ends))

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:  # noqa: ARG002 - no place
        """The lines, and one that says so when they are not all."""
        names = ["".join(column.name.splitlines()) for column in columns]
        heads = [names, [column.unit or "" for column in columns]]
        right = [column.datatype in _NUMBERS and column.arraysize is None for column in columns]
        widths: list[int] = []
        waiting = heads
        for block in lines(rows, b"\n"):
            waiting += [line.split(SEPARATOR.decode()) for line in plain(block).decode().split("\n")]
            if len(waiting) >= _MEASURED:
                widths = widths or _widths(waiting[:_MEASURED])
                yield _aligned(waiting, widths, right)
                waiting = []
        yield _aligned(waiting, widths or _widths(waiting), right)
        status, message = rows.ending()
        yield b"" if status is Status.OK else f"{status.value}: {message}\n".encode()

    def broken(self, message: str) -> bytes:
        """The line that says so."""
        return f"{Status.ERROR.value}: {message}\n".encode()


def _widths(table: Sequence[Sequence[str]]) -> list[int]:
    return [min(_WIDEST, max(map(_shown, column))) for column in zip(*table, strict=True)]


def _aligned(table: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]) -> bytes:
    return "".join(
        "  ".join(
            " " * (width - _shown(cell)) + cell if to_right else cell + " " * (width - _shown(cell))
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        + "\n"
        for row in table
    ).encode()


def _shown(cell: str) -> int:
    """How many places a text takes on a terminal."""
    if cell.isascii():
        return len(cell)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in cell
    )


def _head(column: Column) -> str:
    unit = f" <small>[{escaped(column.unit)}]</small>" if column.unit else ""
    return f'<th title="{escaped(column.description)}">{escaped(column.name)}{unit}</th>'
