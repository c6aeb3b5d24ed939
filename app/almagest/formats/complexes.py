"""Complex numbers: VOTable and FITS have a type for them, nobody else does.

Everywhere inside, one is an array of two numbers, real part first, with the xtype `complex`; an array of n is `2xn`. So
a query can take its parts (`z[1]`), and what has no complex numbers shows them as arrays.
"""

from __future__ import annotations

from dataclasses import replace

from almagest.catalogue import Column, Datatype

XTYPE = "complex"

_PARTS: dict[str, Datatype] = {"floatComplex": "float", "doubleComplex": "double"}


def is_complex(column: Column) -> bool:
    """Whether the elements of a column are parts of complex numbers."""
    return column.xtype == XTYPE


def parts(datatype: str) -> Datatype | None:
    """The type of the parts of VOTable's `floatComplex` and `doubleComplex`; None for any other."""
    return _PARTS.get(datatype)


def paired(arraysize: str | None) -> str:
    """The arraysize of the parts of so many complex numbers."""
    return f"2x{arraysize}" if arraysize else "2"


def of_parts(column: Column) -> Column:
    """A column of arrays of numbers as one of complex numbers, which these are the parts of; the same where one number
    is left over."""
    size = column.arraysize or ""
    if size == "*":
        return replace(column, arraysize="2x*", xtype=XTYPE)
    if not size.isdecimal() or not int(size) or int(size) % 2:
        return column
    return replace(column, arraysize=paired(str(int(size) // 2) if size != "2" else None), xtype=XTYPE)


def votable_type(column: Column) -> tuple[str, str | None, str | None]:
    """A column's datatype, arraysize and xtype as VOTable 1.4 has them (§2.1)."""
    if not is_complex(column) or column.arraysize is None:
        return column.datatype, column.arraysize, column.xtype
    return f"{column.datatype}Complex", column.arraysize.removeprefix("2").removeprefix("x") or None, None
