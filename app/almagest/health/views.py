"""`/health/live` and `/health/ready`: what the cluster asks every few seconds."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from almagest.health.checks import CHECKS, REQUIRED, run
from almagest.query.watch import watch


@require_safe
def live(_: HttpRequest) -> HttpResponse:
    """200 when this process answers and none of its threads is lost, else 503; nothing else is asked, because a restart
    heals nothing but this process."""
    lost = watch().lost()
    if lost:
        return HttpResponse(f"{lost} threads go on without an end\n", status=503, content_type="text/plain")
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def ready(_: HttpRequest) -> JsonResponse:
    """200 when what every request needs answers, else 503; the body says of each dependency how it is."""
    reasons = run(CHECKS)
    away = [name for name, reason in reasons.items() if reason is not None]
    failed = [name for name in away if name in REQUIRED]
    body = {
        "ready": not failed,
        "failed": failed,
        "impaired": [name for name in away if name not in REQUIRED],
        "checks": {name: reason or "ok" for name, reason in reasons.items()},
    }
    response = JsonResponse(body, status=503 if failed else 200)
    response.headers["Cache-Control"] = "no-store"
    return response
