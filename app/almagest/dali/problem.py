"""What went wrong with a request, found out in one place for every face, and written as each of them writes it.

A face catches what its work raises (`problem`), and says it as its clients read it: as a DALI document, as problem
details (RFC 9457), as a page. What is said, the status and the headers are the same everywhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse

from almagest.accounts.authentication import refuse
from almagest.accounts.errors import AccountError
from almagest.dali.body import UNREADABLE
from almagest.formats import MEDIA_TYPE, error_document
from almagest.query.errors import (
    BusyError,
    ForbiddenError,
    InternalError,
    InvalidFieldsError,
    InvalidRequestError,
    QueryError,
    TooLargeError,
    WrongQueryError,
)

log = logging.getLogger(__name__)

RETRY_SECONDS = 10
"""When to come back to a service that is busy or not complete."""

PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """A request that failed. error: of one of the families whose text may be shown to anyone."""

    error: QueryError | AccountError
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """What happened and what to do, in a sentence."""
        return str(self.error)


def problem(error: Exception, path: str) -> Problem:
    """What to say of this error. path: of the request, for the log.

    An error that nobody expected is a mistake of ours: its text is for the log only.
    """
    match error:
        case QueryError() | AccountError():
            told: QueryError | AccountError = error
        case RequestDataTooBig():
            told = TooLargeError("the request is larger than anything that is asked here")
        case BadRequest():
            told = InvalidRequestError(str(error) or "the request cannot be read")
        case _ if isinstance(error, UNREADABLE):
            told = InvalidRequestError("the request cannot be read")
        case OperationalError() | InterfaceError():
            log.warning("the application's database is away", extra={"path": path, "reason": str(error)})
            told = BusyError("this service is not complete at the moment; please try again soon")
        case _:
            log.error("a request failed", exc_info=error, extra={"path": path})
            told = InternalError("request")
    return Problem(told, told.status, {"Retry-After": str(RETRY_SECONDS)} if isinstance(told, BusyError) else {})


def finished(response: HttpResponse, told: Problem) -> HttpResponse:
    """The answer with the headers that go with the problem: when to come back, how to log in."""
    for name, value in told.headers.items():
        response.headers[name] = value
    if isinstance(told.error, AccountError):
        refuse(response, told.error)
    return response


def dali(told: Problem) -> HttpResponse:
    """The document of DALI 1.1 §4.4.2."""
    return HttpResponse(error_document(told.detail), status=told.status, content_type=MEDIA_TYPE)


def text(told: Problem) -> HttpResponse:
    """The sentence alone, for programs that show what they are told."""
    return HttpResponse(f"{told.detail}\n", status=told.status, content_type="text/plain; charset=utf-8")


def details(told: Problem) -> HttpResponse:
    """Problem details (RFC 9457)."""
    return HttpResponse(json.dumps(described(told)), status=told.status, content_type=PROBLEM_TYPE)


def described(told: Problem) -> dict[str, Any]:
    """The members of the problem details.

    errors: sentences by field; position, fix: the place in a query, and what was likely meant; where they are known.
    """
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(told.status).phrase,
        "status": told.status,
        "detail": told.detail,
    }
    if isinstance(told.error, InvalidFieldsError):
        members["errors"] = told.error.errors
    if isinstance(told.error, QueryError):
        members |= where(told.error)
    return members


def where(error: QueryError) -> dict[str, Any]:
    """What an error tells of the place in a query: `detail` without that, `position`, and as `fix` what was likely
    meant; nothing of an error without one."""
    place = error.place if isinstance(error, (WrongQueryError, ForbiddenError)) else None
    if place is None:
        return {}
    members: dict[str, Any] = {"position": asdict(place)}
    if isinstance(error, WrongQueryError):
        members["detail"] = error.reason
        if error.fix:
            members["fix"] = {**asdict(error.fix.place), "text": error.fix.text, "label": error.fix.label}
    return members
