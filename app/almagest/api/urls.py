"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from almagest.api.check import CheckRoute
from almagest.api.face import NothingRoute
from almagest.api.jobs import AbortRoute, JobRoute, JobsRoute, RunAgainRoute
from almagest.api.me import MeRoute
from almagest.api.results import BinsRoute, DataRoute, DownloadRoute, RowsRoute, StatisticsRoute
from almagest.api.schema import SchemaRoute
from almagest.api.search import ResolveRoute, SearchRoute
from almagest.api.site import SiteRoute
from almagest.api.tables import ExamplesRoute, FunctionsRoute, SampleRoute, SchemasRoute, TableRoute

app_name = "api"

urlpatterns = [
    path("check", CheckRoute.as_view(), name="check"),
    path("examples", ExamplesRoute.as_view(), name="examples"),
    path("functions", FunctionsRoute.as_view(), name="functions"),
    path("me", MeRoute.as_view(), name="me"),
    path("resolve", ResolveRoute.as_view(), name="resolve"),
    path("schema/", SchemaRoute.as_view(), name="schema"),
    path("schemas", SchemasRoute.as_view(), name="schemas"),
    path("tables/<str:name>/sample", SampleRoute.as_view(), name="sample"),
    path("tables/<str:name>", TableRoute.as_view(), name="table"),
    path("search", SearchRoute.as_view(), name="search"),
    path("site", SiteRoute.as_view(), name="site"),
    path("jobs", JobsRoute.as_view(), name="jobs"),
    path("jobs/<str:job_id>", JobRoute.as_view(), name="job"),
    path("jobs/<str:job_id>/abort", AbortRoute.as_view(), name="abort"),
    path("jobs/<str:job_id>/run_again", RunAgainRoute.as_view(), name="run-again"),
    path("jobs/<str:job_id>/rows", RowsRoute.as_view(), name="rows"),
    path("jobs/<str:job_id>/statistics", StatisticsRoute.as_view(), name="statistics"),
    path("jobs/<str:job_id>/data", DataRoute.as_view(), name="data"),
    path("jobs/<str:job_id>/bins", BinsRoute.as_view(), name="bins"),
    path("jobs/<str:job_id>/download", DownloadRoute.as_view(), name="download"),
    re_path("", NothingRoute.as_view(), name="nothing"),
]
