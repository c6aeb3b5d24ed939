"""The first table of a FITS file, binary (FITS 4.0 §7.3) or ASCII (§7.2), read as it comes.

A header is a claim: rows are read a few MB at a time until as many came as it said, and a file that has fewer is
refused where it ends. A whole number stays one, to the last digit, also where it is scaled (`scaling`).
"""

from __future__ import annotations

from typing import BinaryIO

from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.fits import ascii_table, binary_table
from almagest.formats.decode.fits.header import table
from almagest.formats.decode.table import Bounds, Decoded

__all__ = ["decode"]

COLUMNS = 999
"""FITS 4.0 §7.3.1: TFIELDS."""


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The first table of a FITS file. Raises DecodingError, also while the blocks are taken.

    file: is read from its beginning and in order, but for arrays of variable length, for which it has to be seekable.
    """
    found = table(file)
    number = found.header.whole("TFIELDS")
    bounds.check_columns(number)
    if not number:
        raise DecodingError("the table has no columns")
    if number > COLUMNS:
        raise DecodingError(f"the table has more than {COLUMNS} columns, which FITS has no keywords for")
    if found.header.text("XTENSION") == "TABLE":
        return ascii_table.decode(file, found, bounds)
    return binary_table.decode(file, found, bounds)
