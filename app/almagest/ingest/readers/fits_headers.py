"""Headers of a FITS file, read block by block to the one of the first binary table (FITS 4.0 §3, §4.4).

astropy parses the cards; how much is read, skipped and believed is decided here, because a header can claim anything.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

from astropy.io import fits

from almagest.ingest.errors import IngestError

UNIT = 2880
"""Bytes of a FITS block."""

HEADER_UNITS = 2000
"""The longest header that is read: 72,000 cards."""

AXES = 999
"""The most axes, and the most columns, that FITS allows."""

BLOCK_BYTES = 64 << 20
"""The longest row, and about the most that is read at once."""


@dataclass(frozen=True)
class Table:
    """Where a binary table's rows are. offset: of the first, in bytes; width: of a row, in bytes."""

    header: fits.Header
    offset: int
    rows: int
    width: int
    fields: int


def find(file: BinaryIO, name: str) -> Table:
    """The first binary table of a file that is read from its beginning. Raises IngestError when there is none."""
    header, end = _header(file, name), file.tell()
    if header is None or not _card(header, 0).startswith("SIMPLE"):
        raise IngestError("is not a readable FITS file", file=name)
    while header is not None:
        size = _data_size(header, name)
        if value(header, "XTENSION", "") == "BINTABLE" and value(header, "ZIMAGE", False) is not True:
            table = Table(
                header,
                end,
                rows=_whole(header, "NAXIS2", name),
                width=_whole(header, "NAXIS1", name),
                fields=_whole(header, "TFIELDS", name, most=AXES),
            )
            if not table.fields or not 0 < table.width <= BLOCK_BYTES:
                raise IngestError(f"has a table of {table.fields} columns in {table.width:,} bytes", file=name)
            return table
        file.seek(end + math.ceil(size / UNIT) * UNIT)
        header, end = _header(file, name), file.tell()
    raise IngestError("has no binary table", file=name)


def value(header: fits.Header, key: str, usual: Any) -> Any:
    """What a card says, `usual` when there is none. A card that cannot be parsed says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy comments on style
        try:
            return header.get(key, usual)
        except (fits.VerifyError, ValueError):
            return usual


def _header(file: BinaryIO, name: str) -> fits.Header | None:
    """The header that begins here; None at the end of the file."""
    octets = b""
    for _ in range(HEADER_UNITS):
        unit = file.read(UNIT)
        if len(unit) < UNIT:
            return None
        octets += unit
        if any(unit[at : at + 8] == b"END     " for at in range(0, UNIT, 80)):
            break
    else:
        raise IngestError("has a header without an end", file=name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        try:
            return fits.Header.fromstring(octets)
        except (fits.VerifyError, ValueError, UnicodeDecodeError) as error:
            raise IngestError(f"is not a readable FITS file: {error}", file=name) from error


def _card(header: fits.Header, number: int) -> str:
    return str(header.cards[number].keyword) if len(header) > number else ""


def _data_size(header: fits.Header, name: str) -> int:
    """Bytes of data after a header, without padding (FITS 4.0 eq. 1 and 2)."""
    axes = [_whole(header, f"NAXIS{axis}", name) for axis in range(1, 1 + _whole(header, "NAXIS", name, most=AXES))]
    if axes and axes[0] == 0 and value(header, "GROUPS", False) is True:
        axes = axes[1:]
    bits: int = value(header, "BITPIX", 8)
    if bits not in (8, 16, 32, 64, -32, -64):
        raise IngestError(f"BITPIX is {bits!r}", file=name)
    values = math.prod(axes) if axes else 0
    extra = _whole(header, "PCOUNT", name, usual=0)
    return abs(bits) // 8 * _whole(header, "GCOUNT", name, usual=1) * (extra + values)


def _whole(header: fits.Header, key: str, name: str, *, most: int = 1 << 50, usual: int | None = None) -> int:
    found = value(header, key, usual)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= most:
        raise IngestError(f"{key} is {found!r}; it must be a whole number up to {most:,}", file=name)
    return found
