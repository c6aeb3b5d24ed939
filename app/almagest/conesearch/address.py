"""Where the services are."""

from __future__ import annotations

from urllib.parse import quote

from almagest.config.environment import environment


def service_url(table: str) -> str:
    """The cone search of `schema.table`; with a question mark behind it, its base URL (1.03 §2.1)."""
    return f"{environment().site_url}/conesearch/{quote(table)}"
