"""`/conesearch/<schema>.<table>` and what it says about itself; every rule lives in `query`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from almagest.accounts.authentication import SECURITY, identify
from almagest.accounts.errors import AccountError
from almagest.conesearch.address import service_url
from almagest.dali.face import face, promise, stream
from almagest.dali.form import pairs
from almagest.dali.problem import Problem, dali
from almagest.query import cone, limits
from almagest.query.answers import conesearch as searches
from almagest.query.errors import InvalidRequestError, TooLargeError
from almagest.vo import conesearch as documents
from almagest.vo import vosi


def _failed(told: Problem) -> HttpResponse:
    if isinstance(told.error, AccountError):
        return dali(told)
    # Clients of 1.03 (stilts, TOPCAT) read why a search was refused only from an answer that HTTP calls a success.
    status = 200 if isinstance(told.error, (InvalidRequestError, TooLargeError)) else told.status
    return HttpResponse(documents.error_document(told.detail), status=status, content_type=documents.MEDIA_TYPE)


@face("GET", "HEAD", "POST", failed=_failed)
def search(request: HttpRequest, table: str) -> HttpResponseBase:
    """The rows around a place. HEAD looks for none (RFC 9110 §9.3.2)."""
    found = searches.find(identify(request), table)
    wanted = cone.check(pairs(request))
    if request.method == "HEAD":
        return promise(searches.written_as(wanted), table)
    return stream(searches.search(found, wanted), table)


@face("GET", "HEAD")
def capabilities(request: HttpRequest, table: str) -> HttpResponse:
    """`…/capabilities`, with a row to try the search on."""
    found = searches.find(identify(request), table)
    service = documents.Service(
        service_url(str(found.table)), limits.CONE_DEGREES, limits.DEFAULT_ROWS, searches.example(found), SECURITY
    )
    return HttpResponse(documents.capabilities(service), content_type=vosi.MEDIA_TYPE)
