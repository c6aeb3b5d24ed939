"""What a request sends: parameters in its address and its body, and tables in the parts of its body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any, BinaryIO, cast

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

from almagest.dali.body import UNREADABLE
from almagest.query import limits
from almagest.query.errors import InvalidRequestError, TooLargeError
from almagest.query.tables.uploads import Part, Unread
from almagest.query.temporary import TemporaryFile

Pairs = list[tuple[str, str]]
"""Names and values of parameters, as sent."""


@dataclass(frozen=True, slots=True)
class Form:
    """parts: of a multipart body, by name: files, and also fields, because not every client names its file."""

    pairs: Pairs
    parts: dict[str, Part] = field(default_factory=dict)


def pairs(request: HttpRequest) -> Pairs:
    """Every parameter of the address and of the body, in any of HTML's encodings; files are passed over.

    Raises QueryError.
    """
    with _readable("the address of the request"):
        address = request.GET
    with _readable("the body of the request"):
        body = request.POST
    return [(name, str(value)) for source in (address, body) for name, sent in source.lists() for value in sent]


@contextmanager
def form(request: HttpRequest) -> Iterator[Form]:
    """The same together with the files, which end with the context. Raises QueryError, BusyError where they find no
    room."""
    with ExitStack() as files:
        request.upload_handlers = [Files(files)]
        sent = pairs(request)
        parts = {}
        if request.content_type == "multipart/form-data":
            parts = {name: Part(BytesIO(str(value).encode()), "") for name, value in request.POST.items()}
            for name, file in request.FILES.items():
                if isinstance(file, UploadedFile):
                    parts[name] = Part(cast("BinaryIO", file), file.content_type or "")
        yield Form(sent, parts)


def unread(request: HttpRequest) -> Unread:
    """The whole body as one part, of which nothing has been read yet."""
    return Unread(partial(_read, request), request.headers.get("Content-Type", ""))


class Files(FileUploadHandler):
    """Puts files where all temporary ones of the process are counted. What one request keeps in memory is no more than
    what one file may."""

    def __init__(self, files: ExitStack) -> None:
        """files: ends them all, also the one that just came in when something went wrong."""
        super().__init__()
        self._files = files
        self._memory = limits.MEMORY_BYTES
        self._number = 0

    def new_file(self, *args: Any, **named: Any) -> None:
        """Begin a file. Raises TooLargeError when it is one more than a query may have."""
        super().new_file(*args, **named)
        self._number += 1
        if self._number > limits.UPLOAD_TABLES:
            raise TooLargeError(f"the request has more files than the {limits.UPLOAD_TABLES} that a query may have")
        self._file = self._files.enter_context(TemporaryFile(memory=self._memory))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django's order of them
        """Append. Raises BusyError."""
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        """The file from its beginning."""
        self._memory = max(0, self._memory - file_size)
        self._file.seek(0)
        return UploadedFile(self._file, self.file_name, self.content_type, file_size, self.charset)


def _read(request: HttpRequest, size: int) -> bytes:
    with _readable("the body of the request"):
        return request.read(size)


@contextmanager
def _readable(part: str) -> Iterator[None]:
    """What is wrong with this part of a request, said as QueryErrors."""
    try:
        yield
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise TooLargeError("the request is larger than this service reads") from error
    except UNREADABLE as error:
        told = f": {error}" if isinstance(error, BadRequest) and str(error) else ""
        raise InvalidRequestError(f"{part} cannot be read{told}") from error
