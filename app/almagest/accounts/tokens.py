"""Tokens: random secrets of 256 bits that are shown once and stored as digests."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from almagest.accounts.models import Token, User

PREFIX = "almagest_"
"""How each begins, so that whoever finds one in a file knows what it is, and so do scanners for leaked secrets."""

COARSE = timedelta(hours=1)
"""How exactly the last use is recorded: a row is written so often at most."""

_SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


def issue(user: User, name: str, lifetime: timedelta | None) -> str:
    """A new token's secret, which cannot be had again; the user's expired tokens go. lifetime: None for no end."""
    user.tokens.filter(expires_at__lt=Now()).delete()
    secret = PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + lifetime if lifetime else None
    Token.objects.create(user=user, name=name, digest=_digest(secret), expires_at=expires)
    return secret


def is_token(text: str) -> bool:
    """Whether a text looks like a secret of ours, so that it is not tried as a password."""
    return _SECRET.fullmatch(text) is not None


def owner(secret: str) -> User | None:
    """The active user whose token this is, if it is in force.

    It is found by the digest in the index. How long that takes says something about digests only, which nobody can
    choose, so there is nothing to compare in constant time.
    """
    if not is_token(secret):
        return None
    in_force = Q(expires_at=None) | Q(expires_at__gt=Now())
    token = Token.objects.select_related("user").filter(in_force, digest=_digest(secret), user__is_active=True).first()
    if token is None:
        return None
    if token.used_at is None or token.used_at < timezone.now() - COARSE:
        Token.objects.filter(pk=token.pk).update(used_at=Now())
    return token.user


def revoke(secret: str) -> None:
    """Take a token out of force, if it was."""
    Token.objects.filter(digest=_digest(secret)).delete()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
