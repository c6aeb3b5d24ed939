"""Paths under /tap. Each works with and without a final slash: redirects would lose the bodies of POSTs."""

from __future__ import annotations

from django.urls import re_path

from almagest.dali.availability import availability
from almagest.tap import jobs, usertables, views

app_name = "tap"

_JOB = "/async/(?P<job_id>[0-9A-Za-z-]{1,64})"

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
    re_path(r"^/async/?$", jobs.joblist, name="jobs"),
    re_path(r"^/deletejobs/?$", jobs.delete_jobs, name="delete_jobs"),
    re_path(rf"^{_JOB}/?$", jobs.job, name="job"),
    re_path(rf"^{_JOB}/error/?$", jobs.error, name="error"),
    re_path(rf"^{_JOB}/results/result/?$", jobs.result, name="result"),
    re_path(rf"^{_JOB}/(?P<name>{'|'.join(jobs.PARTS)})/?$", jobs.part, name="part"),
]
