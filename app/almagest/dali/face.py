"""What every protocol's views share: answers, error documents, and access from pages of other sites."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from almagest.accounts import visitors
from almagest.accounts.authentication import identify, refuse, sign
from almagest.accounts.errors import AccountError
from almagest.formats import MEDIA_TYPE, Format, error_document
from almagest.query.answers.answer import Answer
from almagest.query.answers.downloads import Conditions, Document, deliver
from almagest.query.errors import BusyError, InternalError, QueryError

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


def stream(answer: Answer, name: str) -> StreamingHttpResponse:
    """The answer as it comes; closed with the response, which cancels its query when the client goes away.

    name: what a browser saves it as, without extension.
    """
    return _described(StreamingHttpResponse(answer), answer.format, name)


def promise(written: Format, name: str) -> HttpResponse:
    """The answer to HEAD: what `stream` would say of an answer in this format before its first row."""
    return _described(HttpResponse(), written, name)


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
