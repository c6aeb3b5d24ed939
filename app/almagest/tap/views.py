"""`/tap/sync` and what the service says about itself (TAP 1.1 §2, VOSI 1.1); every rule lives in `query`."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, quote_etag
from django.views.decorators.gzip import gzip_page

from almagest.accounts.authentication import challenges, identify
from almagest.catalogue import Catalogue
from almagest.config.environment import environment
from almagest.dali.face import face, promise, stream
from almagest.dali.form import form, pairs
from almagest.metadata import catalogue
from almagest.query import examples as tried
from almagest.query import request as parameters
from almagest.query.answers import sync as queries
from almagest.query.errors import NoSuchTableError
from almagest.query.tables import jobtables
from almagest.tap.address import base_url
from almagest.tap.capabilities import service
from almagest.vo import tables as documents
from almagest.vo import tap, vosi


@face("GET", "HEAD")
def root(_: HttpRequest) -> HttpResponse:
    """`/tap`: what people should see is the site's home page, which explains this service."""
    return HttpResponseRedirect(f"{environment().site_url}/")


@face("GET", "HEAD", "POST")
def sync(request: HttpRequest) -> HttpResponseBase:
    """`/tap/sync` (TAP 1.1 §2.2). HEAD runs no query (RFC 9110 §9.3.2)."""
    identity = identify(request)
    if request.method == "HEAD":
        return promise(queries.check(identity, parameters.collect(pairs(request))), "result")
    with form(request) as sent:
        return stream(queries.sync(identity, parameters.collect(sent.pairs), sent.parts), "result")


@face("GET", "HEAD")
@gzip_page
def capabilities(request: HttpRequest) -> HttpResponseBase:
    """`/tap/capabilities`; to nobody in particular with the ways to log in, which tells clients that there are some."""
    identity = identify(request)
    holdings = catalogue.holdings(identity)
    response = _conditional(request, tap.capabilities(service(holdings)), holdings.changed)
    if identity.user is None:
        response.headers["WWW-Authenticate"] = challenges()
    return response


@face("GET", "HEAD")
@gzip_page
def tables(request: HttpRequest) -> HttpResponseBase:
    """`/tap/tables`, in full unless `detail=min` (VOSI 1.1 §4); the asker's own tables come last."""
    full = parameters.choice(parameters.collect(pairs(request), ("DETAIL",)), "DETAIL", ("max", "min")) != "min"
    identity = identify(request)
    holdings = catalogue.holdings(identity)
    document = _tableset(holdings.described, full=full)
    own = jobtables.own_catalogue(identity)
    document = documents.extended(document, own, full=full) if own.tables else document
    # It names itself only when it posts; nobody else that matters sends no name at all.
    tapplus = "User-Agent" not in request.headers
    changed = None if identity.owner else holdings.changed
    return _conditional(request, documents.flagged(document) if tapplus else document, changed)


@face("GET", "HEAD")
@gzip_page
def table(request: HttpRequest, name: str) -> HttpResponseBase:
    """`/tap/tables/<name>`, the name as queries write it."""
    holdings = catalogue.holdings(identify(request))
    described = holdings.described
    found = next((table for table in described.tables if name in (table.written, str(table))), None)
    if found is None:
        raise NoSuchTableError(f"there is no table {name!r}; {base_url()}/tables lists them")
    return _conditional(request, documents.single(described, found), holdings.changed)


@face("GET", "HEAD")
@gzip_page
def examples(request: HttpRequest) -> HttpResponse:
    """`/tap/examples` (DALI 1.1 §2.3): for people a page, for clients XML."""
    return render(request, "tap/examples.html", {"examples": list(tried.visible(identify(request)))})


@lru_cache(maxsize=8)
def _tableset(described: Catalogue, *, full: bool) -> bytes:
    """A catalogue is one value until the metadata change, and its document may be megabytes long."""
    return documents.tableset(described, full=full)


def _conditional(request: HttpRequest, document: bytes, changed: datetime | None) -> HttpResponseBase:
    """A document that clients may keep: known by what it says, and as old as the last change of the metadata.

    changed: None for one that has what belongs to the asker, which changes without a record of when.
    """
    etag = quote_etag(hashlib.sha256(document).hexdigest()[:32])
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    seconds = None if changed is None else int(changed.timestamp())
    if seconds is not None:
        headers["Last-Modified"] = http_date(seconds)
    response = HttpResponse(document, content_type=vosi.MEDIA_TYPE, headers=headers)
    patch_vary_headers(response, ("Authorization", "Cookie", "User-Agent"))
    return get_conditional_response(request, etag, seconds, response) or response
