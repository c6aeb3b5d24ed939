"""Where the service is."""

from __future__ import annotations

from almagest.config.environment import environment


def base_url() -> str:
    """The service's address as users type it."""
    return f"{environment().site_url}/tap"
