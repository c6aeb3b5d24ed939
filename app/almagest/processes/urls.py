"""Which part answers which path."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("health/", include("almagest.health.urls")),
    path("auth/", include("almagest.auth.urls")),
    path("api/v1/", include("almagest.api.urls")),
    path("tap", include("almagest.tap.urls")),
    path("conesearch", include("almagest.conesearch.urls")),
    path("datalink", include("almagest.datalink.urls")),
    path("query/", include("almagest.workbench.urls")),
    path("", include("almagest.pages.urls")),
]

handler404 = "almagest.pages.views.not_found"
handler500 = "almagest.pages.views.server_error"
