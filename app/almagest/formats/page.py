"""A page of a result as JSON for programs of our own: every value exactly as it is, and the number of each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Rows, Status, Streamed
from almagest.formats.json import cell
from almagest.formats.lines import SEPARATOR, lines, plain, separated

NUMBER = Column("#", "int")
"""The column that comes before those of the page: the number of each row in its result."""

DESCRIBED = ("name", "datatype", "arraysize", "xtype", "unit", "ucd", "utype", "description")
"""What is told of a column: what VOTable's FIELD has a place for, an empty text for what is not there."""


@dataclass(frozen=True)
class Page(Streamed):
    """`{"columns": […], …, "rows": [[…], …], "numbers": […]}` of rows that begin with NUMBER, which goes to `numbers`.

    Whole numbers of 64 bits are texts, as are NaN, Infinity and -Infinity: JSON as browsers read it would round or
    refuse them. head: members of the object beside those.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    extension: str = "json"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """The number, and JSON of each other value."""
        cells = (cell(column, f"c{place}", _scalar) for place, column in enumerate(columns[1:], 2))
        return separated(("c1", *cells), null="null")

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:  # noqa: ARG002 - as the protocol says
        """The object, row by row."""
        told = json.dumps({"columns": [described(column) for column in columns[1:]], **self.head})
        yield f'{told[:-1]}, "rows": ['.encode()
        numbers: list[bytes] = []
        before = b"\n["
        for block in lines(rows, b"\n"):
            # No line end is inside a line: JSON escapes them.
            pairs = [line.partition(SEPARATOR) for line in plain(block).split(b"\n")]
            numbers += [number for number, _, _ in pairs]
            yield before + b"],\n[".join(cells.replace(SEPARATOR, b",") for _, _, cells in pairs) + b"]"
            before = b",\n["
        status, message = rows.ending()
        if status is Status.ERROR:
            # The array stays open, and what follows is no value.
            yield f"\nERROR: {message}\n".encode()
        else:
            yield b'],\n"numbers": [' + b",".join(numbers) + b"]}\n"


def described(column: Column) -> dict[str, str]:
    """What is told of a column."""
    return {name: getattr(column, name) or "" for name in DESCRIBED}


def _scalar(column: Column, name: str) -> str:
    if column.datatype in ("float", "double"):
        # NaN is larger than infinity to PostgreSQL.
        return f"""CASE WHEN abs({name}) < 'Infinity' THEN {name}::text ELSE '"' || {name} || '"' END"""
    if column.datatype == "long":
        return f"""'"' || {name} || '"'"""
    return f"{name}::text" if column.datatype == "boolean" else name
