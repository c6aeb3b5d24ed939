"""Where a service has its jobs."""

from __future__ import annotations

from dataclasses import dataclass

from almagest.config.environment import environment
from almagest.query.models import Job


@dataclass(frozen=True, slots=True)
class JobList:
    """The job list of one service. path: from the site's address on, e.g. `/tap/async`."""

    path: str

    @property
    def url(self) -> str:
        """Its address as users type it, without a final slash."""
        return f"{environment().site_url}{self.path}"

    def job(self, job: Job) -> str:
        """The address of one of its jobs."""
        return f"{self.url}/{job.pk}"
