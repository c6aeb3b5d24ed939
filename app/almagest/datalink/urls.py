"""Paths under /datalink. Each works with and without a final slash: redirects would lose the bodies of POSTs."""

from __future__ import annotations

from django.urls import re_path

from almagest.dali.availability import availability
from almagest.datalink import views

app_name = "datalink"

urlpatterns = [
    re_path(r"^/links/?$", views.links, name="links"),
    re_path(r"^/capabilities/?$", views.capabilities, name="capabilities"),
    re_path(r"^/availability/?$", availability, name="availability"),
    re_path(r"^/terms/?$", views.terms, name="terms"),
]
