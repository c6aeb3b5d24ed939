"""Response headers that hold for every page: what a browser may load, and whether robots may index."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from almagest.config.content_security import policy
from almagest.config.environment import environment

CONTENT_SECURITY_POLICY = policy()


class ResponseHeaders:
    """Adds Content-Security-Policy and Permissions-Policy, says which software answers (IVOA note SoftID), and keeps
    robots out of every site but production."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.indexed = environment().environment == "production"
        self.software = f"Almagest/{environment().release}"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The response of the inner layers with the headers that they did not set themselves."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Server", self.software)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not self.indexed:
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        return response
