"""Pieces of PostgreSQL expressions that several formats write rows with.

Every function takes and gives SQL text. A column is c1 … cn of the subquery around; see `Translation.sql` for the
PostgreSQL types that stand behind the VOTable types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from almagest.catalogue import Column


def is_text(column: Column) -> bool:
    """Whether a column is one string (VOTable's char arrays), not numbers or flags."""
    return column.datatype in ("char", "unicodeChar")


def is_timestamp(column: Column) -> bool:
    """Whether a column is text for clients and PostgreSQL's `timestamp` in the database."""
    return column.xtype == "timestamp"


def fixed_size(column: Column) -> int | None:
    """How many elements an array has, 1 for a scalar; None when each row says it (`*`, `8*`, `3x*`)."""
    if column.arraysize is None:
        return 1
    if "*" in column.arraysize:
        return None
    size = 1
    for length in re.findall(r"\d+", column.arraysize):
        size *= int(length)
    return size


def text(column: Column, name: str) -> str:
    """The string of a text column: itself, or a timestamp as DALI 1.1 §3.3.3 writes it (no zone: it is UTC)."""
    # to_json writes ISO 8601 with a T whatever DateStyle says, and fractions as long as they are.
    return f"(to_json({name}) #>> '{{}}')" if is_timestamp(column) else name


def array_text(column: Column, name: str, missing: str = "null") -> str:
    """The elements of an array, separated by blanks, infinities as VOTable 1.4 §2.1 spells them; NULL is NaN, `?` among
    booleans, and `missing` among whole numbers."""
    if column.datatype == "boolean":
        letter = "CASE WHEN e THEN 'T' WHEN NOT e THEN 'F' ELSE '?' END"
        joined = f"(SELECT string_agg({letter}, ' ' ORDER BY i) FROM {elements(name)})"
        return f"CASE WHEN {name} IS NOT NULL THEN coalesce({joined}, '') END"
    word = "NaN" if column.datatype in ("float", "double") else missing
    return f"replace(replace(array_to_string({name}, ' ', '{word}'), 'Infinity', '+Inf'), '-+', '-')"


def plain_cell(column: Column, name: str) -> str:
    """A value as people read it: words for booleans, texts and arrays as above, and numbers as they are."""
    if is_text(column):
        return text(column, name)
    if column.arraysize is not None:
        return array_text(column, name)
    return f"{name}::text" if column.datatype == "boolean" else name


def plain_cells(columns: Sequence[Column], written: Callable[[str], str]) -> Iterator[str]:
    """`plain_cell` of each of the columns c1 … cn; written: makes of a text's SQL that of what a format writes."""
    for number, column in enumerate(columns, 1):
        cell = plain_cell(column, f"c{number}")
        yield written(cell) if is_text(column) else cell


def elements(name: str) -> str:
    """The elements e of an array with their place i, for FROM."""
    return f"unnest({name}) WITH ORDINALITY AS u (e, i)"
