"""Where things of the site are, as its pages and programs reach them."""

from __future__ import annotations

from almagest.config.environment import environment


def api_url(path: str) -> str:
    """An address of the API. path: behind `/api/v1/`."""
    return f"{environment().site_url}/api/v1/{path}"


def job_page(job_id: str) -> str:
    """The page of a job, from the site's address on."""
    return f"/query/?job={job_id}"
