"""How often one asker may ask: enough for a person at work or a patient program, too little for a runaway loop.

Counted in the cache, so that all processes count together. Without a cache nothing is refused.
"""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from almagest.accounts import throttle
from almagest.accounts.authentication import address
from almagest.api.authentication import asker, plain

WINDOW = 60
"""Seconds in which requests are counted, from the first on."""

REQUESTS = 1200
"""Of one user, or one visitor, or one address of those who are nobody: 20 a second."""

ADDRESS_REQUESTS = 6000
"""Of one address, behind which a whole institute may be."""

RESOLVED = 120
"""Names of objects that one asker has looked up: they may go to somebody else's service."""


class Throttle(BaseThrottle):
    """All requests together."""

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the framework passes it
        """Whether this one may be answered. Wrong credentials are counted where they are judged."""
        source = address(plain(request))
        if throttle.seen("api address", source, WINDOW) > ADDRESS_REQUESTS:
            return False
        return throttle.seen("api", asker(request).owner or source, WINDOW) <= REQUESTS

    def wait(self) -> float:
        """Seconds until the window has surely ended."""
        return WINDOW


class ResolveThrottle(Throttle):
    """Names of objects."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """As the class of all requests, and with a number of its own."""
        if not super().allow_request(request, view):
            return False
        subject = asker(request).owner or address(plain(request))
        return throttle.seen("api resolve", subject, WINDOW) <= RESOLVED
