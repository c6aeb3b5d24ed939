"""Where the service is."""

from __future__ import annotations

from almagest.config.environment import environment
from almagest.uws.joblist import JobList

JOBS = JobList("/tap/async")


def base_url() -> str:
    """The service's address as users type it."""
    return f"{environment().site_url}/tap"
