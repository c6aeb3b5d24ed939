"""The bytes inside a STREAM element: base64 with white space anywhere, and gzip inside it (VOTable 1.5 §5.2)."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator

from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.table import Bounds

PIECE = 1 << 18
"""Bytes that are decompressed at once, whatever a small input would become."""

_GZIP = 16 + zlib.MAX_WBITS
_BLANKS = b" \t\r\n"


class Base64:
    """Text in pieces of any size → bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def decode(self, text: str) -> bytes:
        """What this text adds. Raises DecodingError where it is not base64."""
        try:
            data = self._rest + text.encode("ascii").translate(None, _BLANKS)
            whole = len(data) - len(data) % 4
            self._rest = data[whole:]
            return base64.b64decode(data[:whole], validate=True)
        except (UnicodeEncodeError, binascii.Error) as error:
            raise DecodingError("the STREAM is not base64") from error

    def finish(self) -> None:
        """Raises DecodingError when the text ended in the middle of four characters."""
        if self._rest:
            raise DecodingError("the STREAM's base64 ends too early")


class Gunzip:
    """gzip in pieces of any size → pieces of at most PIECE. bounds: of all that comes out."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._member = zlib.decompressobj(_GZIP)
        self._total = 0
        self._begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What this data adds; also when one file follows another in it. Raises DecodingError."""
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                piece = self._member.decompress(data, PIECE)
            except zlib.error as error:
                raise DecodingError("the gzip data are damaged") from error
            # Zeros behind the last file are what tapes and block devices leave.
            data = self._member.unconsumed_tail or self._member.unused_data.lstrip(b"\0")
            yield from self._counted(piece)

    def finish(self) -> Iterator[bytes]:
        """What was held back. Raises DecodingError when the data ended in the middle."""
        while self._begun and not self._member.eof:
            piece = self._member.decompress(b"", PIECE)
            if not piece:
                raise DecodingError("the gzip data end too early")
            yield from self._counted(piece)

    def _counted(self, piece: bytes) -> Iterator[bytes]:
        self._total += len(piece)
        self._bounds.check_bytes(self._total)
        if piece:
            yield piece
