"""The first binary table of a FITS file (FITS 4.0 §7.3), read as it comes.

A header is a claim: rows are read a few MB at a time until as many came as it said, and a file that has fewer is
refused where it ends. Read are numbers, flags, strings, and arrays of fixed length; scaled columns (TSCAL, TZERO)
become double, except the convention for unsigned integers, which become the next wider integer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, ROWS, Array, Block, Fixed, Text, Values, fixed
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.table import BLOCK_BYTES, CHUNK, Bounds, Decoded, described

RECORD = 2880
CARD = 80
HEADER_RECORDS = 1000
"""Length of a header: 36,000 cards, more than a table of a thousand columns has."""

HDUS = 1000

_CARD = re.compile(r"([A-Z0-9_-]{1,8}) *= *(?:'((?:[^']|'')*)'|([^/]*))")
_FORM = re.compile(r"(\d{0,9})([A-Z])")
_TYPES: dict[str, tuple[str, Datatype]] = {
    "L": ("u1", "boolean"),
    "B": ("u1", "short"),
    "I": (">i2", "short"),
    "J": (">i4", "int"),
    "K": (">i8", "long"),
    "E": (">f4", "float"),
    "D": (">f8", "double"),
    "A": ("u1", "char"),
}
_UNSIGNED: dict[tuple[str, float], Datatype] = {("B", -128.0): "short", ("I", 2.0**15): "int", ("J", 2.0**31): "long"}
"""(TFORM letter, TZERO) → the type that holds the sum (FITS 4.0 Table 19)."""

Header = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Field:
    """How a column stands in a row. repeat: of its elements; offset: bytes before it."""

    column: Column
    letter: str
    repeat: int
    offset: int
    null: int | None
    scale: float
    zero: float

    @property
    def width(self) -> int:
        return self.repeat * np.dtype(_TYPES[self.letter][0]).itemsize

    def values(self, octets: NDArray[np.uint8]) -> Values:
        """octets: of shape (rows, width)."""
        if self.letter == "A":
            return _text(octets)
        elements = self._elements(np.ascontiguousarray(octets).reshape(-1))
        if self.repeat == 1:
            return fixed(elements.values, elements.null)
        offsets = np.arange(len(octets) + 1, dtype=np.int64) * self.repeat
        return Array(offsets, elements, np.zeros(len(octets), dtype=bool))

    def _elements(self, octets: NDArray[np.uint8]) -> Fixed:
        if self.letter == "L":
            return Fixed(octets == ord("T"), (octets != ord("T")) & (octets != ord("F")))
        raw: NDArray[Any] = octets.view(_TYPES[self.letter][0])
        null = raw == self.null if self.null is not None else np.zeros(len(raw), dtype=bool)
        dtype = DTYPES[self.column.datatype]
        if dtype.kind == "i" and self.zero:
            return Fixed(raw.astype(dtype) + dtype.type(int(self.zero)), null)
        if self.scale != 1 or self.zero:
            return Fixed(raw.astype("f8") * self.scale + self.zero, null)
        return Fixed(raw.astype(dtype), null)


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The first binary table of a file. Raises DecodingError, also while the blocks are taken."""
    header = _table_header(file)
    fields = _fields(header, bounds)
    rows, width = _whole(header, "NAXIS2"), _whole(header, "NAXIS1")
    bounds.check_rows(rows)
    if width != sum(field.width for field in fields):
        raise DecodingError(f"NAXIS1 is {width}, but the columns take {sum(field.width for field in fields)} bytes")
    bounds.check_row(width)
    columns = described([field.column for field in fields])
    fields = [replace(field, column=column) for field, column in zip(fields, columns, strict=True)]
    return Decoded(columns, _blocks(file, fields, rows, width))


def _blocks(file: BinaryIO, fields: list[_Field], rows: int, width: int) -> Iterator[Block]:
    done = 0
    while done < rows:
        wanted = min(ROWS, max(1, BLOCK_BYTES // width), rows - done)
        data = _read(file, wanted * width)
        found = len(data) // width
        if found < wanted:
            raise DecodingError(f"the file ends here, though its header says {rows:,} rows", row=done + found + 1)
        octets = np.frombuffer(data, dtype=np.uint8).reshape(wanted, width)
        parts = (field.values(octets[:, field.offset : field.offset + field.width]) for field in fields)
        yield Block(done + 1, tuple(parts))
        done += wanted


def _table_header(file: BinaryIO) -> Header:
    """The header of the first binary table; the file is left at its rows."""
    for _ in range(HDUS):
        header = _header(file)
        if header.get("XTENSION") == "BINTABLE":
            if header.get("ZTABLE") == "T" or header.get("ZIMAGE") == "T":
                raise DecodingError("the table is compressed inside; send it as a plain binary table")
            return header
        _skip(file, _data_size(header))
    raise TooMuchError(f"the first {HDUS:,} parts of the file are no binary table")


def _header(file: BinaryIO) -> Header:
    found: dict[str, str] = {}
    for _ in range(HEADER_RECORDS):
        record = _read(file, RECORD)
        if len(record) < RECORD:
            raise DecodingError("the file has no binary table" if not record else "the file ends in a header")
        text = record.decode("latin-1")
        for start in range(0, RECORD, CARD):
            card = text[start : start + CARD]
            if card.rstrip() == "END":
                return found
            if match := _CARD.match(card):
                key, string, other = match.groups()
                found.setdefault(key, (string.replace("''", "'") if string is not None else other).strip())
    raise TooMuchError("a header is longer than any table's")


def _data_size(header: Header) -> int:
    """Bytes of an HDU's data (FITS 4.0 §4.4.1.2), filled up to whole records."""
    axes = [_whole(header, f"NAXIS{number}") for number in range(1, min(_whole(header, "NAXIS"), 999) + 1)]
    if not axes:
        return 0
    pixels = 1
    for axis in axes[1:] if axes[0] == 0 and header.get("GROUPS") == "T" else axes:
        pixels *= axis
    size = abs(_whole(header, "BITPIX")) // 8 * _whole(header, "GCOUNT", 1) * (_whole(header, "PCOUNT", 0) + pixels)
    return -(-size // RECORD) * RECORD


def _skip(file: BinaryIO, size: int) -> None:
    while size > 0:
        data = file.read(min(size, CHUNK))
        if not data:
            raise DecodingError("the file ends in the middle of its data")
        size -= len(data)


def _read(file: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer at the end only; never more memory than there are."""
    parts = []
    while size > 0 and (data := file.read(min(size, CHUNK))):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _fields(header: Header, bounds: Bounds) -> list[_Field]:
    number = _whole(header, "TFIELDS")
    bounds.check_columns(number)
    if not number:
        raise DecodingError("the table has no columns")
    fields: list[_Field] = []
    offset = 0
    for index in range(1, number + 1):
        fields.append(_field(header, index, offset, bounds))
        offset += fields[-1].width
    return fields


def _field(header: Header, index: int, offset: int, bounds: Bounds) -> _Field:
    name = header.get(f"TTYPE{index}", "")
    shown = name[:80] or f"number {index}"
    form = _FORM.match(header.get(f"TFORM{index}", ""))
    letter = form[2] if form else ""
    if form is None or letter not in _TYPES:
        written = header.get(f"TFORM{index}", "")[:20]
        raise DecodingError(
            f"has TFORM {written!r}; of fixed length and of {', '.join(_TYPES)} can be read", column=shown
        )
    repeat = int(form[1] or 1)
    scale, zero = _real(header, f"TSCAL{index}", 1), _real(header, f"TZERO{index}", 0)
    datatype = _TYPES[letter][1]
    if letter not in "LA" and (scale != 1 or zero):
        datatype = _UNSIGNED.get((letter, zero), "double") if scale == 1 else "double"
    null = header.get(f"TNULL{index}")
    if repeat == 0:
        raise DecodingError("has no elements (TFORM 0)", column=shown)
    column = Column(
        name,
        datatype,
        "*" if letter == "A" else None if repeat == 1 else str(repeat),
        unit=header.get(f"TUNIT{index}") or None,
        ucd=header.get(f"TUCD{index}") or None,
        utype=header.get(f"TUTYP{index}") or None,
        description=header.get(f"TCOMM{index}", ""),
    )
    whole = letter in "BIJK" and null is not None and re.fullmatch(r"[+-]?\d{1,19}", null)
    field = _Field(column, letter, repeat, offset, int(null) if whole and null else None, scale, zero)
    bounds.check_cell(field.width, shown)
    return field


def _text(octets: NDArray[np.uint8]) -> Text:
    """Strings end at their first NUL, and blanks at their end mean nothing; beyond ASCII they are ISO 8859-1."""
    ended = np.minimum.accumulate(octets != 0, axis=1)
    kept = ended & (np.maximum.accumulate(((octets != 32) & ended)[:, ::-1], axis=1)[:, ::-1])
    lengths = kept.sum(axis=1)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    data = octets[kept]
    if len(data) and data.max() > 127:
        ends = pairwise(offsets.tolist())
        strings = [data[start:stop].tobytes().decode("latin-1").encode() for start, stop in ends]
        lengths = np.fromiter(map(len, strings), dtype=np.int64, count=len(octets))
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        data = np.frombuffer(b"".join(strings), dtype=np.uint8)
    return Text(offsets, data, lengths == 0)


def _whole(header: Header, key: str, default: int | None = None) -> int:
    written = header.get(key)
    if written is None and default is not None:
        return default
    if written is None or not re.fullmatch(r"[+-]?\d{1,18}", written):
        raise DecodingError(f"the header has no whole number for {key}")
    if int(written) < 0 and key != "BITPIX":
        raise DecodingError(f"the header has the negative number {int(written)} for {key}")
    return int(written)


def _real(header: Header, key: str, default: float) -> float:
    try:
        return float(header[key].replace("D", "E")) if key in header else default
    except ValueError as error:
        raise DecodingError(f"the header has no number for {key}") from error
