"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from almagest.api.face import NothingRoute
from almagest.api.jobs import AbortRoute, JobRoute, JobsRoute, RunAgainRoute
from almagest.api.site import SiteRoute

app_name = "api"

urlpatterns = [
    path("site", SiteRoute.as_view(), name="site"),
    path("jobs", JobsRoute.as_view(), name="jobs"),
    path("jobs/<str:job_id>", JobRoute.as_view(), name="job"),
    path("jobs/<str:job_id>/abort", AbortRoute.as_view(), name="abort"),
    path("jobs/<str:job_id>/run_again", RunAgainRoute.as_view(), name="run-again"),
    re_path("", NothingRoute.as_view(), name="nothing"),
]
