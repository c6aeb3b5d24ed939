"""Waiting for something with a deadline, in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 4
"""How many times as long as on an idle machine of today things may take, before they count as never: the machine may be
slower, and others may work on it."""


def eventually(
    awaited: str, probe: Callable[[], T | None], *, within: float = 30, every: float = 0.1, patient: bool = True
) -> T:
    """Poll `probe` until it returns something true; the AssertionError says what was awaited and the last error.

    within: seconds on an idle machine; patient: False where what is wrong would come right by itself a little later.
    """
    within *= PATIENCE if patient else 1
    deadline = time.monotonic() + within
    last: Exception | None = None
    while time.monotonic() < deadline:
        try:
            if result := probe():
                return result
        except Exception as error:  # a probe may fail for as long as the thing is not there yet
            last = error
        time.sleep(every)
    raise AssertionError(f"waited {within:g} s in vain for: {awaited}" + (f" (last error: {last})" if last else ""))
