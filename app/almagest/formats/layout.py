"""What is asked of PostgreSQL for the binary formats, and what its answer means column by column.

Every field is sent without NULL, so that columns of numbers are equally wide in all rows: NaN stands for a missing
floating-point number, zero for anything else, and whole numbers in front of the row say which they are, a bit a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.adql.catalogue import Column
from almagest.formats import rows
from almagest.formats.rows import Cells, Ragged, RawBlock
from almagest.formats.sql import elements, fixed_size, is_text, is_timestamp, text

SENT: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in {
        "boolean": "S1", "short": ">i2", "int": ">i4", "long": ">i8", "float": ">f4", "double": ">f8",
    }.items()
}  # fmt: skip
"""Datatype → numpy's type of an element as PostgreSQL sends it; of a boolean T, F or ?."""

MARKS: Mapping[str, int] = {"short": -(1 << 15), "int": -(1 << 31), "long": -(1 << 63)}
"""Datatype → what stands for NULL in formats whose rows have no place for it: the number furthest from any in use."""

_NULLS = {
    "short": ("int2send", r"'\x0000'::bytea", "0::smallint"),
    "int": ("int4send", r"'\x00000000'::bytea", "0"),
    "long": ("int8send", r"'\x0000000000000000'::bytea", "0::bigint"),
    "float": ("float4send", r"'\x7fc00000'::bytea", "'NaN'::real"),
    "double": ("float8send", r"'\x7ff8000000000000'::bytea", "'NaN'::double precision"),
}
"""Datatype → function of an element of an array, bytes of a NULL element; value of a NULL."""

_WORD = 64
"""Bits of a number that says which columns are NULL."""

_BITS = np.dtype((np.uint8, (_WORD // 8,)))
"""The number as it comes, the first column's bit first."""

_UNROLLED = 8
"""Fixed arrays up to this length are written element by element, without a subquery."""


@dataclass(frozen=True, slots=True)
class Part:
    """A block, taken apart. cells: by column; text is UTF-8; nulls: bits, from the left, filled up to bytes."""

    cells: list[Cells]
    nulls: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.nulls)

    def null(self, number: int) -> NDArray[np.bool_]:
        """Whether the column with this number, from 0 on, is NULL, by row. Floating-point numbers never are."""
        null: NDArray[np.bool_] = (self.nulls[:, number // 8] & (0x80 >> number % 8)) != 0
        return null


class Layout:
    """How rows of these columns come. instants: whether timestamps are microseconds since 2000 instead of text."""

    def __init__(self, columns: Sequence[Column], *, instants: bool = False) -> None:
        self.columns = tuple(columns)
        self.instants = instants
        self._words = [
            any(masked(column) for column in columns[start : start + _WORD]) for start in range(0, len(columns), _WORD)
        ]
        words = [_BITS for wanted in self._words if wanted]
        self._dtypes = (*words, *(self._dtype(column) for column in columns))

    def expressions(self) -> tuple[str, ...]:
        """SQL of the fields over c1 … cn."""
        words = (
            _word(self.columns[start : start + _WORD], start)
            for start, wanted in zip(range(0, len(self.columns), _WORD), self._words, strict=True)
            if wanted
        )
        cells = (self._cell(column, f"c{number}") for number, column in enumerate(self.columns, 1))
        return (*words, *cells)

    def part(self, block: RawBlock) -> Part:
        """The block's columns."""
        cells = rows.columns(block, self._dtypes)
        known = sum(self._words)
        words = (cell for cell in cells[:known] if not isinstance(cell, Ragged))
        none = (len(block.starts), _BITS.itemsize)
        bits = [next(words) if wanted else np.zeros(none, np.uint8) for wanted in self._words]
        nulls = bits[0] if len(bits) == 1 else np.concatenate(bits, axis=1)
        return Part(cells[known:], nulls[:, : (len(self.columns) + 7) // 8])

    def _dtype(self, column: Column) -> np.dtype[Any] | None:
        if self.instants and is_timestamp(column):
            return np.dtype(">i8")
        size = fixed_size(column)
        if is_text(column) or size is None:
            return None
        base = SENT[column.datatype]
        return base if column.arraysize is None else np.dtype((base, (size,)))

    def _cell(self, column: Column, name: str) -> str:
        if is_timestamp(column):
            return f"coalesce({name}, 'epoch'::timestamp)" if self.instants else f"coalesce({text(column, name)}, '')"
        if is_text(column):
            return f"coalesce({name}, '')"
        if column.arraysize is not None:
            return _array(column, name)
        if column.datatype == "boolean":
            return f"""CASE WHEN {name} THEN 'T'::"char" WHEN NOT {name} THEN 'F'::"char" ELSE '?'::"char" END"""
        return f"coalesce({name}, {_NULLS[column.datatype][2]})"


def masked(column: Column) -> bool:
    """Whether NULL in a column needs a bit, because no value of its own says so."""
    return not (column.datatype in ("float", "double") and column.arraysize is None)


def ascii_only(cell: Ragged) -> Ragged:
    """Text for those who read ASCII and stop at anything else: one `?` for each other character.

    Such text must be declared unicodeChar; where it was not, one character must not cost the table.
    """
    if not len(cell.data) or int(cell.data.max()) < 0x80:
        return cell
    kept = (cell.data & 0xC0) != 0x80
    data = np.where(cell.data < 0x80, cell.data, np.uint8(ord("?")))[kept]
    return Ragged(_sums(kept, cell.lengths), data)


def utf16(cell: Ragged) -> Ragged:
    """UTF-8 text as UTF-16BE, as unicodeChar is read everywhere."""
    if not len(cell.data) or int(cell.data.max()) < 0x80:
        wide = np.zeros((len(cell.data), 2), np.uint8)
        wide[:, 1] = cell.data
        return Ragged(cell.lengths * 2, wide.reshape(-1))
    units = ((cell.data & 0xC0) != 0x80).astype(np.intp) + (cell.data >= 0xF0)
    encoded = cell.data.tobytes().decode().encode("utf-16-be")
    return Ragged(2 * _sums(units, cell.lengths), np.frombuffer(encoded, np.uint8))


def _sums(values: NDArray[Any], lengths: rows.Places) -> rows.Places:
    """The sum of the values of each row."""
    totals = np.concatenate(([0], np.cumsum(values, dtype=np.intp)))
    ends = np.cumsum(lengths)
    sums: rows.Places = totals[ends] - totals[ends - lengths]
    return sums


def _word(columns: Sequence[Column], start: int) -> str:
    """The bits are only put together in rows that have a NULL: that is the dear part."""
    bits = [(f"c{start + offset + 1}", _WORD - 1 - offset) for offset, column in enumerate(columns) if masked(column)]
    some = " OR ".join(f"{name} IS NULL" for name, _ in bits)
    added = " | ".join(f"(({name} IS NULL)::int::bigint << {bit})" for name, bit in bits)
    return f"CASE WHEN {some} THEN {added} ELSE 0::bigint END"


def _array(column: Column, name: str) -> str:
    """The bytes of the elements; a fixed array has its length whatever is stored, or other rows would be read wrong."""
    size = fixed_size(column)
    if size is None:
        joined = f"SELECT string_agg({_element(column, 'e')}, ''::bytea ORDER BY i) FROM {elements(name)}"
        return f"coalesce(({joined}), ''::bytea)"
    if size <= _UNROLLED:
        return " || ".join(_element(column, f"{name}[{number}]") for number in range(1, size + 1))
    element = _element(column, f"{name}[i]")
    return f"(SELECT string_agg({element}, ''::bytea ORDER BY i) FROM generate_series(1, {size}) AS i)"


def _element(column: Column, name: str) -> str:
    if column.datatype == "boolean":
        return rf"CASE WHEN {name} THEN '\x54'::bytea WHEN NOT {name} THEN '\x46'::bytea ELSE '\x3f'::bytea END"
    send, missing, _ = _NULLS[column.datatype]
    return f"coalesce({send}({name}), {missing})"
