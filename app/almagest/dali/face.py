"""What every protocol's views share: reading parameters, error documents, and access from pages of other sites."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from io import BytesIO
from typing import BinaryIO, TypeVar, cast

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    QueryDict,
    StreamingHttpResponse,
)
from django.views.decorators.csrf import csrf_exempt

from almagest.accounts import visitors
from almagest.accounts.authentication import identify, refuse, sign
from almagest.accounts.errors import AccountError
from almagest.dali.body import UNREADABLE
from almagest.formats import MEDIA_TYPE, Format, error_document
from almagest.query import limits
from almagest.query.answers.answer import Answer
from almagest.query.answers.downloads import Conditions, Document, deliver
from almagest.query.errors import BusyError, InternalError, InvalidRequestError, QueryError, TooLargeError
from almagest.query.tables.uploads import Part

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)
Failed = Callable[[QueryError], HttpResponse]
"""How a protocol says that a request failed."""

RETRY_SECONDS = 10


def dali_error(error: QueryError) -> HttpResponse:
    """The error as DALI 1.1 §4.4.2 says it."""
    return HttpResponse(error_document(str(error)), status=error.status, content_type=MEDIA_TYPE)


def face(*methods: str, failed: Failed = dali_error) -> Callable[[View], View]:
    """A view of a protocol: these methods only, errors as its documents, open to scripts of any site.

    Django's protection against forged requests is for forms of our own pages: programs have no such token. `identify`
    refuses a request with a session's cookie that another site's page made a browser send.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
            if request.method == "OPTIONS":
                # A browser asks so before it lets a page of another site show a token.
                response = HttpResponse(
                    status=204, headers={"Access-Control-Allow-Headers": "Authorization, Content-Type"}
                )
                return _open(response, methods)
            if request.method not in methods:
                return _open(HttpResponseNotAllowed(methods), methods)
            return _open(_handled(view, failed, request, *arguments, **named), methods)

        return answer

    return decorate


def pairs(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Every parameter of the address and of the body, in any of HTML's encodings. Raises QueryError."""
    with _readable("the address of the request"):
        query = request.GET
    for source in (query, _body(request)):
        for name, values in source.lists():
            for value in values:
                yield name, str(value)


def _body(request: HttpRequest) -> QueryDict:
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError as error:
        raise InvalidRequestError("Content-Length is no number") from error
    if length > limits.BODY_BYTES:
        raise TooLargeError(f"the request is larger than the {limits.BODY_BYTES:,} bytes that this service reads")
    with _readable("the body of the request"):
        return request.POST


@contextmanager
def _readable(part: str) -> Iterator[None]:
    """What Django finds wrong with this part of a request, said as QueryErrors."""
    try:
        yield
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise TooLargeError("the request is larger than this service reads") from error
    except UNREADABLE as error:
        raise InvalidRequestError(f"{part} cannot be read") from error


def parts(request: HttpRequest) -> dict[str, Part]:
    """The parts of a multipart body by name: files, and also fields, because not every client names its file.

    Raises QueryError.
    """
    if request.content_type != "multipart/form-data":
        return {}
    fields = {name: str(value) for name, value in _body(request).items()}
    found = {name: Part(BytesIO(value.encode(errors="replace")), "") for name, value in fields.items()}
    for name, file in request.FILES.items():
        if isinstance(file, UploadedFile):
            found[name] = Part(cast("BinaryIO", file), file.content_type or "")
    return found


def stream(answer: Answer, name: str) -> StreamingHttpResponse:
    """The answer as it comes; closed with the response, which cancels its query when the client goes away.

    name: what a browser saves it as, without extension.
    """
    return _described(StreamingHttpResponse(answer), answer.format, name)


def download(request: HttpRequest, document: Document, name: str) -> HttpResponseBase:
    """A stored result, whole or in the part that the request wants. name: as in `stream`."""
    asked = Conditions(*(request.headers.get(header) for header in ("Range", "If-Range", "If-None-Match")))
    delivery = deliver(document, asked, body=request.method != "HEAD")
    response: HttpResponseBase = HttpResponse() if delivery.body is None else StreamingHttpResponse(delivery.body)
    response.status_code = delivery.status
    for header, value in delivery.headers.items():
        response.headers[header] = value
    return _described(response, document.format, name)


def _described(response: Response, written: Format, name: str) -> Response:
    """The response with what its format says of it. What is for eyes is shown, everything else is saved."""
    response.headers["Content-Type"] = written.media_type
    if written.encoding:
        response.headers["Content-Encoding"] = written.encoding
    shown = "inline" if written.extension in ("html", "txt") else "attachment"
    response.headers["Content-Disposition"] = f'{shown}; filename="{name}.{written.extension}"'
    return response


def _handled(view: View, failed: Failed, request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        identity = identify(request)
        response = _caught(lambda: view(request, *arguments, **named), failed, request)
        visitors.keep(request, response)
        sign(response, identity)
        return response

    return _caught(answer, failed, request)


def _caught(answer: Callable[[], HttpResponseBase], failed: Failed, request: HttpRequest) -> HttpResponseBase:
    """The answer, or what this protocol says when there is none: `failed`, or that the credentials are wrong."""
    try:
        return answer()
    except QueryError as error:
        return _error(failed, error)
    except AccountError as error:
        response = HttpResponse(error_document(str(error)), status=error.status, content_type=MEDIA_TYPE)
        refuse(response, error)
        return response
    except (OperationalError, InterfaceError) as error:
        log.warning("the application's database is away", extra={"path": request.path, "reason": str(error)})
        return _error(failed, BusyError("this service is not complete at the moment; please try again soon"))
    except Exception:
        # The edge of the process: a client of this protocol gets its own kind of document, the log gets the rest.
        log.exception("a request failed", extra={"path": request.path})
        return _error(failed, InternalError("request"))


def _error(failed: Failed, error: QueryError) -> HttpResponse:
    response = failed(error)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _open(response: HttpResponseBase, methods: tuple[str, ...]) -> HttpResponseBase:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = (
        "Location, Content-Disposition, Content-Range, ETag, Retry-After, X-VO-Authenticated"
    )
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    return response
