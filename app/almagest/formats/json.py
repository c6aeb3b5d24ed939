"""JSON: one object with the columns, the rows, and how they ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from almagest.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Rows, Status, Streamed
from almagest.formats.lines import SEPARATOR, lines, plain, separated
from almagest.formats.sql import elements, is_text, text

DESCRIBED = (
    "name", "datatype", "arraysize", "xtype", "unit", "ucd", "utype", "description", "minimum", "maximum",
)  # fmt: skip
"""What is told of a column: what VOTable's FIELD has a place for."""


@dataclass(frozen=True)
class Json(Streamed):
    """`{"info": {…}, "columns": [{"name": …}, …], "data": [[…], …], "status": "OK"}` (RFC 8259).

    Floating-point values that JSON has no word for (NaN, infinities) are null. A row a line, so that it can also be
    read line by line. Broken answers end in the middle: no reader takes them.
    """

    media_type: str = "application/json"
    extension: str = "json"

    def copy(self, columns: Sequence[Column]) -> Copy:
        """JSON of each value."""
        return separated((cell(column, f"c{number}", _scalar) for number, column in enumerate(columns, 1)), null="null")

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """The object, row by row."""
        described = [
            {name: value for name in DESCRIBED if (value := getattr(column, name)) not in (None, "")}
            for column in columns
        ]
        yield f'{{"info": {json.dumps(about.by_name())},\n"columns": {json.dumps(described)},\n"data": ['.encode()
        before = b"\n["
        for block in lines(rows, b"],\n["):
            yield before + plain(block).replace(SEPARATOR, b",") + b"]"
            before = b",\n["
        status, message = rows.ending()
        if status is Status.ERROR:
            # The array stays open, and what follows is no value.
            yield f"\nERROR: {message}\n".encode()
        else:
            said = f', "message": {json.dumps(message)}' if message else ""
            yield f'],\n"status": "{status.value}"{said}}}\n'.encode()


def cell(column: Column, name: str, scalar: Callable[[Column, str], str]) -> str:
    """SQL of a value in JSON. scalar: makes that of a number or flag, also of an element of an array."""
    if is_text(column):
        return f"to_json({text(column, name)})::text"
    if column.arraysize is None:
        return scalar(column, name)
    element = f"coalesce(({scalar(column, 'e')})::text, 'null')"
    joined = f"(SELECT string_agg({element}, ',' ORDER BY i) FROM {elements(name)})"
    return f"CASE WHEN {name} IS NOT NULL THEN '[' || coalesce({joined}, '') || ']' END"


def _scalar(column: Column, name: str) -> str:
    if column.datatype == "boolean":
        return f"{name}::text"
    if column.datatype in ("float", "double"):
        # NaN is larger than infinity to PostgreSQL.
        return f"CASE WHEN abs({name}) < 'Infinity' THEN {name} END"
    return name
