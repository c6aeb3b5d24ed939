"""Anonymous visitors who own something.

A random cookie tells them from one another. A visitor gets it with the first thing that they create; reading sets no
cookie. The cookie is signed, and one without our signature is ignored.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from almagest.accounts.identity import Identity

COOKIE = "almagest_visitor"
SECONDS = 30 * 86_400
"""Life of the cookie from the last thing created on; nothing of a visitor's lives longer."""

_CREATED = "_almagest_visitor"


def visitor(request: HttpRequest) -> Identity | None:
    """The visitor whose cookie came with the request."""
    key = request.get_signed_cookie(COOKIE, default=None, max_age=SECONDS)
    return Identity(session=key) if key else None


def settle(request: HttpRequest, identity: Identity) -> Identity:
    """Who owns what this request creates: the identity that asks, or a new visitor where that is nobody.

    The answer brings a new visitor their cookie (`keep`).
    """
    if identity.user is not None:
        return identity
    owner = identity if identity.session else Identity(session=secrets.token_urlsafe(32))
    setattr(request, _CREATED, owner)
    return owner


def keep(request: HttpRequest, response: HttpResponseBase) -> None:
    """Put the cookie of a visitor who has created something on the answer."""
    owner: Identity | None = getattr(request, _CREATED, None)
    if owner is not None and owner.session:
        response.set_signed_cookie(
            COOKIE, owner.session, max_age=SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
