"""Who asks the API: as every other face finds out (`almagest.accounts.authentication`)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from almagest.accounts import visitors
from almagest.accounts.authentication import identify
from almagest.accounts.identity import Identity
from almagest.dali import face


class Authentication(BaseAuthentication):
    """A token, a password, the session of a page, or a visitor's cookie; nobody where none of them came.

    It raises AccountError for wrong credentials, and for a session's cookie that a page of another site made a browser
    send, before anything is done.
    """

    def authenticate(self, request: Request) -> tuple[Identity, None]:
        """The identity, as `request.user`; there is always one."""
        return asker(request), None


class Schemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # found by drf-spectacular through its base class
    """The ways to log in, for the OpenAPI document."""

    target_class = Authentication
    name = ["token", "password", "session", "visitor"]  # noqa: RUF012 - as the framework declares it

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:  # noqa: ARG002 - the framework passes it
        """Of each name, in the order of `name`."""
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "http", "scheme": "basic"},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
            {"type": "apiKey", "in": "cookie", "name": visitors.COOKIE},
        ]


def asker(request: Request) -> Identity:
    """Who asks. Raises AccountError."""
    return identify(plain(request))


def creator(request: Request) -> Identity:
    """Whose it is what this request creates (`almagest.dali.face.creator`)."""
    return face.creator(plain(request))


def plain(request: Request) -> HttpRequest:
    """Django's request inside that of the REST framework."""
    return request._request  # noqa: SLF001 - it has no other name
