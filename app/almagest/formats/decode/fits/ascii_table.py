"""ASCII tables (FITS 4.0 §7.2): numbers as Fortran prints them, in columns of characters.

A field of blanks is null. The standard calls it zero where it should hold a whole number, but those who write ASCII
tables leave blank what they do not have, and the other readers take it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column
from almagest.formats.block import ROWS, Block, Fixed, Values
from almagest.formats.decode import cells
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import Field, typed
from almagest.formats.decode.fits import strings
from almagest.formats.decode.fits.header import Found, Header
from almagest.formats.decode.fits.scaling import Scaling, narrowest, scaling
from almagest.formats.decode.table import BLOCK_BYTES, Bounds, Decoded, described

_FORM = re.compile(r"([AIFED])([0-9]{1,9})(?:\.([0-9]{1,3}))?(?:E[0-9]{1,2})?")
_REAL = re.compile(r"([+-]?)([0-9]*)(\.[0-9]*)?(?:[ED]([+-]?[0-9]{1,4})|([+-][0-9]{1,4}))?")
_LONG = np.iinfo("i8")


@dataclass(frozen=True, slots=True)
class _Field:
    """A column. begin: of its characters in a row; decimals: how many digits stand behind a point that is left out;
    null: what is written where there is no value."""

    column: Column
    letter: str
    begin: int
    width: int
    decimals: int
    null: str | None
    scaling: Scaling

    def values(self, octets: NDArray[np.uint8], first: int) -> Values:
        """octets: the rows, of shape (rows, characters); first: number of the first."""
        raw = np.ascontiguousarray(octets[:, self.begin : self.begin + self.width]).view(f"S{self.width}")[:, 0]
        if self.letter == "A":
            return strings.even(self.column, raw, first, self.null)
        written = [word.decode("latin-1").strip() for word in raw.tolist()]
        if self.letter == "I":
            read = self._read("long", written, first)
        else:
            read = self._read("double", [self._real(word) for word in written], first)
        scaled, _ = self.scaling.values(np.where(read.null, 0, read.values), lambda index: first + index)
        return Fixed(scaled, read.null)

    def _read(self, datatype: Any, words: list[str], first: int) -> Fixed:
        field = Field(replace(self.column, datatype=datatype), datatype, 1, self.null)
        found = cells.values(field, words, first)
        if not isinstance(found, Fixed):
            raise TypeError(found)
        return found

    def _real(self, word: str) -> str:
        """A number as Python reads it. Fortran's exponent may have a D, or no letter, and the decimal point may be left
        out (§7.2.5)."""
        found = _REAL.fullmatch(word.upper()) if word != self.null else None
        if not found or not (found[2] or found[3]):
            return word
        sign, digits, fraction, exponent, short = found.groups()
        if fraction is None and self.decimals:
            digits = digits.rjust(self.decimals, "0")
            digits, fraction = digits[: -self.decimals], f".{digits[-self.decimals :]}"
        return f"{sign}{digits}{fraction or ''}e{exponent or short or 0}"


def decode(file: BinaryIO, found: Found, bounds: Bounds) -> Decoded:
    """The table that begins here. Raises DecodingError, also while the blocks are taken."""
    header = found.header
    rows, width = header.whole("NAXIS2"), header.whole("NAXIS1")
    bounds.check_rows(rows)
    bounds.check_row(width)
    fields = [_field(header, index, width, bounds) for index in range(1, header.whole("TFIELDS") + 1)]
    # Fields may overlap, so that a row in memory may be longer than in the file.
    claimed = width + sum(field.width for field in fields)
    bounds.check_row(claimed)
    columns = described([field.column for field in fields])
    fields = [replace(field, column=column) for field, column in zip(fields, columns, strict=True)]
    return Decoded(columns, _blocks(file, fields, rows, width, claimed), rows=rows)


def _blocks(file: BinaryIO, fields: Sequence[_Field], rows: int, width: int, claimed: int) -> Iterator[Block]:
    most = max(1, min(ROWS, BLOCK_BYTES // claimed))
    for done in range(0, rows, most):
        wanted = min(most, rows - done)
        data = file.read(wanted * width)
        if len(data) < wanted * width:
            message = f"the file ends here, though its header says {rows:,} rows"
            raise DecodingError(message, row=done + len(data) // width + 1)
        octets = np.frombuffer(data, dtype=np.uint8).reshape(wanted, width)
        yield Block(done + 1, tuple(field.values(octets, done + 1) for field in fields))


def _field(header: Header, index: int, row: int, bounds: Bounds) -> _Field:
    shown = header.shown(index)
    written = header.text(f"TFORM{index}")
    form = _FORM.fullmatch(written)
    if not form:
        raise DecodingError(f"has TFORM {written[:20]!r}; Aw, Iw, Fw.d, Ew.d and Dw.d can be read", column=shown)
    letter, width, decimals = form[1], int(form[2]), int(form[3] or 0)
    bounds.check_cell(width, shown)
    begin = header.whole(f"TBCOL{index}")
    if not width or not 1 <= begin <= row + 1 - width:
        message = f"has {width} characters from place {begin} on (TFORM, TBCOL), in rows of {row} (NAXIS1)"
        raise DecodingError(message, column=shown)
    null = header.text(f"TNULL{index}") if f"TNULL{index}" in header.cards else None
    if letter == "A":
        column = typed(header.column(index, "char", "*"), header.text(f"TXTYP{index}"), None)
        return _Field(column, letter, begin - 1, width, 0, null, Scaling(shown, "char"))
    limits = _limits(width) if letter == "I" else None
    scale = scaling(header, index, narrowest(*limits) if limits else "double", limits)
    return _Field(header.column(index, scale.datatype, None), letter, begin - 1, width, decimals, null, scale)


def _limits(width: int) -> tuple[int, int]:
    """The least and the greatest whole number of so many characters, within what a long holds."""
    largest = 10 ** min(width, 20) - 1
    return max(-largest, _LONG.min), min(largest, _LONG.max)
