"""Remembering that a server does not answer, so that not every request finds it out for itself."""

from __future__ import annotations

import threading
import time


class Absence:
    """A server that requests can do without. While it is away, one of them in every `seconds` tries again, and the
    others go on without at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._again = 0.0
        self._away = False
        self._lock = threading.Lock()

    def ask(self) -> bool:
        """Whether the server is to be asked now; False when others know already that it is away."""
        with self._lock:
            if not self._away:
                return True
            now = time.monotonic()
            if now < self._again:
                return False
            self._again = now + self._seconds
            return True

    def note(self, *, answered: bool) -> None:
        """How it went for whoever asked."""
        with self._lock:
            self._away = not answered
            self._again = time.monotonic() + self._seconds
