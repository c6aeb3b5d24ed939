"""Cells of text → typed values: TABLEDATA (VOTable 1.5 §5.1) and the timestamps of all serialisations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.formats.block import EPOCH, Array, Fixed, Mask, Values, strings
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import Field, whole

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?Z?")
_FLAGS: dict[str, bool | None] = {
    **dict.fromkeys(("t", "1", "true"), True),
    **dict.fromkeys(("f", "0", "false"), False),
    **dict.fromkeys(("", "?"), None),
}
"""Booleans in small letters; any capitalisation is legal (VOTable 1.5 §6)."""

RowOf = Callable[[int], int]
"""Row, counted from 0, of the word at an index."""


def values(field: Field, cells: Sequence[str], first: int) -> Values:
    """A column of a block. first: number of the block's first row. Raises DecodingError at a cell that does not fit."""
    if field.column.xtype == "timestamp":
        return timestamps(field, cells, first)
    if field.is_text:
        return strings([None if cell == field.null else cell for cell in cells] if field.null else cells)
    if field.is_scalar:
        return _words(field, cells, first, lambda index: index)
    return _arrays(field, cells, first)


def timestamps(field: Field, cells: Sequence[str], first: int) -> Fixed:
    """ISO 8601 in UTC as int64 microseconds since 2000 (DALI 1.1 §3.3.3)."""
    found = np.zeros(len(cells), dtype="datetime64[us]")
    null = np.zeros(len(cells), dtype=bool)
    for index, cell in enumerate(cells):
        written = cell.strip()
        if not written or written == field.null:
            null[index] = True
            continue
        try:
            found[index] = _timestamp(written)
        except ValueError as error:
            message = f"{_shown(cell)} is not a timestamp such as 2030-01-31T12:00:00.5"
            raise DecodingError(message, row=first + index, column=field.column.name) from error
    since = (found - EPOCH).astype(np.int64)
    since[null] = 0
    return Fixed(since, null)


def _timestamp(written: str) -> np.datetime64:
    # datetime64 itself would take "now" and "NaT" too.
    if not _TIMESTAMP.fullmatch(written):
        raise ValueError(written)
    return np.datetime64(written.removesuffix("Z"), "us")


def _arrays(field: Field, cells: Sequence[str], first: int) -> Array:
    # Bits need nothing between them.
    split = [list("".join(cell.split())) if field.datatype == "bit" else cell.split() for cell in cells]
    lengths = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
    null = lengths == 0
    wrong = np.flatnonzero(~null & (lengths != field.size * field.parts if field.size else lengths % field.parts != 0))
    if len(wrong):
        wanted = f"arraysize says {field.size:,}" if field.size else "each has two parts"
        message = f"has {lengths[wrong[0]] / field.parts:,g} elements where {wanted}"
        raise DecodingError(message, row=first + int(wrong[0]), column=field.column.name)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    words = [word for cell in split for word in cell]
    elements = _words(field, words, first, lambda index: int(np.searchsorted(offsets, index, side="right")) - 1)
    if elements.values.dtype.kind == "f":
        elements = Fixed(elements.values, np.zeros(len(words), dtype=bool))
    return Array(offsets, elements, null)


def _words(field: Field, words: Sequence[str], first: int, row_of: RowOf) -> Fixed:
    """Words as numbers or flags, at once where all are plain, else one by one."""
    if field.dtype.kind == "b":
        return _flags(field, words, first, row_of)
    try:
        numbers, null = _plain(field, words)
    except (ValueError, OverflowError):
        numbers, null = _one_by_one(field, words, first, row_of)
    missing = field.missing
    if missing is not None:
        null |= numbers == missing
    if field.dtype.kind == "f":
        null |= np.isnan(numbers)
        with np.errstate(over="ignore"):
            return Fixed(numbers.astype(field.dtype), null)
    numbers[null] = 0
    _check_range(field, numbers, first, row_of)
    return Fixed(numbers.astype(field.dtype), null)


def _plain(field: Field, words: Sequence[str]) -> tuple[NDArray[Any], Mask]:
    # float() and int() know the digits of every script, and underscores between them.
    together = "".join(words)
    if "_" in together or not together.isascii():
        raise ValueError
    if field.dtype.kind == "f":
        filled = [word or "nan" for word in words]
        return np.fromiter(map(float, filled), dtype="f8", count=len(words)), np.zeros(len(words), dtype=bool)
    null = np.fromiter((not word for word in words), dtype=bool, count=len(words))
    return np.fromiter(map(int, [word or "0" for word in words]), dtype="i8", count=len(words)), null


def _one_by_one(field: Field, words: Sequence[str], first: int, row_of: RowOf) -> tuple[NDArray[Any], Mask]:
    is_float = field.dtype.kind == "f"
    numbers: NDArray[Any] = np.zeros(len(words), dtype="f8" if is_float else "i8")
    null = np.zeros(len(words), dtype=bool)
    for index, word in enumerate(words):
        written = word.strip()
        if not written or written == field.null or (not is_float and written.lower() == "nan"):
            null[index] = True
            continue
        try:
            numbers[index] = _number(written, is_float=is_float)
        except (ValueError, OverflowError) as error:
            message = f"{_shown(word)} is no {field.datatype}"
            raise DecodingError(message, row=first + row_of(index), column=field.column.name) from error
    return numbers, null


def _number(written: str, *, is_float: bool) -> float | int:
    if not is_float:
        return whole(written)
    if "_" in written or not written.isascii():
        raise ValueError(written)
    return float(written)


def _check_range(field: Field, numbers: NDArray[Any], first: int, row_of: RowOf) -> None:
    limits = np.iinfo(np.uint8 if field.datatype == "unsignedByte" else field.dtype)
    wrong = np.flatnonzero((numbers < limits.min) | (numbers > limits.max))
    if len(wrong):
        index = int(wrong[0])
        message = f"{numbers[index]} is no {field.datatype}, which goes from {limits.min} to {limits.max}"
        raise DecodingError(message, row=first + row_of(index), column=field.column.name)


def _flags(field: Field, words: Sequence[str], first: int, row_of: RowOf) -> Fixed:
    try:
        found = [_FLAGS[word.strip().lower()] for word in words]
    except KeyError:
        index = next(index for index, word in enumerate(words) if word.strip().lower() not in _FLAGS)
        known = "0 and 1" if field.datatype == "bit" else "T and F"
        message = f"{_shown(words[index])} is no {field.datatype}; {known} are"
        raise DecodingError(message, row=first + row_of(index), column=field.column.name) from None
    null = np.fromiter((flag is None for flag in found), dtype=bool, count=len(found))
    return Fixed(np.fromiter((flag is True for flag in found), dtype=bool, count=len(found)), null)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")
