"""`/tap/sync` and what the service says about itself (TAP 1.1 §2, VOSI 1.1); every rule lives in `query`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse

from almagest import formats
from almagest.accounts.identity import NOBODY
from almagest.config.environment import environment, queues
from almagest.health import checks
from almagest.metadata import catalogue, models
from almagest.query import limits
from almagest.query import request as parameters
from almagest.query.errors import NoSuchTableError
from almagest.query.sync import sync as run
from almagest.tap.face import base_url, face, pairs, stream
from almagest.vo import tables as documents
from almagest.vo import vosi


@face("GET", "HEAD")
def root(_: HttpRequest) -> HttpResponse:
    """`/tap`: what people should see is the site's home page, which explains this service."""
    return HttpResponseRedirect(f"{environment().site_url}/")


@face("GET", "HEAD", "POST")
def sync(request: HttpRequest) -> StreamingHttpResponse:
    """`/tap/sync` (TAP 1.1 §2.2)."""
    return stream(run(NOBODY, parameters.collect(pairs(request))), "result")


@face("GET", "HEAD")
def availability(_: HttpRequest) -> HttpResponse:
    """`/tap/availability`: whether a query would be answered, found out by asking the databases."""
    reasons = checks.run(checks.CHECKS)
    notes = [f"{name}: {reason}" for name, reason in reasons.items() if reason is not None]
    return _xml(vosi.availability(available=not notes, notes=notes))


@face("GET", "HEAD")
def capabilities(_: HttpRequest) -> HttpResponse:
    """`/tap/capabilities`."""
    slowest = max(queue.timeout for queue in queues())
    service = vosi.Service(
        url=base_url(),
        formats=[_output(short, known) for short, known in formats.FORMATS.items()],
        duration=vosi.Limits(int(queues()[0].timeout), int(slowest)),
        retention=vosi.Limits(int(limits.RETENTION.total_seconds()), int(limits.MAX_RETENTION.total_seconds())),
        rows=vosi.Limits(limits.DEFAULT_ROWS, limits.MAX_ROWS),
    )
    return _xml(vosi.capabilities(service))


@face("GET", "HEAD")
def tables(request: HttpRequest) -> HttpResponse:
    """`/tap/tables`, in full unless `detail=min` (VOSI 1.1 §4)."""
    descriptions = dict(models.Schema.objects.values_list("name", "description"))
    detail = {name.lower(): value for name, value in pairs(request)}.get("detail", "max")
    return _xml(documents.tableset(catalogue.visible(NOBODY).tables, descriptions, columns=detail != "min"))


@face("GET", "HEAD")
def table(_: HttpRequest, name: str) -> HttpResponse:
    """`/tap/tables/<name>`."""
    found = next((table for table in catalogue.visible(NOBODY).tables if str(table) == name), None)
    if found is None:
        raise NoSuchTableError(f"there is no table {name!r}; {base_url()}/tables lists them")
    return _xml(documents.single(found))


def _xml(document: bytes) -> HttpResponse:
    return HttpResponse(document, content_type=vosi.MEDIA_TYPE)


def _output(short: str, known: formats.Format) -> vosi.OutputFormat:
    return vosi.OutputFormat(known.media_type, (short,), _IVO_IDS.get(short))


_IVO_IDS = {
    "votable": vosi.OUTPUT_BINARY2,
    "votable/b2": vosi.OUTPUT_BINARY2,
    "votable/b": vosi.OUTPUT_BINARY,
    "votable/td": vosi.OUTPUT_TABLEDATA,
}
