"""Sessions of those who logged in: Django's, kept in the application's database alone. It is asked for the session's
user with each request anyway, and a cache beside it would end sessions whenever it is away."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """A session; Django finds it by this name."""

    def _validate_session_key(self, key: Any) -> bool:
        """Whether it is one that Django makes; a cookie may bring anything, NUL too, which PostgreSQL refuses."""
        return bool(key and _KEY.fullmatch(key))
