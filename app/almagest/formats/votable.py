"""VOTable 1.4 in its three serialisations: base64 of rows in network byte order, or rows of elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from almagest.adql.catalogue import Column
from almagest.formats.about import About
from almagest.formats.chunks import base64_length, base64_lines
from almagest.formats.complexes import is_complex
from almagest.formats.document import MEDIA_TYPE, foot, head
from almagest.formats.format import Copy, Ending, Rows, Streamed
from almagest.formats.layout import MARKS, Layout, Part, ascii_only, utf16
from almagest.formats.lines import SEPARATOR, lines, plain, separated, with_infinities
from almagest.formats.markup import escaped_in_sql
from almagest.formats.rows import Cells, Ragged, padded, together
from almagest.formats.sql import array_text, fixed_size, is_text, text

_SIZES = {"boolean": 1, "char": 1, "unicodeChar": 2, "short": 2, "int": 4, "float": 4, "long": 8, "double": 8}
"""Bytes of an element (VOTable 1.4 §6)."""


@dataclass(frozen=True)
class Binary2(Streamed):
    """Rows with a bit a column that says NULL: exact, compact, and made fastest. The default (VOTable 1.4 §5.4).

    The bit is of a whole array: among its elements NULL is NaN, `?`, or the number that its FIELD names.
    """

    media_type: str = MEDIA_TYPE
    extension: str = "vot"
    element: str = "BINARY2"
    nulls: Mapping[str, int] = field(default_factory=dict)

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Values."""
        return Copy(self._layout(columns).expressions())

    def length(self, columns: Sequence[Column], about: About, count: int, ending: Ending) -> int | None:
        """Known where no column has values of different length."""
        sizes = [fixed_size(column) for column in columns]
        if None in sizes:
            return None
        width = self._mask(len(columns)) + sum(
            _SIZES[column.datatype] * (size or 0) for column, size in zip(columns, sizes, strict=True)
        )
        opening, closing = self._frame(columns, about, ending)
        return len(opening) + base64_length(count * width) + len(closing)

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """Header, rows, and how they ended."""
        layout = self._layout(columns)
        yield self._frame(columns, about, None)[0]
        yield from base64_lines(together(self._row(layout.part(block), columns)) for block in rows)
        yield self._frame(columns, about, rows.ending())[1]

    def _frame(self, columns: Sequence[Column], about: About, ending: Ending | None) -> tuple[bytes, bytes]:
        opening = head(columns, about, self.nulls, MARKS) + f'<{self.element}>\n<STREAM encoding="base64">\n'
        closing = "" if ending is None else f"</STREAM>\n</{self.element}>\n" + foot(*ending, columns, about)
        return opening.encode(), closing.encode()

    def _layout(self, columns: Sequence[Column]) -> Layout:
        return Layout(columns)

    def _row(self, part: Part, columns: Sequence[Column]) -> list[Cells]:
        return [part.bits(), *_values(part, columns)]

    def _mask(self, columns: int) -> int:
        return (columns + 7) // 8


@dataclass(frozen=True)
class Binary(Binary2):
    """Rows of values alone, for clients of VOTable 1.2 and before; FIELDs name the number that says NULL (§5.3)."""

    media_type: str = f"{MEDIA_TYPE};serialization=BINARY"
    element: str = "BINARY"
    nulls: Mapping[str, int] = field(default_factory=lambda: MARKS)

    def _layout(self, columns: Sequence[Column]) -> Layout:
        return Layout(columns, marked=True)

    def _row(self, part: Part, columns: Sequence[Column]) -> list[Cells]:
        return _values(part, columns)

    def _mask(self, columns: int) -> int:  # noqa: ARG002 - it has none
        return 0


@dataclass(frozen=True)
class Tabledata(Streamed):
    """Rows of elements, for those who read them with their eyes or with few tools (VOTable 1.4 §5.1)."""

    media_type: str = f"{MEDIA_TYPE};serialization=TABLEDATA"
    extension: str = "vot"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Text; an empty cell is NULL."""
        return separated(_cell(column, f"c{number}") for number, column in enumerate(columns, 1))

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """Header, rows, and how they ended."""
        yield (head(columns, about, elements=MARKS) + "<TABLEDATA>\n").encode()
        between = b"</TD></TR>\n<TR><TD>"
        for block in lines(rows, between):
            cells = with_infinities(block, columns, between)
            yield b"<TR><TD>" + plain(cells).replace(SEPARATOR, b"</TD><TD>") + b"</TD></TR>\n"
        yield ("</TABLEDATA>\n" + foot(*rows.ending(), columns, about)).encode()


def _values(part: Part, columns: Sequence[Column]) -> list[Cells]:
    return [cell for column, given in zip(columns, part.cells, strict=True) for cell in _value(column, given)]


def _value(column: Column, cell: Cells) -> list[Cells]:
    """The bytes of a column in a binary row; where rows differ in length, after the number of elements."""
    if not isinstance(cell, Ragged):
        return [cell]
    if is_text(column):
        cell = utf16(cell) if column.datatype == "unicodeChar" else ascii_only(cell)
    size = fixed_size(column)
    if size is not None:
        return [padded(cell, size * _SIZES[column.datatype], 0)]
    element = _SIZES[column.datatype] * (2 if is_complex(column) else 1)
    count: np.ndarray[Any, Any] = (cell.lengths // element).astype(">i4")
    return [count, cell]


def _cell(column: Column, name: str) -> str:
    if is_text(column):
        size, string = fixed_size(column), text(column, name)
        return escaped_in_sql(string if size is None else f"left({string}, {size})")
    if column.arraysize is not None:
        return _array(column, name)
    if column.datatype == "boolean":
        return f"CASE WHEN {name} THEN 'T' WHEN NOT {name} THEN 'F' END"
    return name


_MISSING = {"float": "NaN", "double": "NaN", "boolean": "?", **{name: str(mark) for name, mark in MARKS.items()}}


def _array(column: Column, name: str) -> str:
    """An array; where all have the same length, one that is missing is as many missing values."""
    size, missing = fixed_size(column), _MISSING[column.datatype]
    found = array_text(column, name, missing)
    return found if size is None else f"coalesce({found}, '{' '.join([missing] * size)}')"
