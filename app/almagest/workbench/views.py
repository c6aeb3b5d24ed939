"""The shell of the workbench: the site's frame with the scripts that draw what is in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from almagest.config.content_security import policy
from almagest.config.environment import environment
from almagest.workbench.built import assets

SAMP_HUBS = ("http://localhost:21012", "http://127.0.0.1:21012")
"""Where the hub of SAMP's Web Profile listens on the reader's own machine (SAMP 1.3 §5.2)."""


@require_safe
def workbench(request: HttpRequest, job_id: str = "") -> HttpResponse:  # noqa: ARG001 - the scripts read it from the address
    """`/query/` and below: the same shell for each address, which the scripts read.

    It asks no database and knows nobody: what a person may see comes through the API.
    """
    found = assets(environment().frontend_dir)
    known = {"assets": found, "section": "query"}
    response = render(request, "workbench/workbench.html", known, status=200 if found else 503)
    response["Content-Security-Policy"] = policy(connect=SAMP_HUBS)
    return response
