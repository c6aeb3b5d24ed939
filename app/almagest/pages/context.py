"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from almagest.accounts.authentication import identified
from almagest.config import environment


def site(request: HttpRequest) -> dict[str, Any]:
    """site: the archive's metadata; site_url: its absolute address; release; indexed: whether robots are welcome;
    user_name: of whoever is logged in, where the page asked who that is."""
    settings = environment.environment()
    identity = identified(request)
    return {
        "site": environment.site(),
        "site_url": settings.site_url,
        "release": settings.release,
        "indexed": settings.environment == "production",
        "user_name": identity.name if identity else "",
    }
