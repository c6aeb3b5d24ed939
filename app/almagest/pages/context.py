"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from almagest.config import environment


def site(_: HttpRequest) -> dict[str, Any]:
    """site: the archive's metadata; site_url: its absolute address; release; indexed: whether robots are welcome."""
    settings = environment.environment()
    return {
        "site": environment.site(),
        "site_url": settings.site_url,
        "release": settings.release,
        "indexed": settings.environment == "production",
    }
