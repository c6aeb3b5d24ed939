"""Bytes of any size into lines of base64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pybase64

LINE = 3 << 14
"""Bytes in a line of base64, which becomes 64 kB: always as many, so that the same rows give the same document."""


def base64_lines(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """`parts` in base64 (RFC 4648 §4)."""
    rest = b""
    for part in parts:
        data = memoryview(rest + part if rest else part)
        whole = len(data) - len(data) % LINE
        if whole:
            lines = [pybase64.b64encode(data[start : start + LINE]) for start in range(0, whole, LINE)]
            yield b"\n".join((*lines, b""))
        rest = bytes(data[whole:])
    if rest:
        yield pybase64.b64encode(rest) + b"\n"


def base64_length(size: int) -> int:
    """How long so many bytes become."""
    whole, rest = divmod(size, LINE)
    return whole * (LINE // 3 * 4 + 1) + ((rest + 2) // 3 * 4 + 1 if rest else 0)
