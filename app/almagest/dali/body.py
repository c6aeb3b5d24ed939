"""Bodies that come without a length (HTTP/1.1 chunks), as TOPCAT and STILTS send their uploads, or cannot be read.

Django takes a body without Content-Length for an empty one. Such a body is therefore read to its end here, into a
temporary file when it is large, and given a length. Behind the proxy there are none: it has read them already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]

UNREADABLE = (MultiPartParserError, BadRequest, SuspiciousOperation, UnreadablePostError, LookupError, ValueError)
"""What Django raises for an address or a body that it cannot read. A content type may name a charset that is none, or
none of texts: LookupError, ValueError."""

PIECE = 1 << 16
MEMORY_BYTES = 1 << 20


class MeasuredBodies:
    """A WSGI application whose requests all say how long their bodies are.

    most: bytes that are read; a longer body gets a length of one byte more, which whoever checks lengths refuses.
    """

    def __init__(self, application: Application, most: int) -> None:
        self._application = application
        self._most = most

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            return self._application(environ, start)
        with SpooledTemporaryFile(MEMORY_BYTES) as body:
            environ["CONTENT_LENGTH"] = str(self._spool(environ["wsgi.input"], body))
            body.seek(0)
            environ["wsgi.input"] = body
            # The body is read before the answer begins; what follows needs only the answer.
            return self._application(environ, start)

    def _spool(self, source: IO[bytes], body: IO[bytes]) -> int:
        length = 0
        while length <= self._most and (piece := source.read(min(PIECE, self._most + 1 - length))):
            body.write(piece)
            length += len(piece)
        return length
