"""Where the service is, and what the rows that it knows are called."""

from __future__ import annotations

from urllib.parse import urlsplit

from almagest.config.environment import environment, site


def base_url() -> str:
    """The address above `/links` and `/capabilities`."""
    return f"{environment().site_url}/datalink"


def term(name: str) -> str:
    """The URI of a term of the archive's own vocabulary, at which it is explained."""
    return f"{base_url()}/terms#{name}"


def authority() -> str:
    """The authority of the archive's IVOA identifiers; without one of its own, the site's host."""
    return site().authority or urlsplit(environment().site_url).hostname or "localhost"
