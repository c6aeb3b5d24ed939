"""Requests that can be made of whatever comes: what is no text, no form, too large or cut off is refused, not guessed.

Django reads what is not UTF-8 as if U+FFFD had been sent, takes a body without Content-Length (HTTP/1.1 chunks, as
TOPCAT and STILTS send their uploads) for an empty one, and one that broke off for a whole one. Behind the proxy there
are no chunks: it has read them already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, NoReturn, cast
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters

UNREADABLE = (BadRequest, SuspiciousOperation, UnreadablePostError)
"""What reading the parameters of a request, or its body, raises. The text of a BadRequest is for people."""

BYTES = "latin-1"
"""As text in this encoding every byte is one character, so that nothing is lost before somebody looks at it."""

PIECE = 1 << 16
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class Request(WSGIRequest):
    """A request whose parameters are UTF-8. `GET`, `POST` and `read` raise one of UNREADABLE."""

    def __init__(self, environ: dict[str, Any], most: int) -> None:
        """most: bytes that a body may have."""
        super().__init__(environ)
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        length = environ.get("CONTENT_LENGTH") or ("" if chunked else "0")
        self._incoming = Body(environ["wsgi.input"], int(length) if length.isdecimal() else None, most)
        self._stream = self._incoming  # type: ignore[assignment] # it has all that Django uses

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django would read the address in the charset that is named for the body, and does so outside everything that
        # answers what is wrong with it. A content type that is none is ignored.
        self.content_type: str = ""
        self.content_params: dict[str, str] = {}
        with suppress(LookupError, ValueError):
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override] # noqa: N802 - Django's name
        """The parameters of the address."""
        return form(str(self.environ.get("QUERY_STRING", "")))

    def _initialize_handlers(self) -> None:
        self._upload_handlers = [NoFiles(self)]

    def _load_post_and_files(self) -> None:
        self._post: QueryDict = QueryDict()
        self._files: MultiValueDict[str, Any] = MultiValueDict()
        if self.method != "POST" or self.content_type not in (URLENCODED, MULTIPART):
            return
        if self.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise BadRequest("forms are read as UTF-8 only; send one in UTF-8")
        try:
            if self.content_type == URLENCODED:
                self._post = form(self.body.decode(BYTES))
            else:
                self._post, self._files = self._parts()
        except (MultiPartParserError, LookupError, ValueError) as error:
            raise BadRequest("the body of the request cannot be read") from error

    def _parts(self) -> tuple[QueryDict, MultiValueDict[str, Any]]:
        """The fields and the files of a multipart body (RFC 7578)."""
        length = self._incoming.most if self._incoming.length is None else self._incoming.length
        meta = {**self.META, "CONTENT_LENGTH": str(length)}
        fields, files = MultiPartParser(meta, cast("Any", self._incoming), self.upload_handlers, BYTES).parse()
        boundary = f"--{self.content_params.get('boundary', '')}--".encode(BYTES)
        if length and boundary not in self._incoming.tail:
            raise BadRequest("the body of the request has no end; it broke off, or lacks its last boundary")
        named: MultiValueDict[str, Any] = MultiValueDict()
        for name, sent in files.lists():
            named.setlist(_text(name, "the name of a file"), sent)
        given = ((name, value) for name, values in fields.lists() for value in values)
        return _decoded(given, "; a file needs a file name"), named


class Body:
    """What comes as the body of a request. length: in bytes, None where it is not told; most: that it may have; tail:
    the last bytes that were read."""

    def __init__(self, source: IO[bytes], length: int | None, most: int) -> None:
        self.length = length
        self.most = most
        self.tail = b""
        self._source = source
        self._left = most + 1 if length is None else length

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end. Raises RequestDataTooBig, before anything is read where that is known;
        UnreadablePostError when there are fewer than was told."""
        if self.length is not None and self.length > self.most:
            self._refuse()
        wanted = self._left if size < 0 else min(size, self._left)
        read = b"".join(self._pieces(wanted))
        self._left -= len(read)
        if self.length is None and not self._left:
            self._refuse()
        if self.length is not None and len(read) < wanted:
            raise UnreadablePostError("the body of the request broke off")
        self.tail = (self.tail + read[-256:])[-256:]
        return read

    def close(self) -> None:
        """Nothing: the server closes what it opened."""

    def _pieces(self, wanted: int) -> Iterator[bytes]:
        while wanted and (piece := self._source.read(min(PIECE, wanted))):
            yield piece
            wanted -= len(piece)

    def _refuse(self) -> NoReturn:
        raise RequestDataTooBig(f"the request is larger than the {self.most:,} bytes that are read")


class NoFiles(FileUploadHandler):
    """Files in a body that nobody asked for: passed over."""

    def new_file(self, *args: Any, **named: Any) -> None:
        """Keep nothing of it."""
        super().new_file(*args, **named)
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called."""

    def file_complete(self, file_size: int) -> None:
        """Never called."""


def form(encoded: str) -> QueryDict:
    """The parameters of `name=value&…`, one character a byte. Raises BadRequest, TooManyFieldsSent."""
    if encoded.isascii():
        with suppress(UnicodeDecodeError):
            return _query(_pairs(encoded, "utf-8"))
    return _decoded(_pairs(encoded, BYTES))


def _pairs(encoded: str, encoding: str) -> list[tuple[str, str]]:
    """Raises TooManyFieldsSent; UnicodeDecodeError for bytes that say nothing in this encoding."""
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    try:
        return parse_qsl(encoded, keep_blank_values=True, encoding=encoding, errors="strict", max_num_fields=most)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise TooManyFieldsSent("the request has more parameters than are read") from error


def _decoded(pairs: Iterable[tuple[str, str]], remedy: str = "") -> QueryDict:
    """Raises BadRequest, which names what is not UTF-8."""
    decoded = []
    for name, value in pairs:
        known = _text(name, "the name of a parameter")
        decoded.append((known, _text(value, f"the parameter {known[:40]!r}", remedy)))
    return _query(decoded)


def _query(pairs: Iterable[tuple[str, str]]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    query._mutable = False  # noqa: SLF001 - as Django makes them
    return query


def _text(value: str, what: str, remedy: str = "") -> str:
    """What bytes say in UTF-8. Raises BadRequest, which calls them `what`."""
    try:
        return value.encode(BYTES).decode()
    except UnicodeDecodeError as error:
        place = f"byte {error.object[error.start]:#04x} at {error.start}"
        raise BadRequest(f"{what} is not UTF-8 ({place}); send text in UTF-8{remedy}") from error
