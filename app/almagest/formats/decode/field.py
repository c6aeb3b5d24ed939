"""FIELD elements (VOTable 1.5 §4.1): what a column is, and how its values stand in the data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from almagest.catalogue import Column, Datatype
from almagest.formats import complexes
from almagest.formats.block import DTYPES
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.table import Bounds, described


@dataclass(frozen=True, slots=True)
class _Type:
    """A datatype of VOTable 1.5 (Table 1). wire: numpy's type of a number in BINARY and BINARY2; bits: of an element;
    stored: what it becomes here."""

    wire: str
    bits: int
    stored: Datatype


_TYPES: Mapping[str, _Type] = {
    "boolean": _Type("u1", 8, "boolean"),
    "bit": _Type("u1", 1, "boolean"),
    "unsignedByte": _Type("u1", 8, "short"),
    "short": _Type(">i2", 16, "short"),
    "int": _Type(">i4", 32, "int"),
    "long": _Type(">i8", 64, "long"),
    "float": _Type(">f4", 32, "float"),
    "double": _Type(">f8", 64, "double"),
    "floatComplex": _Type(">f4", 64, "float"),
    "doubleComplex": _Type(">f8", 128, "double"),
    "char": _Type("u1", 8, "char"),
    "unicodeChar": _Type(">u2", 16, "unicodeChar"),
}
_ARRAYSIZE = re.compile(r"(?:\d{1,9}x)*(?:\d{1,9}\*?|\*)")
_SHAPES = {"point": 2, "circle": 3, "polygon": None}
"""xtype → elements that its array has; None is any number (DALI 1.1 §3.3.5–§3.3.7)."""

DESCRIPTION_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Field:
    """A column and its values' form. datatype: VOTable's; size: elements of a value, 1 for a scalar, None where each
    value says it; null: the number or text that means no value, as written in VALUES."""

    column: Column
    datatype: str
    size: int | None
    null: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether a value is one string."""
        return self.datatype in ("char", "unicodeChar")

    @property
    def is_scalar(self) -> bool:
        """Whether a value is one number or flag."""
        return self.size == 1 and self.parts == 1

    @property
    def parts(self) -> int:
        """Numbers of an element: two of a complex one."""
        return 2 if complexes.parts(self.datatype) else 1

    @property
    def bits(self) -> int:
        """Size of an element in BINARY and BINARY2; those of a value are filled up to whole bytes."""
        return _TYPES[self.datatype].bits

    @property
    def wire(self) -> str:
        """numpy's type of a number in BINARY and BINARY2."""
        return _TYPES[self.datatype].wire

    @property
    def dtype(self) -> np.dtype[Any]:
        """numpy's type of a decoded element."""
        return DTYPES[self.column.datatype]

    @property
    def missing(self) -> float | int | None:
        """The number that means no value, None when there is none, or none that such a column can hold."""
        if self.null is None or self.is_text or self.dtype.kind == "b":
            return None
        with suppress(ValueError):
            return float(self.null) if self.dtype.kind == "f" else whole(self.null.strip())
        # Also a column of whole numbers may call its null -99.0.
        with suppress(ValueError):
            number = float(self.null)
            return int(number) if number.is_integer() else None
        return None


def whole(written: str) -> int:
    """A whole number as VOTable writes it (1.5 §5.1): in decimal, or in hexadecimal behind `0x`. Raises ValueError."""
    # int() knows the digits of every script, and underscores between them.
    if "_" in written or not written.isascii():
        raise ValueError(written)
    return int(written, 16) if written.lower().lstrip("+-").startswith("0x") else int(written)


@dataclass(slots=True)
class Draft:
    """A FIELD whose children are still being read."""

    attributes: Mapping[str, str]
    description: str = ""
    null: str | None = None


def fields(drafts: list[Draft], bounds: Bounds) -> tuple[Field, ...]:
    """The columns of a table. Raises DecodingError for a type that no column of an archive can have."""
    made = [_field(draft, number, bounds) for number, draft in enumerate(drafts, 1)]
    columns = described([field.column for field in made])
    return tuple(replace(field, column=column) for field, column in zip(made, columns, strict=True))


def _field(draft: Draft, number: int, bounds: Bounds) -> Field:
    get = draft.attributes.get
    name = get("name") or get("ID") or ""
    shown = name[:80] or f"number {number}"
    datatype = get("datatype", "")
    if datatype not in _TYPES:
        message = f"has the datatype {datatype[:40]!r}; possible are {', '.join(_TYPES)}"
        raise DecodingError(message, column=shown)
    arraysize = _arraysize(get("arraysize"), shown)
    size = _size(arraysize, shown)
    stored = _TYPES[datatype].stored
    bounds.check_cell((size or 1) * max(8, _TYPES[datatype].bits) // 8, shown)
    column = Column(
        name,
        stored,
        "*" if stored in ("char", "unicodeChar") else None if size == 1 else arraysize,
        unit=get("unit") or None,
        ucd=get("ucd") or None,
        utype=get("utype") or None,
        description=" ".join(draft.description.split())[:DESCRIPTION_CHARACTERS],
    )
    if complexes.parts(datatype):
        column = replace(column, arraysize=complexes.paired(column.arraysize), xtype=complexes.XTYPE)
    else:
        column = typed(column, get("xtype", ""), size)
    return Field(column, datatype, size, draft.null)


def _arraysize(written: str | None, column: str) -> str:
    """An array of one is what many writers call a scalar."""
    arraysize = (written or "1").replace(" ", "")
    if not _ARRAYSIZE.fullmatch(arraysize):
        if re.fullmatch(r"[0-9x*]+", arraysize):
            raise TooMuchError(f"has the arraysize {arraysize[:40]!r}, more than a value may have", column=column)
        raise DecodingError(f"has the arraysize {arraysize[:40]!r}, which is none of n, n*, * or n×m", column=column)
    return arraysize


def _size(arraysize: str, column: str) -> int | None:
    if arraysize.endswith("*"):
        return None
    size = 1
    for length in arraysize.split("x"):
        size *= int(length)
    if size == 0:
        raise DecodingError("has arrays without elements (arraysize 0)", column=column)
    return size


def typed(column: Column, xtype: str, size: int | None) -> Column:
    """The column with the xtype that means something here; any other one is left out, and the values stay."""
    xtype = xtype.lower().removeprefix("adql:")
    if xtype == "timestamp" and column.datatype in ("char", "unicodeChar"):
        return replace(column, datatype="char", xtype="timestamp")
    if xtype in _SHAPES and column.datatype in ("float", "double"):
        needed = _SHAPES[xtype]
        if needed in (None, size):
            return replace(column, datatype="double", xtype=xtype, arraysize="*" if needed is None else str(needed))
    return column
