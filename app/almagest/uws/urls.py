"""The paths of a job list. Each works with and without a final slash: redirects would lose the bodies of POSTs."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from almagest.uws import views
from almagest.uws.joblist import JobList

_JOB = "/(?P<job_id>[0-9A-Za-z-]{1,64})"


def resources(prefix: str, service: JobList) -> list[URLPattern]:
    """The patterns of one service's jobs. prefix: of the service's own paths, e.g. `/async`."""
    named = {"service": service}
    return [
        re_path(rf"^{prefix}/?$", views.joblist, named, name="jobs"),
        re_path(rf"^{prefix}{_JOB}/?$", views.job, named, name="job"),
        re_path(rf"^{prefix}{_JOB}/error/?$", views.error, name="error"),
        re_path(rf"^{prefix}{_JOB}/results/result/?$", views.result, named, name="result"),
        re_path(rf"^{prefix}{_JOB}/(?P<name>{'|'.join(views.PARTS)})/?$", views.part, named, name="part"),
    ]
