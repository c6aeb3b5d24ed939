"""`/tap/deletejobs`: the one way in which astroquery's TapPlus deletes jobs. It belongs to no standard."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from almagest.accounts.authentication import identify
from almagest.dali.face import face
from almagest.dali.form import pairs
from almagest.query import request as parameters
from almagest.query.errors import TooLargeError
from almagest.query.uws import jobs

DELETED_AT_ONCE = 500
"""Jobs that one request deletes; each is a transaction of its own."""


@face("POST")
def delete_jobs(request: HttpRequest) -> HttpResponse:
    """Delete all jobs of JOB_IDS, or none where the caller has no such job."""
    names = parameters.collect(pairs(request), ("JOB_IDS",)).get("JOB_IDS", "")
    wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    if len(wanted) > DELETED_AT_ONCE:
        raise TooLargeError(f"JOB_IDS has {len(wanted):,} jobs; {DELETED_AT_ONCE} are deleted at once")
    caller = identify(request)
    for found in [jobs.find(jobs.parse_id(name), caller) for name in wanted]:
        jobs.delete(found)
    return HttpResponse(content_type="text/plain")
