"""What all of `/tap/…` shares: reading parameters, error documents, and access from pages of other sites."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TypeVar

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from almagest.config.environment import environment
from almagest.formats import MEDIA_TYPE, Format, error_document
from almagest.query.answer import Answer
from almagest.query.downloads import Conditions, Document, deliver
from almagest.query.errors import BusyError, InternalError, InvalidRequestError, QueryError, TooLargeError

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)

RETRY_SECONDS = 10


def base_url() -> str:
    """The service's address as users type it."""
    return f"{environment().site_url}/tap"


def face(*methods: str) -> Callable[[View], View]:
    """A view of a protocol: these methods only, errors as DALI documents, open to scripts of any site.

    It needs no protection against forged requests because it takes no cookie: whoever asks, asks as nobody.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, *arguments: str, **named: str) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return _open(HttpResponse(status=204), methods)
            if request.method not in methods:
                return _open(HttpResponseNotAllowed(methods), methods)
            return _open(_handled(view, request, *arguments, **named), methods)

        return answer

    return decorate


def pairs(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Every parameter of the address and of the body, in any of HTML's encodings. Raises QueryError."""
    try:
        sources = (request.GET, request.POST)
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise TooLargeError("the request is larger than this service reads") from error
    except (MultiPartParserError, BadRequest, UnreadablePostError) as error:
        raise InvalidRequestError("the body of the request cannot be read") from error
    for source in sources:
        for name, values in source.lists():
            for value in values:
                yield name, str(value)


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


def _handled(view: View, request: HttpRequest, *arguments: str, **named: str) -> HttpResponseBase:
    try:
        return view(request, *arguments, **named)
    except QueryError as error:
        return _error(error)
    except (OperationalError, InterfaceError) as error:
        log.warning("the application's database is away", extra={"path": request.path, "reason": str(error)})
        return _error(BusyError("this service is not complete at the moment; please try again soon"))
    except Exception:
        # The edge of the process: a client of this protocol gets its own kind of document, the log gets the rest.
        log.exception("a request failed", extra={"path": request.path})
        return _error(InternalError("the request failed by a mistake in this service; its operators have a record"))


def _error(error: QueryError) -> HttpResponse:
    response = HttpResponse(error_document(str(error)), status=error.status, content_type=MEDIA_TYPE)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _open(response: HttpResponseBase, methods: tuple[str, ...]) -> HttpResponseBase:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = (
        "Location, Content-Disposition, Content-Range, ETag, Retry-After"
    )
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    return response
