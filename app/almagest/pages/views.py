"""Home page, how to use the archive from one's tools, and error pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from almagest.accounts.authentication import identify
from almagest.catalogue import Table
from almagest.config.environment import environment
from almagest.formats import FORMATS
from almagest.metadata import catalogue
from almagest.pages.data import Shown, published
from almagest.pages.page import page


@page
def home(request: HttpRequest) -> HttpResponse:
    """What the archive is, what it holds and how to begin."""
    schemas = published(catalogue.holdings(identify(request)))
    tables = [table for schema in schemas for table in schema.tables]
    totals = {
        "tables": len(tables),
        "rows": sum(table.nrows or 0 for table in tables),
        "columns": sum(len(table.columns) for table in tables),
    }
    return render(request, "pages/home.html", {"schemas": schemas, "totals": totals, "example": _example(schemas)})


@page
def docs(request: HttpRequest) -> HttpResponse:
    """How to query the archive from Python, TOPCAT and a shell."""
    schemas = published(catalogue.holdings(identify(request)))
    known = {"section": "docs", "example": _example(schemas), "formats": FORMATS}
    return render(request, "pages/docs.html", known)


@require_safe
def robots(_: HttpRequest) -> HttpResponse:
    """Robots may read the pages of a production archive, but not run its queries; elsewhere they may read nothing."""
    queries = ("/tap/", "/conesearch/", "/datalink/links", "/search")
    closed = queries if environment().environment == "production" else ("/",)
    rules = "".join(f"Disallow: {path}\n" for path in closed)
    return HttpResponse(f"User-agent: *\n{rules}", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it by name
    """The page for an address that leads nowhere."""
    return render(request, "pages/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a mistake of ours; it asks no database, which may be what failed."""
    return render(request, "pages/500.html", status=500)


def _example(schemas: list[Shown]) -> Table | None:
    """The table that the snippets ask: the first that has positions, so that a cone search makes sense."""
    return next((table for schema in schemas for table in schema.tables if table.position), None)
