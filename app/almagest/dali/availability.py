"""`…/availability` of every service (VOSI 1.1 §5): they are one process over the same databases."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from almagest.dali.face import face
from almagest.health import checks
from almagest.vo import vosi


@face("GET", "HEAD")
def availability(_: HttpRequest, **named: str) -> HttpResponse:  # noqa: ARG001 - whatever the service's path holds
    """Whether a query would be answered, found out by asking the databases; the notes also say what is impaired."""
    reasons = {name: reason for name, reason in checks.run(checks.CHECKS).items() if reason is not None}
    notes = [f"{name}: {reason}" for name, reason in reasons.items()]
    document = vosi.availability(available=reasons.keys().isdisjoint({*checks.REQUIRED, "datadb"}), notes=notes)
    return HttpResponse(document, content_type=vosi.MEDIA_TYPE)
