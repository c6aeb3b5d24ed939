"""What every route of the API shares: who asks, what comes in and goes out, and how errors are said.

What comes in is read by pydantic models and what goes out is written from them, so that the OpenAPI document, made from
the same models, says neither more nor less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, ValidationError
from rest_framework.exceptions import APIException, MethodNotAllowed, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from almagest.api.authentication import Authentication, plain
from almagest.api.throttle import WINDOW, Throttle
from almagest.dali import problem
from almagest.dali.face import opened, preflight, signed
from almagest.query import limits
from almagest.query.errors import InvalidFieldsError, InvalidRequestError, QueryError, TooLargeError

Method = TypeVar("Method", bound=Callable[..., Any])
Model = TypeVar("Model", bound="Sent")
Item = TypeVar("Item", bound="Told")

_JSON: TypeAdapter[Any] = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="strings"))

BODY_BYTES = 2 * limits.QUERY_CHARACTERS + 64 * 1024
"""Size of a JSON body: the longest query, and what is around it."""


class Sent(BaseModel):
    """What a client sends, as JSON or as parameters of the address. A name that means nothing is refused: it is most
    likely misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=limits.QUERY_CHARACTERS)


class Told(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(frozen=True)


class ToldList(RootModel[list[Item]], Generic[Item]):
    """A list of what the API answers; a name for the OpenAPI document."""

    model_config = ConfigDict(frozen=True)


class Position(Told):
    """A piece of a query: where it begins, from 1, and how many characters it has, all in that line."""

    line: int
    column: int
    length: int


class Fix(Position):
    """What most likely was meant. text: to put in place of the piece; label: a few words that say so."""

    text: str
    label: str


class Problem(Told):
    """Problem details (RFC 9457). errors: sentences by field; position, fix: in a query that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]] | None = None
    position: Position | None = None
    fix: Fix | None = None


class NotSupportedError(QueryError):
    """The method is not one of this address."""

    status = 405


class ThrottledError(QueryError):
    """Too many requests came in too short a time."""

    status = 429


class JSON(BaseRenderer):
    """JSON in UTF-8: times end with Z, numbers that are none are "NaN", "Infinity" and "-Infinity"."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        """The document."""
        return b"" if data is None else _JSON.dump_json(data)


class Negotiation(BaseContentNegotiation):
    """Everything is JSON, whatever is accepted: a client that cannot read it cannot read an error that says so."""

    def select_parser(self, *_: Any, **__: Any) -> Any:
        """None of the framework's: `body` reads."""
        return None

    def select_renderer(self, *_: Any, **__: Any) -> tuple[Any, str]:
        """The only one."""
        return JSON(), JSON.media_type


class Route(APIView):
    """An address of the API."""

    authentication_classes = (Authentication,)
    renderer_classes = (JSON,)
    # Told to the OpenAPI document; `body` reads.
    parser_classes = (JSONParser,)
    throttle_classes: Sequence[type[BaseThrottle]] = (Throttle,)
    content_negotiation_class = Negotiation

    def options(self, *_: Any, **__: Any) -> HttpResponseBase:  # type: ignore[override] # the framework's describes views in words
        """What a browser asks before it lets a page of another site show a token."""
        return preflight(self.allowed_methods)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *arguments: Any, **named: Any
    ) -> Response:
        """With what belongs to whoever asked, and open to scripts of any site, as all of the archive's services are."""
        finished = super().finalize_response(request, response, *arguments, **named)  # type: ignore[arg-type] # it takes any of Django's
        finished.headers.setdefault("Cache-Control", "private, no-cache")
        return opened(signed(plain(request), finished), self.allowed_methods)  # type: ignore[return-value] # it is the one that came


class NoSuchRouteError(QueryError):
    """Nothing is at this address."""

    status = 404


class NothingRoute(Route):
    """Every address that is none."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """A problem: pages of HTML are for people."""
        raise NoSuchRouteError(f"the API has nothing at {request.path[:200]}; /api/v1/schema/ lists what it has")

    post = put = patch = delete = get


def failed(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Problem details of whatever was raised (the framework's EXCEPTION_HANDLER)."""
    request: HttpRequest = plain(context["request"])
    told = problem.problem(_family(error, request), request.path)
    response = problem.finished(problem.details(told), told)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(WINDOW)
    return response


def operation(
    name: str, *, sent: type[Sent] | None = None, asked: type[Sent] | None = None, answers: Mapping[int, Any], tag: str
) -> Callable[[Method], Method]:
    """Describe a method for the OpenAPI document. sent: its body; asked: the parameters of its address; answers: by
    status, None for no body. Problems are added."""
    parameters = [_parameter(asked, field) for field in asked.model_fields] if asked else []
    return extend_schema(
        operation_id=name, request=sent, parameters=parameters, responses={**answers, "default": Problem}, tags=[tag]
    )


def body(request: Request, model: type[Model]) -> Model:
    """What the request's JSON says. Raises InvalidFieldsError naming each field that is wrong, TooLargeError."""
    sent = plain(request)
    length = sent.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > BODY_BYTES:
        raise TooLargeError(f"the body has {int(length):,} bytes; {BODY_BYTES:,} are read")
    raw = sent.read(BODY_BYTES + 1)
    if len(raw) > BODY_BYTES:
        raise TooLargeError(f"the body is larger than the {BODY_BYTES:,} bytes that are read")
    return _checked("the body", lambda: model.model_validate_json(raw or b"{}", strict=False))


def parameters(request: Request, model: type[Model]) -> Model:
    """What the parameters of the address say. Raises InvalidFieldsError."""
    given: dict[str, Any] = {}
    for name, values in plain(request).GET.lists():
        if any(value != values[0] for value in values):
            raise InvalidFieldsError(
                f"{name} was sent twice with different values; send it once", {name: ["send it once"]}
            )
        given[name] = values[0]
    return _checked("the address", lambda: model.model_validate(given))


def _checked(where: str, read: Callable[[], Model]) -> Model:
    try:
        return read()
    except ValidationError as error:
        errors: dict[str, list[str]] = {}
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            field = ".".join(str(part) for part in found["loc"])
            errors.setdefault(field[:100], []).append(found["msg"])
        first, messages = next(iter(errors.items()))
        raise InvalidFieldsError(f"{where}: {first + ': ' if first else ''}{messages[0]}", errors) from None


def _parameter(model: type[Sent], name: str) -> OpenApiParameter:
    field = model.model_fields[name]
    schema = model.model_json_schema()["properties"][name]
    schema.pop("title", None)
    return OpenApiParameter(
        name, schema, OpenApiParameter.QUERY, required=field.is_required(), description=field.description or ""
    )


def _family(error: Exception, request: HttpRequest) -> Exception:
    """The framework's own errors as ours."""
    match error:
        case MethodNotAllowed():
            return NotSupportedError(f"{request.method} means nothing here")
        case Throttled():
            return ThrottledError(f"too many requests came in a short time; come back in {WINDOW} s")
        case APIException():
            return InvalidRequestError(str(error.detail))
    return error
