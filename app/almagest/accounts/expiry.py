"""What is over by itself: sessions and tokens past their time, which nobody asks for again."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.db.models.functions import Now

from almagest.accounts.models import Token


def clear() -> None:
    """Forget them; they are refused already."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    Token.objects.filter(expires_at__lt=Now()).delete()
