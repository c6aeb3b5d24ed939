"""What every protocol's views share: answers, error documents, and access from pages of other sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from almagest.accounts import visitors
from almagest.accounts.authentication import identified, identify, sign
from almagest.accounts.identity import Identity
from almagest.dali import problem
from almagest.dali.problem import Problem
from almagest.formats import Format
from almagest.query.answers.answer import Answer
from almagest.query.answers.downloads import Conditions, Document, deliver

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)
Failed = Callable[[Problem], HttpResponse]
"""How a protocol says that a request failed."""


def face(*methods: str, failed: Failed = problem.dali) -> Callable[[View], View]:
    """A view of a protocol: these methods only, errors as its documents, open to scripts of any site.

    Django's protection against forged requests is for forms of our own pages: programs have no such token. `identify`
    refuses a request with a session's cookie that another site's page made a browser send.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return preflight(methods)
            if request.method not in methods:
                return opened(HttpResponseNotAllowed(methods), methods)
            return opened(_handled(view, failed, request, *arguments, **named), methods)

        return answer

    return decorate


def preflight(methods: Sequence[str]) -> HttpResponseBase:
    """The answer to OPTIONS, which a browser asks before it lets a page of another site show a token."""
    response = HttpResponse(status=204, headers={"Access-Control-Allow-Headers": "Authorization, Content-Type"})
    return opened(response, methods)


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


def creator(request: HttpRequest) -> Identity:
    """Whose it is what this request creates.

    A browser on a page of this site gets a visitor's cookie with the first thing that it creates. Programs share
    nobody's room: most of them keep no cookies, and each of their jobs would have a role and a quota of its own.
    """
    caller = identify(request)
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return visitors.settle(request, caller)
    return caller


def signed(request: HttpRequest, response: Response) -> Response:
    """The answer with what belongs to whoever asked: the cookie of a new visitor, and as whom they were answered."""
    identity = identified(request)
    if identity is not None:
        visitors.keep(request, response)
        sign(response, identity)
    return response


def _handled(view: View, failed: Failed, request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
    def answer() -> HttpResponseBase:
        identify(request)
        return signed(request, _caught(lambda: view(request, *arguments, **named), failed, request))

    return _caught(answer, failed, request)


def _caught(answer: Callable[[], HttpResponseBase], failed: Failed, request: HttpRequest) -> HttpResponseBase:
    """The answer, or what this protocol says when there is none."""
    try:
        return answer()
    except Exception as error:
        # The edge of the process: a client of this protocol gets its own kind of document, the log gets the rest.
        told = problem.problem(error, request.path)
        return problem.finished(failed(told), told)


def opened(response: HttpResponseBase, methods: Sequence[str]) -> HttpResponseBase:
    """The answer to scripts of any site, which may use these methods."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = (
        "Location, Content-Disposition, Content-Range, ETag, Retry-After, X-VO-Authenticated"
    )
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    return response
