"""Paths under /tap. Each works with and without a final slash: redirects would lose the bodies of POSTs."""

from __future__ import annotations

from django.urls import re_path

from almagest.dali.availability import availability
from almagest.tap import usertables, views
from almagest.tap.address import JOBS
from almagest.tap.deletejobs import delete_jobs
from almagest.uws.urls import resources

app_name = "tap"

urlpatterns = [
    re_path(r"^/?$", views.root, name="root"),
    re_path(r"^/sync/?$", views.sync, name="sync"),
    re_path(r"^/availability/?$", availability, name="availability"),
    re_path(r"^/capabilities/?$", views.capabilities, name="capabilities"),
    re_path(r"^/tables/?$", views.tables, name="tables"),
    # In any letter case; Django cannot reverse any address of the site beside a pattern with (?i:…).
    re_path(r"^/tables/[Tt][Aa][Pp]_[Uu][Ss][Ee][Rr]\.(?P<name>[^/]{1,200})/?$", usertables.table, name="user-table"),
    re_path(r"^/tables/(?P<name>[^/]{1,200})/?$", views.table, name="table"),
    re_path(r"^/examples/?$", views.examples, name="examples"),
    re_path(r"^/deletejobs/?$", delete_jobs, name="delete_jobs"),
    *resources("/async", JOBS),
]
