"""Rows as PostgreSQL's COPY writes them in text, one line each, into the rows of a format.

A row is a message: `d`, its length as int32, its line. PostgreSQL's text holds no NUL. So what stands between two lines
is overwritten with what a format wants there, and with NUL, which is left out: two passes over the bytes of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from almagest.catalogue import Column
from almagest.formats.format import Copy
from almagest.formats.rows import RawBlock

LARGEST = (1 << 24) - 1
"""Bytes that a row's message may say it has."""

SEPARATOR = b"\x1f"
"""Between the fields, where text cannot hold it: XML has no such character, JSON escapes it."""

_HEAD = 5
"""Bytes of a message before its line."""

_ROW_SEPARATOR = b"\x1e"
"""Between the rows, for as long as it takes, where SEPARATOR is between the fields."""

_INFINITIES = {b"Infinity": b"+Inf", b"-Infinity": b"-Inf"}


def separated(cells: Iterable[str], *, separator: bytes = SEPARATOR, null: str = "") -> Copy:
    """Fields as they are, but for backslashes, which come twice: none may hold the separator, tabs or line ends."""
    return Copy(tuple(cells), rf"FORMAT text, DELIMITER E'\x{separator.hex()}', NULL '{null}'")


def lines(blocks: Iterable[RawBlock], between: bytes) -> Iterator[bytes]:
    """The lines of each block with `between` two of them, and nothing at the end.

    between: up to six bytes, or more where no line holds _ROW_SEPARATOR.
    """
    mark = between if len(between) <= _HEAD + 1 else _ROW_SEPARATOR
    filling = np.frombuffer(mark.ljust(_HEAD + 1, b"\0"), np.uint8)
    for block in blocks:
        if not block.data:
            continue
        if len(block.starts) == 1:
            yield bytes(block.data[_HEAD:-1])
            continue
        octets = np.frombuffer(block.data, np.uint8)[_HEAD:-1].copy()
        ends = block.starts[1:] - 1 - _HEAD
        for place, octet in enumerate(filling):
            octets[ends + place] = octet
        text = octets.tobytes().translate(None, b"\0")
        yield text if mark is between else text.replace(mark, between)


def plain(text: bytes) -> bytes:
    """The text as it was before COPY wrote every backslash twice."""
    return text.replace(rb"\\", b"\\") if b"\\" in text else text


def with_infinities(text: bytes, columns: Sequence[Column], between: bytes) -> bytes:
    """`lines` in which floating-point infinities have the names that VOTable 1.4 §2.1 gives them.

    Hardly any block holds one, and only these are looked at field by field.
    """
    # The first letter alone is found much faster, and numbers have none.
    if b"I" not in text or b"Infinity" not in text:
        return text
    places = [number for number, column in enumerate(columns) if column.datatype in ("float", "double")]
    rows = [row.split(SEPARATOR) for row in text.split(between)]
    for row in rows:
        for place in places:
            row[place] = _INFINITIES.get(row[place], row[place])
    return between.join(SEPARATOR.join(row) for row in rows)
