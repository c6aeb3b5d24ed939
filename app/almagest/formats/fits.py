"""FITS binary tables (FITS 4.0 §7.3): fixed rows in network byte order, which is PostgreSQL's own.

The header says how many rows follow and how wide every column is. Where their number is not known from a stored result,
the rows are written while they come and kept until it is; where the width of a column is not declared, they are kept as
they come until it is measured, and written then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.complexes import is_complex
from almagest.formats.format import Copy, Ending, Rows, Status, Streamed, TooWideError
from almagest.formats.layout import MARKS, SENT, Layout, Part, ascii_only
from almagest.formats.rows import Cells, Ragged, RawBlock, apart, padded, restored, together
from almagest.formats.sql import fixed_size, is_text

BLOCK = 2880
_CARD = 80
MOST_COLUMNS = 999
"""TFIELDS has at most so many (FITS 4.0 §7.3.1): a keyword has room for three digits behind TTYPE."""

_NAME = 68
"""Characters of a text that fits on one card, quotes counted twice; astropy takes no longer name."""

_LETTERS = {"boolean": "L", "short": "I", "int": "J", "long": "K", "float": "E", "double": "D"}
_COMPLEX = {"float": "C", "double": "M"}
"""Letters of two numbers each."""

_DRAWN_OUT = 16
"""How much larger than its values a table may become because they are all as wide as the widest."""

_SMALL = 1 << 26
"""Bytes of a table that is small however drawn out it is."""


@dataclass(frozen=True)
class Fits(Streamed):
    """One binary table of up to 999 columns. Text is ASCII, `?` for any other character, as wide as its longest value;
    arrays of any length are filled up with NULL. NULL is NaN, TNULL, or an empty string. Names that are not different
    without what ASCII lacks get a number."""

    media_type: str = "application/fits"
    extension: str = "fits"

    def check(self, columns: Sequence[Column]) -> None:
        """Raise TooWideError for more than MOST_COLUMNS."""
        if len(columns) > MOST_COLUMNS:
            raise TooWideError(
                f"a table in FITS has at most {MOST_COLUMNS} columns, and this one has {len(columns):,}; choose another"
                " format, e.g. VOTable or Parquet, or fewer columns"
            )

    def copy(self, columns: Sequence[Column]) -> Copy:
        """Values."""
        return Copy(Layout(columns, marked=True).expressions())

    def length(self, columns: Sequence[Column], about: About, count: int, ending: Ending) -> int | None:  # noqa: ARG002 - as the protocol says
        """Known where all columns say how wide they are."""
        sizes = _declared(columns)
        return (
            None
            if sizes is None
            else len(_head(columns, sizes, about, count)) + _filled(count * _width(columns, sizes))
        )

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """An empty primary HDU, the table's header and its rows. A broken one is shorter than its header says.

        Raises TooWideError.
        """
        layout, sizes = Layout(columns, marked=True), _declared(columns)
        if sizes is None:
            widths = _Widths(columns)
            blocks = restored(rows.spooled(apart(widths.measured(layout, rows))))
            sizes = widths.found(rows.count or 0)
            parts: Iterable[bytes | memoryview] = _encoded(columns, sizes, layout, blocks)
        elif rows.count is None:
            parts = rows.spooled(_encoded(columns, sizes, layout, rows))
        else:
            parts = _encoded(columns, sizes, layout, rows)
        rows.announce((rows.count or 0) * _width(columns, sizes))
        yield _head(columns, sizes, about, rows.count or 0)
        written = 0
        for part in parts:
            written += len(part)
            yield bytes(part)
        if rows.ending()[0] is not Status.ERROR:
            yield bytes(_filled(written) - written)


class _Widths:
    """How many elements the columns need of which only the values say it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._sizes = [fixed_size(column) for column in columns]
        self._widest = {
            number: 2 if is_complex(columns[number]) else 1 for number, size in enumerate(self._sizes) if size is None
        }
        self._total = 0

    def measured(self, layout: Layout, rows: Iterable[RawBlock]) -> Iterator[RawBlock]:
        """The rows, as they pass."""
        for block in rows:
            part = layout.part(block)
            for number, widest in self._widest.items():
                cell = part.cells[number]
                if isinstance(cell, Ragged) and len(cell):
                    lengths = _text(self._columns[number], cell).lengths
                    self._widest[number] = max(widest, int(lengths.max()) // _bytes(self._columns[number]))
                    self._total += int(lengths.sum())
            yield block

    def found(self, count: int) -> list[int]:
        """The sizes of all columns of so many rows. Raises TooWideError."""
        drawn_out = count * sum(size * _bytes(self._columns[number]) for number, size in self._widest.items())
        if drawn_out > max(_SMALL, _DRAWN_OUT * self._total):
            number, widest = max(self._widest.items(), key=lambda item: item[1])
            raise TooWideError(
                f"in FITS every row would be as long as the longest value of {self._columns[number].name!r}, which has"
                f" {widest} characters or elements; choose another format, e.g. VOTable or Parquet"
            )
        return [self._widest[number] if size is None else size for number, size in enumerate(self._sizes)]


def _declared(columns: Sequence[Column]) -> list[int] | None:
    """How many elements each column has, None where only the values of some say it."""
    sizes = [size for column in columns if (size := fixed_size(column)) is not None]
    return sizes if len(sizes) == len(columns) else None


def _encoded(
    columns: Sequence[Column], sizes: Sequence[int], layout: Layout, rows: Iterable[RawBlock]
) -> Iterator[memoryview]:
    for block in rows:
        part = layout.part(block)
        yield together(
            [
                _cell(column, size, part, number)
                for number, (column, size) in enumerate(zip(columns, sizes, strict=True))
            ]
        )


def _cell(column: Column, size: int, part: Part, number: int) -> Cells:
    cell = part.cells[number]
    if is_text(column) and isinstance(cell, Ragged):
        return padded(_text(column, cell), size, 0x20 if column.arraysize else 0)
    values = _filled_up(cell, size, SENT[column.datatype]) if isinstance(cell, Ragged) else cell
    if column.datatype == "boolean":
        return np.where(values == b"?", np.array(b"\0"), values).astype("S1")
    return values


def _filled_up(cell: Ragged, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Arrays of one length, with NULL behind those that are shorter."""
    octets = padded(cell, size * dtype.itemsize, 0)
    values: NDArray[Any] = octets.reshape(-1).view(dtype).reshape(len(cell), size).copy()
    missing = np.arange(size) >= (cell.lengths // dtype.itemsize)[:, np.newaxis]
    null = {"f": np.nan, "S": b"\0"}.get(
        dtype.kind, MARKS.get({2: "short", 4: "int", 8: "long"}.get(dtype.itemsize, ""))
    )
    values[missing] = null
    return values


def _text(column: Column, cell: Ragged) -> Ragged:
    """Texts of what can be printed, which is all that FITS has (4.0 §7.3.3.1): a blank for each control character."""
    if not is_text(column):
        return cell
    plain = ascii_only(cell)
    controls = (plain.data < 0x20) | (plain.data == 0x7F)
    return Ragged(plain.lengths, np.where(controls, np.uint8(0x20), plain.data)) if controls.any() else plain


def _bytes(column: Column) -> int:
    return 1 if is_text(column) else SENT[column.datatype].itemsize


def _width(columns: Sequence[Column], sizes: Sequence[int]) -> int:
    return sum(size * _bytes(column) for column, size in zip(columns, sizes, strict=True))


def _head(columns: Sequence[Column], sizes: Sequence[int], about: About, count: int) -> bytes:
    primary = [_card("SIMPLE", True), _card("BITPIX", 8), _card("NAXIS", 0), _card("EXTEND", True)]
    table = [
        _card("XTENSION", "BINTABLE"),
        _card("BITPIX", 8),
        _card("NAXIS", 2),
        _card("NAXIS1", _width(columns, sizes)),
        _card("NAXIS2", count),
        _card("PCOUNT", 0),
        _card("GCOUNT", 1),
        _card("TFIELDS", len(columns)),
    ]
    for number, (name, column, size) in enumerate(zip(_names(columns), columns, sizes, strict=True), 1):
        table += _described(number, name, column, size)
    frame = about.coordinates
    table += [_card("RADESYS", frame.system)] if any("pos.eq" in (column.ucd or "") for column in columns) else []
    for name, value in about.items():
        table += _comments(f"{name}: {value}")
    return _header(primary) + _header(table)


def _names(columns: Sequence[Column]) -> Iterator[str]:
    """The columns' names as FITS can tell them apart: letter case and blanks at the end make no difference (§7.3.2)."""
    taken: set[str] = set()
    counts: Counter[str] = Counter()
    for column in columns:
        name = wanted = _on_one_card(column.name)
        while (key := name.rstrip().lower()) in taken:
            counts[wanted] += 1
            name = f"{wanted[: _NAME - 5]}_{counts[wanted] + 1}"
        taken.add(key)
        yield name


def _on_one_card(name: str) -> str:
    printable = _printable(name)
    return printable if len(printable) + printable.count("'") <= _NAME else printable.replace("'", "?")[:_NAME]


def _described(number: int, name: str, column: Column, size: int) -> Iterator[str]:
    """The cards of a column; TUCD, TUTYP and TXTYP as STIL writes and reads them, TCOMM as many do."""
    letter = "A" if is_text(column) else _LETTERS[column.datatype]
    if is_complex(column):
        letter, size = _COMPLEX[column.datatype], size // 2
    yield _card(f"TTYPE{number}", name)
    yield _card(f"TFORM{number}", f"{size}{letter}" if size != 1 or letter == "A" else letter)
    if column.datatype in MARKS:
        yield _card(f"TNULL{number}", MARKS[column.datatype])
    described = {
        "TUNIT": column.unit, "TUCD": column.ucd, "TUTYP": column.utype,
        "TXTYP": None if is_complex(column) else column.xtype, "TCOMM": column.description,
    }  # fmt: skip
    for keyword, value in described.items():
        if value:
            yield from _long(f"{keyword}{number}", value)


def _card(keyword: str, value: str | int | bool) -> str:
    if isinstance(value, bool):
        return f"{keyword:<8}= {'T' if value else 'F':>20}".ljust(_CARD)
    if isinstance(value, int):
        return f"{keyword:<8}= {value:>20}".ljust(_CARD)
    quoted = _printable(value).replace("'", "''")
    if len(quoted) > _CARD - 12:
        return "".join(_long(keyword, value))
    return f"{keyword:<8}= '{quoted:<8}'".ljust(_CARD)


def _long(keyword: str, value: str) -> Iterator[str]:
    """A text over as many cards as it needs (FITS 4.0 §4.2.1.2)."""
    quoted = _printable(value).replace("'", "''")
    pieces = re.findall(r"(?:''|[^']){1,66}", quoted) or [""]
    pieces = [piece for found in pieces for piece in _halved(found)]
    for number, piece in enumerate(pieces):
        more = "&" if number + 1 < len(pieces) else ""
        begin = f"{keyword:<8}= " if number == 0 else "CONTINUE  "
        yield f"{begin}'{piece + more:<8}'".ljust(_CARD)


def _halved(piece: str) -> list[str]:
    """At most 67 characters, no doubled quote torn apart."""
    if len(piece) <= 67:
        return [piece]
    cut = 66 if piece[:66].count("'") % 2 == 0 else 65
    return [piece[:cut], *_halved(piece[cut:])]


def _comments(text: str) -> Iterator[str]:
    printable = _printable(text)
    for start in range(0, len(printable), _CARD - 8):
        yield f"COMMENT {printable[start : start + _CARD - 8]}".ljust(_CARD)


def _printable(text: str) -> str:
    """What a header may hold: ASCII that can be printed."""
    return re.sub(r"[^\x20-\x7e]", lambda found: " " if found.group().isspace() else "?", text)


def _header(cards: Sequence[str]) -> bytes:
    joined = "".join([*cards, "END".ljust(_CARD)])
    return joined.ljust(_filled(len(joined))).encode("ascii")


def _filled(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
