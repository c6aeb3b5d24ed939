"""FITS binary tables (FITS 4.0 §7.3), decoded from the raw records; what the header claims is checked first.

Read are scalar columns and strings; scaled columns (TSCAL, TZERO) become double, except the convention for unsigned
integers, which become the next wider integer. TNULL, and a logical that is neither T nor F, are null. TUNIT is
rewritten as VOUnits; TUCDn, TUTYPn and TCOMMn are read where somebody wrote them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from astropy import units
from astropy.io import fits
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, ROWS, Block, Fixed, Text, Values, fixed, text
from almagest.ingest.errors import IngestError
from almagest.ingest.readers.fits_headers import BLOCK_BYTES, find, value

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
_DTYPES = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
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
    dtype: np.dtype[Any]
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
            octets = raw
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
        with _opened(path, name) as file:
            self._table = find(file, name)
        header = self._table.header
        self.rows: int | None = self._table.rows
        self._fields = [_field(header, number, name) for number in range(1, self._table.fields + 1)]
        self._row = np.dtype([(f"f{number}", field.dtype) for number, field in enumerate(self._fields)])
        if self._row.itemsize != self._table.width:
            message = f"its columns need {self._row.itemsize} bytes in a row that has {self._table.width} (NAXIS1)"
            raise IngestError(message, file=name)
        self.columns = tuple(
            _column(header, number, column, declared.get(column.name), name)
            for number, column in enumerate(self._fields, start=1)
        )

    def blocks(self) -> Iterator[Block]:
        """All rows, at most ROWS and about BLOCK_BYTES at a time."""
        most = max(1, min(ROWS, BLOCK_BYTES // max(1, self._row.itemsize)))
        with _opened(self.path, self.name) as file:
            file.seek(self._table.offset)
            for start in range(0, self._table.rows, most):
                rows = self._read(file, start, min(most, self._table.rows - start))
                pairs = zip(self._row.names or (), self._fields, self.columns, strict=True)
                yield Block(
                    start + 1,
                    tuple(
                        self._decode(np.ascontiguousarray(rows[raw]), field, column, start + 1)
                        for raw, field, column in pairs
                    ),
                )

    def _read(self, file: BinaryIO, start: int, number: int) -> NDArray[Any]:
        """Records of `number` rows, shape (number,)."""
        octets = file.read(number * self._row.itemsize)
        missing = number - len(octets) // max(1, self._row.itemsize)
        if missing:
            row = start + number - missing + 1
            raise IngestError(f"the file ends here; it claims {self._table.rows:,} rows", file=self.name, row=row)
        return np.frombuffer(octets, self._row)

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
def _opened(path: Path, name: str) -> Iterator[BinaryIO]:
    """The file's bytes, unzipped when it begins as gzip does (RFC 1952 §2.3.1)."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if zipped else file
    except (OSError, EOFError, zlib.error) as error:
        raise IngestError(f"is not a readable FITS file: {error}", file=name) from error


def _field(header: fits.Header, number: int, file: str) -> _Field:
    name = str(value(header, f"TTYPE{number}", "")).strip()
    if not name:
        raise IngestError(f"column {number} has no TTYPE{number}", file=file)
    form = str(value(header, f"TFORM{number}", "")).strip()
    found = re.match(r"(\d{0,9})([A-Z])", form)
    repeat, letter = found.groups() if found else ("", "")
    width = int(repeat or 1)
    if letter not in _TYPES or width == 0 or (letter != "A" and width != 1):
        raise IngestError(f"has TFORM {form!r}; only scalars and strings can be loaded", file=file, column=name)
    scale, zero = (_number(header, f"{word}{number}", usual, file) for word, usual in (("TSCAL", 1.0), ("TZERO", 0.0)))
    null = value(header, f"TNULL{number}", None)
    datatype = _TYPES[letter]
    if (letter, zero) in _UNSIGNED and scale == 1:
        datatype = _UNSIGNED[letter, zero][1]
    elif scale != 1 or zero != 0:
        datatype = "double"
    if letter not in "BIJK" or not isinstance(null, int):
        null = None
    dtype = np.dtype(_DTYPES[letter] if letter != "A" else f"S{width}")
    return _Field(name, letter, dtype, datatype, null, scale, zero)


def _number(header: fits.Header, key: str, usual: float, file: str) -> float:
    found = value(header, key, usual)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise IngestError(f"{key} is {found!r}, which is no number", file=file)
    return float(found)


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
        unit=_unit(_word(header, f"TUNIT{number}")),
        ucd=_word(header, f"TUCD{number}"),
        utype=_word(header, f"TUTYP{number}"),
        description=_word(header, f"TCOMM{number}") or "",
    )


def _word(header: fits.Header, key: str) -> str | None:
    found = value(header, key, None)
    return found.strip() or None if isinstance(found, str) else None


def _unit(written: str | None) -> str | None:
    """TUNIT as VOUnits 1.1; None when it is no unit that astropy knows, which a description can mend."""
    if not written:
        return None
    for dialect in ("fits", "vounit", "cds", "ogip"):
        try:
            return str(units.Unit(written, format=dialect).to_string("vounit"))
        except ValueError:
            continue
    return None
