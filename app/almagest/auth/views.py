"""`/auth/…`: where programs of the VO get a token or a session for a name and a password, and end both."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.contrib.auth import login as begin_session
from django.contrib.auth import logout as end_session
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from almagest.accounts import passwords, tokens
from almagest.accounts.authentication import address, identify, require_own_site, token
from almagest.accounts.errors import AccountError, ForgedRequestError, UnreadableError
from almagest.dali.problem import finished, problem, text

TOKEN_LIFE = timedelta(hours=12)
"""Life of a token that a program fetches with a password, which it can do again."""

_TEXT = "text/plain; charset=utf-8"


@csrf_exempt
@never_cache
@require_POST
def login(request: HttpRequest) -> HttpResponse:
    """`/auth/login` (`ivo://ivoa.net/sso#tls-with-password`): username and password, for a token in `x-vo-bearer` and
    a session cookie.

    A page of another site gets no cookie set: it would log its reader in as somebody else.
    """
    try:
        sent = request.POST
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        return _refused(request, UnreadableError("the form cannot be read"))
    try:
        user = passwords.user(sent.get("username", ""), sent.get("password", ""), address(request))
    except AccountError as error:
        return _refused(request, error)
    response = HttpResponse(f"{user.username}\n", content_type=_TEXT)
    response.headers["x-vo-bearer"] = tokens.issue(user, "login", TOKEN_LIFE)
    with suppress(ForgedRequestError):
        require_own_site(request)
        begin_session(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return response


@csrf_exempt
@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """`/auth/logout`: end the session whose cookie came, and take the token out of force that came. Other tokens and
    sessions of the user stay; who is logged in nowhere is so afterwards too."""
    try:
        identify(request)
        if request.session.session_key:
            require_own_site(request)
        secret = token(request)
    except AccountError as error:
        return _refused(request, error)
    if secret:
        tokens.revoke(secret)
    if request.session.session_key:
        end_session(request)
    return HttpResponse("logged out\n", content_type=_TEXT)


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    told = problem(error, request.path)
    return finished(text(told), told)
