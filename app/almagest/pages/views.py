"""Home page, table pages and error pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db.models import Count, Prefetch, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from almagest.accounts.authentication import identify, refuse
from almagest.accounts.errors import AccountError
from almagest.accounts.identity import Identity
from almagest.conesearch.address import service_url
from almagest.config.environment import environment
from almagest.metadata import access, models
from almagest.query.answers import conesearch as searches
from almagest.query.errors import NoSuchTableError

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page to look at, or one that says why the credentials that came with the request are refused."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponse:
        try:
            return view(request, **named)
        except AccountError as error:
            response = render(request, "pages/refused.html", {"error": error}, status=error.status)
            refuse(response, error)
            return response

    return answer


@page
def home(request: HttpRequest) -> HttpResponse:
    """What the archive is, what it holds and how to query it."""
    visible = access.described(identify(request))
    schemas = (
        models.Schema.objects.filter(tables__in=visible)
        .distinct()
        .prefetch_related(Prefetch("tables", visible, to_attr="published_tables"), "creators")
    )
    totals = visible.aggregate(tables=Count("id"), rows=Sum("nrows"))
    totals["columns"] = sum(len(table.columns.all()) for table in visible)
    return render(request, "pages/home.html", {"schemas": schemas, "totals": totals, "example": _example(visible)})


@page
def table(request: HttpRequest, schema: str, table: str) -> HttpResponse:
    """One table: its columns, and whom to thank for it."""
    try:
        found = (
            access.described(identify(request))
            .select_related("schema")
            .prefetch_related("schema__creators")
            .get(schema__name=schema, name=table)
        )
    except models.Table.DoesNotExist as error:
        raise Http404(f"no table {schema}.{table}") from error
    return render(
        request, "pages/table.html", {"table": found, "cone_search": _cone_search(identify(request), str(found))}
    )


@require_safe
def robots(_: HttpRequest) -> HttpResponse:
    """Robots may read the pages of a production archive, but not run its queries; elsewhere they may read nothing."""
    queries = ("/tap/", "/conesearch/", "/datalink/links")
    closed = queries if environment().environment == "production" else ("/",)
    rules = "".join(f"Disallow: {path}\n" for path in closed)
    return HttpResponse(f"User-agent: *\n{rules}", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it by name
    """The page for an address that leads nowhere."""
    return render(request, "pages/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a mistake of ours; it asks no database, which may be what failed."""
    return render(request, "pages/500.html", status=500)


def _cone_search(identity: Identity, table: str) -> str | None:
    """The base URL of the table's cone search, where it has one."""
    try:
        searches.find(identity, table)
    except NoSuchTableError:
        return None
    return f"{service_url(table)}?"


def _example(tables: QuerySet[models.Table]) -> models.Table | None:
    """The table that the snippets ask: the first that has positions, so that a cone search makes sense."""
    return tables.exclude(ra_column="").select_related("schema").first()
