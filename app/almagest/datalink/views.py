"""`/datalink/…` (DataLink 1.1 §2): the request's parameters, and the documents around `links`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from almagest.accounts.authentication import SECURITY, identify
from almagest.accounts.errors import AccountError
from almagest.dali.face import face
from almagest.dali.form import pairs
from almagest.dali.problem import Problem, dali
from almagest.datalink import links as linked
from almagest.datalink import vocabulary
from almagest.datalink.address import base_url
from almagest.query import request as parameters
from almagest.query.errors import BusyError, InternalError, InvalidRequestError, NoSuchTableError, QueryError
from almagest.vo import datalink, vosi
from almagest.vo.datalink import Fault

NAMES = ("TABLE", "RESPONSEFORMAT", "RUNID")
"""The parameters that may come once; ID may come more often."""


def _failed(told: Problem) -> HttpResponse:
    if isinstance(told.error, AccountError):
        return dali(told)
    document = datalink.error_document(f"{_fault(told.error)}: {told.detail}")
    return HttpResponse(document, status=told.status, content_type=datalink.MEDIA_TYPE)


@face("GET", "HEAD", "POST", failed=_failed)
def links(request: HttpRequest) -> HttpResponse:
    """`{links}`. TABLE says whose keys the IDs are; without it they are IVOA identifiers."""
    sent = list(pairs(request))
    asked = parameters.collect(sent, NAMES)
    media_type = _media_type(asked.get("RESPONSEFORMAT", ""))
    identifiers = [value for name, value in sent if name.upper() == "ID" and value]
    if request.method == "HEAD":
        # It looks for no rows (RFC 9110 §9.3.2).
        return HttpResponse(content_type=media_type)
    document = linked.document(identify(request), identifiers, asked.get("TABLE") or None)
    return HttpResponse(document, content_type=media_type)


@face("GET", "HEAD")
def capabilities(_: HttpRequest) -> HttpResponse:
    """`/datalink/capabilities`."""
    return HttpResponse(datalink.capabilities(base_url(), SECURITY), content_type=vosi.MEDIA_TYPE)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """The page that the URIs of the archive's own terms lead to."""
    return render(request, "datalink/terms.html", {"terms": vocabulary.TERMS})


def _media_type(wanted: str) -> str:
    """Of the one format that links are told in, as it was asked for (§2.1.2). Raises InvalidRequestError."""
    name = wanted.partition(";")[0].strip().lower()
    if name in ("", "votable", "application/x-votable+xml"):
        return datalink.MEDIA_TYPE
    if name == "text/xml":
        return name
    raise InvalidRequestError(f"links come as votable only, not as {wanted[:40]!r}")


def _fault(error: QueryError) -> Fault:
    match error:
        case NoSuchTableError():
            return Fault.NOT_FOUND
        case BusyError():
            return Fault.TRANSIENT
        case InternalError():
            return Fault.FATAL
        case _:
            return Fault.USAGE
