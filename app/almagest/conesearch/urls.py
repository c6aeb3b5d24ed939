"""Paths under /conesearch. Each works with and without a final slash: redirects would lose the bodies of POSTs."""

from __future__ import annotations

from django.urls import re_path

from almagest.conesearch import views
from almagest.dali.availability import availability

app_name = "conesearch"

_TABLE = "/(?P<table>[^/]{1,200})"

urlpatterns = [
    re_path(rf"^{_TABLE}/?$", views.search, name="search"),
    re_path(rf"^{_TABLE}/capabilities/?$", views.capabilities, name="capabilities"),
    re_path(rf"^{_TABLE}/availability/?$", availability, name="availability"),
]
