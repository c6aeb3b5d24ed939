"""`/tap/tables/tap_user.<name>`: tables that users keep, made by PUT and ended by DELETE (VOSI 1.2 §4); a POST renames
them, and results."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from almagest.accounts.authentication import identify
from almagest.dali.face import face
from almagest.dali.form import pairs, unread
from almagest.query import request as parameters
from almagest.query.errors import InvalidRequestError, NoSuchTableError
from almagest.query.tables import jobtables, usertables
from almagest.tap.address import base_url
from almagest.vo import tables as documents
from almagest.vo import vosi


@face("GET", "HEAD", "PUT", "POST", "DELETE")
def table(request: HttpRequest, name: str) -> HttpResponse:
    """PUT a file in any of the formats of UPLOAD, GET what is known of it, or of a result of this name; DELETE it.

    POST with NAME gives it, or the result, another name, and answers with the address that it has then.
    """
    identity = identify(request)
    if request.method == "DELETE":
        usertables.drop(identity, name)
        return HttpResponse(status=204)
    if request.method == "PUT":
        usertables.create(identity, name, unread(request))
        return HttpResponse(status=201, headers={"Location": _url(name.lower())})
    if request.method == "POST":
        wanted = parameters.collect(pairs(request), ("NAME",)).get("NAME")
        if wanted is None:
            raise InvalidRequestError("NAME has to be the new name of the table")
        return HttpResponse(status=303, headers={"Location": _url(usertables.rename(identity, name, wanted))})
    own = jobtables.own_catalogue(identity)
    found = own.table(jobtables.SCHEMA, name.lower())
    if found is None:
        raise NoSuchTableError(f"you have no table {jobtables.SCHEMA}.{name}")
    return HttpResponse(documents.single(own, found), content_type=vosi.MEDIA_TYPE)


def _url(name: str) -> str:
    return f"{base_url()}/tables/{jobtables.SCHEMA}.{name}"
