"""From a request to an identity: who asks, and how that was proved.

In this order: the Authorization header (Basic with a password or a token; Bearer or Token with a token), the session of
somebody who logged in, the cookie of an anonymous visitor, nobody. Credentials that were sent and are wrong are an
error and never "nobody": a program that gives an outdated token has to hear of it.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, urlsplit

from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponseBase

from almagest.accounts import passwords, tokens, visitors
from almagest.accounts.errors import AccountError, ForgedRequestError, TooManyAttemptsError, WrongCredentialsError
from almagest.accounts.identity import NOBODY, Identity
from almagest.accounts.models import User
from almagest.config.environment import environment

SECURITY = ("ivo://ivoa.net/sso#BasicAA", "ivo://ivoa.net/sso#cookie")
"""Identifiers of the ways to log in (SSO 2.0 §3) for services' capabilities; tokens have none yet, and are announced in
WWW-Authenticate."""

SAFE = ("GET", "HEAD", "OPTIONS")
_IDENTITY = "_almagest_identity"


def identify(request: HttpRequest) -> Identity:
    """Who asks; decided once a request. Raises AccountError when the credentials that were sent are wrong."""
    identity: Identity | None = getattr(request, _IDENTITY, None)
    if identity is None:
        identity = _identify(request)
        setattr(request, _IDENTITY, identity)
    return identity


def identified(request: HttpRequest) -> Identity | None:
    """Who asks, if that was decided for this request; it costs nothing and raises nothing."""
    identity: Identity | None = getattr(request, _IDENTITY, None)
    return identity


def recall(user: int) -> Identity | None:
    """The present identity of an active user, for what is done later on their behalf; None when the user is gone."""
    found = User.objects.filter(pk=user, is_active=True).first()
    return of(found) if found else None


def of(user: User) -> Identity:
    """The identity of a user, with their present groups."""
    return Identity(user=user.pk, name=user.username, groups=frozenset(user.groups.values_list("pk", flat=True)))


def address(request: HttpRequest) -> str:
    """Where the request came from, as the proxy saw it; the proxy passes no such header from outside."""
    return str(request.META.get("HTTP_X_REAL_IP") or request.META.get("REMOTE_ADDR", ""))


def require_own_site(request: HttpRequest) -> None:
    """Raise ForgedRequestError when a browser sent this at the wish of another site's page.

    Every browser says so in Sec-Fetch-Site or Origin; programs that keep cookies say neither, and no page drives them.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin") or request.headers.get("Referer")
        own = origin is None or _origin(origin) == _origin(environment().site_url)
    if not own:
        raise ForgedRequestError("a page of another site may not do this with your session here; use a token")


def token(request: HttpRequest) -> str | None:
    """The secret of the token in the request's Authorization header, or None where it has no token."""
    scheme, _, value = request.headers.get("Authorization", "").strip().partition(" ")
    match scheme.lower():
        case "basic":
            _, value = _basic(value.strip())
            return value if tokens.is_token(value) else None
        case "bearer" | "token":
            return value.strip()
    return None


def challenges() -> str:
    """WWW-Authenticate: every way to log in, as SSO 2.0 and its drafts name them."""
    login = f'standard_id="ivo://ivoa.net/sso#tls-with-password", access_url="{environment().site_url}/auth/login"'
    return f'Basic realm="{environment().archive}", ivoa_bearer {login}, ivoa_cookie {login}'


def sign(response: HttpResponseBase, identity: Identity) -> None:
    """Tell the client as whom it was answered, and how it could log in where it was refused."""
    if identity.user is not None:
        response.headers["X-VO-Authenticated"] = quote(identity.name, safe="@.+-_")
    elif response.status_code in (401, 403):
        response.headers["WWW-Authenticate"] = challenges()


def refuse(response: HttpResponseBase, error: AccountError) -> None:
    """Give the answer to wrong credentials its headers."""
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, WrongCredentialsError):
        response.headers["WWW-Authenticate"] = challenges()


def _identify(request: HttpRequest) -> Identity:
    header = request.headers.get("Authorization")
    if header is not None:
        return of(_shown(header, address(request)))
    user = get_user(request) if request.session.session_key else None
    if isinstance(user, User):
        if request.method not in SAFE:
            require_own_site(request)
        return of(user)
    return visitors.visitor(request) or NOBODY


def _shown(header: str, address: str) -> User:
    """The user whose credentials stand in an Authorization header."""
    scheme, _, value = header.strip().partition(" ")
    match scheme.lower():
        case "basic":
            name, password = _basic(value.strip())
            if not tokens.is_token(password):
                return passwords.user(name, password, address)
            return _by_token(password, name)
        case "bearer" | "token":
            return _by_token(value.strip())
        case _:
            raise WrongCredentialsError("this way to log in is unknown here; use Basic, or Bearer with a token")


def _by_token(secret: str, name: str = "") -> User:
    """The token's user. name: the user name sent with the token, empty or the token's own."""
    found = tokens.owner(secret)
    if found is None or name not in ("", found.username):
        raise WrongCredentialsError("the token is unknown, expired or revoked")
    return found


def _basic(value: str) -> tuple[str, str]:
    """User name and password of RFC 7617, in UTF-8."""
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError as error:
        raise WrongCredentialsError("the Authorization header cannot be read") from error
    if not colon:
        raise WrongCredentialsError("the Authorization header cannot be read")
    return name, password


def _origin(url: str) -> tuple[str, str]:
    """Scheme and host; what is no address has neither, and so is nobody's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc
