"""Bytes of any size into chunks that are worth sending."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from almagest.formats.format import CHUNK


def gathered(blocks: Iterable[bytes], size: int = CHUNK) -> Iterator[bytes]:
    """`blocks` joined to at least `size` bytes, but for the last; nothing where there is nothing."""
    waiting: list[bytes] = []
    length = 0
    for block in blocks:
        waiting.append(block)
        length += len(block)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
    if length:
        yield b"".join(waiting)


def base64_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """`blocks` in base64 (RFC 4648 §4), a line a chunk: three bytes that fall into two blocks stay together."""
    rest = b""
    for chunk in gathered(blocks):
        data = rest + chunk
        whole = len(data) - len(data) % 3
        rest = data[whole:]
        yield base64.b64encode(memoryview(data)[:whole]) + b"\n"
    if rest:
        yield base64.b64encode(rest) + b"\n"
