"""Paths under /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from almagest.api.face import NothingRoute
from almagest.api.site import SiteRoute

app_name = "api"

urlpatterns = [
    path("site", SiteRoute.as_view(), name="site"),
    re_path("", NothingRoute.as_view(), name="nothing"),
]
