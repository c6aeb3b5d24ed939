"""How long a step still takes, from its own speed so far: what it says of its progress ends in `(57 %)`."""

from __future__ import annotations

import re

PERCENT = re.compile(r"\((\d+(?:\.\d+)?) %\)$")
ENOUGH = 10.0
"""Seconds of progress before anything is said: the first few would promise anything."""


def percent(done: float, total: float) -> str:
    """As a line of progress ends; never 100 before the end."""
    return f"({min(99.9, 100 * done / total) if total else 0:.1f} %)"


def in_words(seconds: float) -> str:
    if seconds < 50:
        return f"{max(5, round(seconds / 5) * 5)} s"
    return f"{max(1, round(seconds / 60))} min"


class Pace:
    """The speed since it was first asked: a step may have begun long before anybody watched it."""

    def __init__(self) -> None:
        self.first: tuple[float, float] | None = None
        self.last: tuple[float, float] | None = None

    def left(self, line: str, now: float) -> float | None:
        """Seconds until a step is done that said this line last.

        None when the line does not tell, while it is too early to tell, and when the step took longer than was told.
        """
        found = PERCENT.search(line)
        if not found:
            return None
        here = float(found[1])
        if self.first is None:
            self.first = (now, here)
        began, start = self.first
        if here <= start or now - began < ENOUGH:
            return None
        if self.last is None or self.last[1] != here:
            self.last = (now, here)
        until = self.last[0] + (self.last[0] - began) / (here - start) * (100 - here)
        return until - now if until > now else None
