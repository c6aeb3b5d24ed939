"""FITS binary tables (FITS 4.0 §7.3), memory-mapped, decoded from the raw records.

Read are scalar columns and strings; scaled columns (TSCAL, TZERO) become double, except the convention for unsigned
integers, which become the next wider integer. TNULL, and a logical that is neither T nor F, are null. TUNIT is
rewritten as VOUnits; TUCDn, TUTYPn and TCOMMn are read where somebody wrote them.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits
from numpy.typing import NDArray

from almagest.adql.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, ROWS, Block, Fixed, Text, Values, fixed, text
from almagest.ingest.errors import IngestError

_TYPES: dict[str, Datatype] = {
    "L": "boolean",
    "B": "short",
    "I": "short",
    "J": "int",
    "K": "long",
    "E": "float",
    "D": "double",
    "A": "char",
}
_UNSIGNED: dict[tuple[str, float], tuple[int, Datatype]] = {
    ("B", -128.0): (-128, "short"),
    ("I", 2.0**15): (2**15, "int"),
    ("J", 2.0**31): (2**31, "long"),
}
"""(TFORM letter, TZERO) → the offset as an integer, and the type that holds the sum (FITS 4.0 Table 19)."""


@dataclass(frozen=True)
class _Field:
    """How one column's raw values become typed ones."""

    name: str
    letter: str
    datatype: Datatype
    null: int | None
    scale: float
    zero: float

    @property
    def offset(self) -> int | None:
        """The integer to add when this is the convention for unsigned integers."""
        found = _UNSIGNED.get((self.letter, self.zero)) if self.scale == 1 else None
        return found[0] if found else None

    def decode(self, raw: NDArray[Any], declared: Datatype) -> Values:
        """raw: big-endian values of one block."""
        if self.letter == "A":
            return text(raw)
        if self.letter == "L":
            octets = raw.view(np.uint8)
            return Fixed(octets == ord("T"), (octets != ord("T")) & (octets != ord("F")))
        missing = raw == self.null if self.null is not None else None
        if self.offset is not None:
            return fixed(raw.astype(DTYPES[declared]) + DTYPES[declared].type(self.offset), missing)
        if self.scale != 1 or self.zero != 0:
            return fixed((raw.astype("f8") * self.scale + self.zero).astype(DTYPES[declared]), missing)
        return fixed(raw.astype(DTYPES[declared]), missing)


class FitsSource:
    """The first binary table of a FITS file. declared: wider types that its description asks for, by column."""

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        with _table(self.path, self.name) as (table, header):
            self.rows: int | None = len(table)
            self._fields = [_field(header, number, name) for number in range(1, header["TFIELDS"] + 1)]
            self.columns = tuple(
                _column(header, number, column, declared.get(column.name), name)
                for number, column in enumerate(self._fields, start=1)
            )

    def digest(self) -> str:
        """SHA-256 of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def blocks(self) -> Iterator[Block]:
        """All rows, ROWS at a time."""
        with _table(self.path, self.name) as (table, _):
            for start in range(0, len(table), ROWS):
                rows = table[start : start + ROWS]
                pairs = zip(rows.dtype.names or (), self._fields, self.columns, strict=True)
                yield Block(
                    start + 1,
                    tuple(
                        self._decode(np.ascontiguousarray(rows[raw]), field, column, start + 1)
                        for raw, field, column in pairs
                    ),
                )

    def _decode(self, raw: NDArray[Any], field: _Field, column: Column, first: int) -> Values:
        values = field.decode(raw, column.datatype)
        if isinstance(values, Text):
            foreign = np.flatnonzero((values.data > 126) | (values.data < 32))
            if len(foreign):
                row = first + values.row_of(int(foreign[0]))
                message = "has a byte outside printable ASCII, which FITS does not allow"
                raise IngestError(message, file=self.name, row=row, column=column.name)
        return values


@contextmanager
def _table(path: Path, name: str) -> Iterator[tuple[NDArray[Any], Any]]:
    """The raw records, structured and of shape (rows,), and the header of a file's first binary table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy comments on style; what cannot be read raises
        try:
            file = fits.open(path, memmap=True)
        except (OSError, ValueError, TypeError) as error:
            raise IngestError(f"is not a readable FITS file: {error}", file=name) from error
    with file:
        try:
            table = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)), None)
            raw = np.asarray(table.data).view(np.ndarray) if table is not None else None
        except (OSError, ValueError, TypeError) as error:
            raise IngestError(f"is not a readable FITS file: {error}", file=name) from error
        if table is None or raw is None:
            raise IngestError("has no binary table", file=name)
        yield raw, table.header


def _field(header: Any, number: int, file: str) -> _Field:
    name = str(header.get(f"TTYPE{number}", "")).strip()
    if not name:
        raise IngestError(f"column {number} has no TTYPE{number}", file=file)
    form = str(header[f"TFORM{number}"]).strip()
    repeat, letter = form.rstrip("ABCDEFGHIJKLMPQX"), form.lstrip("0123456789")[:1]
    scale, zero = float(header.get(f"TSCAL{number}", 1)), float(header.get(f"TZERO{number}", 0))
    if letter not in _TYPES or (letter != "A" and repeat not in ("", "1")):
        raise IngestError(f"has TFORM {form!r}; only scalars and strings can be loaded", file=file, column=name)
    datatype = _TYPES[letter]
    if (letter, zero) in _UNSIGNED and scale == 1:
        datatype = _UNSIGNED[letter, zero][1]
    elif scale != 1 or zero != 0:
        datatype = "double"
    return _Field(name, letter, datatype, header.get(f"TNULL{number}"), scale, zero)


def _column(header: Any, number: int, field: _Field, declared: Datatype | None, file: str) -> Column:
    datatype = field.datatype
    if declared and declared != datatype and field.letter not in "AL":
        if not np.can_cast(DTYPES[datatype], DTYPES.get(declared, np.dtype("?")), casting="safe"):
            message = f"is {datatype} in the file and cannot be loaded as {declared}"
            raise IngestError(message, file=file, column=field.name)
        datatype = declared
    return Column(
        field.name,
        datatype,
        "*" if field.letter == "A" else None,
        unit=_unit(header.get(f"TUNIT{number}")),
        ucd=header.get(f"TUCD{number}") or None,
        utype=header.get(f"TUTYP{number}") or None,
        description=str(header.get(f"TCOMM{number}", "")),
    )


def _unit(written: str | None) -> str | None:
    """TUNIT as VOUnits 1.1; None when it is no unit that astropy knows, which a description can mend."""
    if not written or not written.strip():
        return None
    for dialect in ("fits", "vounit", "cds", "ogip"):
        try:
            return str(units.Unit(written, format=dialect).to_string("vounit"))
        except ValueError:
            continue
    return None
