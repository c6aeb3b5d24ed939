"""Headers of a FITS file, read card by card up to the one of its first table (FITS 4.0 §3, §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import prod
from typing import BinaryIO

from almagest.catalogue import Column, Datatype
from almagest.formats.decode.errors import DecodingError, TooMuchError

RECORD = 2880
CARD = 80
HEADER_RECORDS = 1000
"""Length of a header: 36,000 cards, more than a table of a thousand columns has."""

HDUS = 1000
AXES = 999
FILE_BYTES = 1 << 60
"""Where no file goes on."""

TABLES = ("BINTABLE", "A3DTABLE", "TABLE")
"""XTENSION of what has rows; the second is what binary tables were called before there was a standard."""

_CARD = re.compile(r"([A-Z0-9_-]{1,8}) *= *(?:'((?:[^']|'')*)'|([^/]*))")
_CONTINUE = re.compile(r"CONTINUE +'((?:[^']|'')*)'")
_EXPONENT = 308
"""Of ten, in a double. Beyond it a whole number would have as many digits as somebody cared to claim."""


@dataclass(frozen=True, slots=True)
class Header:
    """Keywords and what is written behind them, without quotes, comments and blanks around it."""

    cards: Mapping[str, str]

    def text(self, key: str, default: str = "") -> str:
        """What is written."""
        return self.cards.get(key, default).strip()

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number that is not negative. Raises DecodingError when there is none, and no default."""
        number = self.signed(key, default)
        if number < 0:
            raise DecodingError(f"the header has the negative number {number} for {key}")
        return number

    def signed(self, key: str, default: int | None = None) -> int:
        """A whole number. Raises DecodingError when there is none, and no default."""
        written = self.text(key) or None
        if written is None and default is not None:
            return default
        if written is None or not re.fullmatch(r"[+-]?[0-9]{1,18}", written):
            raise DecodingError(f"the header has no whole number for {key}")
        return int(written)

    def real(self, key: str, default: int) -> int | float:
        """A number, exact where it is whole. Raises DecodingError where something else is written."""
        written = self.text(key)
        found = number(written) if written else default
        if found is None:
            raise DecodingError(f"the header has {written[:40]!r} for {key}, which is no number")
        return found

    def column(self, index: int, datatype: Datatype, arraysize: str | None) -> Column:
        """What is said of the column of this number; TUCD, TUTYP and TCOMM as STIL writes and reads them."""
        return Column(
            self.text(f"TTYPE{index}"),
            datatype,
            arraysize,
            unit=self.text(f"TUNIT{index}") or None,
            ucd=self.text(f"TUCD{index}") or None,
            utype=self.text(f"TUTYP{index}") or None,
            description=self.text(f"TCOMM{index}"),
        )

    def shown(self, index: int) -> str:
        """The name of a column for an error."""
        return self.text(f"TTYPE{index}")[:80] or f"number {index}"


@dataclass(frozen=True, slots=True)
class Found:
    """A table. start: of its rows, in bytes from the beginning of the file."""

    header: Header
    start: int

    @property
    def heap(self) -> tuple[int, int]:
        """Where the arrays of variable length begin in the file, and how many bytes they take (FITS 4.0 §7.3.5)."""
        header = self.header
        rows = header.whole("NAXIS1") * header.whole("NAXIS2")
        begin = header.whole("THEAP", rows)
        return self.start + begin, rows + header.whole("PCOUNT", 0) - begin


def number(written: str) -> int | float | None:
    """A number as FITS writes it (4.0 §4.2.3, §4.2.4): exact where it is whole; None where it is none."""
    try:
        value = Decimal(written.upper().replace("D", "E"))
    except InvalidOperation:
        return None
    if not value.is_finite() or not written.isascii() or "_" in written:
        return None
    if not value:
        return 0
    if value.adjusted() < _EXPONENT and value == value.to_integral_value():
        return int(value)
    real = float(value)
    return real if abs(real) != float("inf") else None


def table(file: BinaryIO) -> Found:
    """The first table of a file that is read from its beginning, and is left at the rows."""
    place = 0
    for _ in range(HDUS):
        file.seek(place)
        header, length = _header(file, b"" if place else b"SIMPLE")
        place += length
        # An image may be compressed into a binary table, which is no table then.
        if header.text("XTENSION") in TABLES and header.text("ZIMAGE") != "T":
            if header.text("ZTABLE") == "T":
                raise DecodingError("the table is compressed inside; send it as a plain binary table")
            return Found(header, place)
        place += _data_size(header)
        if place > FILE_BYTES:
            raise DecodingError("the file ends in the middle of its data")
    raise TooMuchError(f"the first {HDUS:,} parts of the file are no table")


def _header(file: BinaryIO, opening: bytes) -> tuple[Header, int]:
    """The header that begins here, and its length in bytes. opening: what its first card begins with."""
    cards: list[str] = []
    for record in range(1, HEADER_RECORDS + 1):
        data = file.read(RECORD)
        if len(data) < RECORD:
            raise DecodingError("the file has no table, or ends before it")
        if record == 1 and not data.startswith(opening):
            raise DecodingError(f"the file is no FITS file: it does not begin with {opening.decode()}")
        text = data.decode("latin-1")
        for start in range(0, RECORD, CARD):
            card = text[start : start + CARD]
            if card.rstrip() == "END":
                return Header(dict(reversed(list(_said(cards))))), record * RECORD
            cards.append(card)
    raise TooMuchError("a header is longer than any table's")


def _said(cards: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keywords and values, with the texts whole that go on over several cards (FITS 4.0 §4.2.1.2)."""
    key, pieces = "", [""]
    for card in cards:
        if pieces[-1].endswith("&") and (more := _CONTINUE.match(card)):
            pieces[-1] = pieces[-1][:-1]
            pieces.append(_unquoted(more[1]))
            continue
        yield key, "".join(pieces)
        found = _CARD.match(card)
        key, string, other = found.groups() if found else ("", None, "")
        pieces = [other if string is None else _unquoted(string)]
    yield key, "".join(pieces)


def _unquoted(string: str) -> str:
    return string.replace("''", "'").rstrip()


def _data_size(header: Header) -> int:
    """Bytes of an HDU's data (FITS 4.0 §4.4.1.2), filled up to whole records."""
    axes = [header.whole(f"NAXIS{axis}") for axis in range(1, min(header.whole("NAXIS"), AXES) + 1)]
    if not axes:
        return 0
    pixels = prod(axes[1:] if axes[0] == 0 and header.text("GROUPS") == "T" else axes)
    size = abs(header.signed("BITPIX")) // 8 * header.whole("GCOUNT", 1) * (header.whole("PCOUNT", 0) + pixels)
    return -(-size // RECORD) * RECORD
