"""What the pages of a Parquet column say of themselves, read without decompressing any.

The file's metadata may say anything; it is the headers of the pages that a reader believes when it allocates. They are
Thrift structures in the compact protocol: for each field a byte with its distance from the last field and its type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from almagest.formats.decode.errors import DecodingError

HEADER_BYTES = 1 << 14
"""Length of a page's header; statistics are most of it."""

DEPTH = 8
DELTA_BYTE_ARRAY = 7
"""The encoding whose strings share beginnings: a few bytes may be a gigabyte of them."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_WIDTHS = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8}


@dataclass(slots=True)
class Page:
    """size: bytes once it is decompressed; stored: bytes as it is; values: how many it says it has."""

    size: int = 0
    stored: int = 0
    values: int = 0
    encoding: int = 0


def pages(file: BinaryIO, start: int, length: int) -> Iterator[Page]:
    """The pages of a column chunk. start, length: its bytes in the file. Raises DecodingError where it is none."""
    here, end = start, start + length
    while here < end:
        file.seek(here)
        data = file.read(HEADER_BYTES)
        reader = _Reader(data)
        try:
            page = reader.page()
        except IndexError as error:
            raise DecodingError("the file is not readable as Parquet: a page's header is broken") from error
        if page.size < 0 or page.stored < 0 or page.values < 0:
            raise DecodingError("the file is not readable as Parquet: a page has a negative size")
        yield page
        here += reader.place + page.stored


class _Reader:
    """A Thrift structure. Raises IndexError when it ends too early or is nested too deep."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def page(self) -> Page:
        """A PageHeader (parquet.thrift): sizes, and of the header of its kind the number of values and the encoding."""
        page = Page()
        for number, kind in self._fields():
            if number == 2 and kind == _I32:
                page.size = self._integer()
            elif number == 3 and kind == _I32:
                page.stored = self._integer()
            elif number in (5, 7, 8) and kind == _STRUCT:
                self._kind(page, encoding=4 if number == 8 else 2)
            else:
                self._skip(kind, 0)
        return page

    def _kind(self, page: Page, encoding: int) -> None:
        for number, kind in self._fields():
            if number == 1 and kind == _I32:
                page.values = self._integer()
            elif number == encoding and kind == _I32:
                page.encoding = self._integer()
            else:
                self._skip(kind, 1)

    def _fields(self) -> Iterator[tuple[int, int]]:
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            yield number, head & 0x0F

    def _skip(self, kind: int, depth: int) -> None:
        if depth > DEPTH:
            raise IndexError
        if kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth + 1)
        elif kind in (_LIST, _SET):
            self._skip_list(depth)
        else:
            self._skip_value(kind)

    def _skip_list(self, depth: int) -> None:
        head = self._byte()
        kind = head & 0x0F
        for _ in range(self._varint() if head >> 4 == 15 else head >> 4):
            self._skip(_BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)

    def _skip_value(self, kind: int) -> None:
        if kind in (_I16, _I32, _I64):
            self._varint()
        elif kind == _BINARY:
            self._forward(self._varint())
        elif kind in _WIDTHS:
            self._forward(_WIDTHS[kind])
        else:
            raise IndexError

    def _integer(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def _varint(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise IndexError
        return number | byte << shift

    def _byte(self) -> int:
        self.place += 1
        return self._data[self.place - 1]

    def _forward(self, size: int) -> None:
        self.place += size
        if self.place > len(self._data):
            raise IndexError
