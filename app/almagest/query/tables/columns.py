"""The columns of a stored table: as rows of the application's database keep them, and as the table calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from almagest.catalogue import Column
from almagest.formats.names import NAME_BYTES, SYSTEM_NAMES

ROW_NUMBER = "#"
"""The column before a result's own: the number of each row, from 0 on as they came. No document and no query shows it.

Tables that were stored before there was one lack it."""


def write(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """The columns as JSON."""
    return [asdict(column) for column in columns]


def read(rows: Iterable[Mapping[str, Any]] | None) -> tuple[Column, ...]:
    """What `kept` made; none of None."""
    return tuple(Column(**row) for row in rows or ())


def names(described: Sequence[Column]) -> list[str]:
    """What a result's columns are called in its table: as in the result where the database can, else c1, c2, …"""
    taken = {*SYSTEM_NAMES, ROW_NUMBER}
    reserved = {column.name for column in described}
    found = []
    for number, column in enumerate(described, 1):
        chosen = column.name
        if not 0 < len(chosen.encode()) <= NAME_BYTES or chosen in taken:
            chosen = f"c{number}"
            while chosen in taken or chosen in reserved:
                chosen += "_"
        taken.add(chosen)
        found.append(chosen)
    return found
