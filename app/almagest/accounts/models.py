"""The user, and the tokens that stand for one. The user is ours from the first migration on, because Django cannot
change the user model of a running site."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now


class User(AbstractUser):
    """Someone who can own query jobs and tables; anonymous visitors have no row."""


class Token(models.Model):
    """A secret that programs show instead of a password. It lets its user query and keep tables; it changes no account.

    digest: SHA-256 of the secret, which is not stored; it is random, so it needs no salt and no slow hash. name: what
    the user calls it; used_at: when it was last shown, to the hour; expires_at: None for never.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"
