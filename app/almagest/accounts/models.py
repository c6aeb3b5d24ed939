"""The user. Ours from the first migration on, because Django cannot change the user model of a running site."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Someone who can own query jobs and tables; anonymous visitors have no row."""
