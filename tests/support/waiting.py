"""Waiting for something with a deadline, in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(awaited: str, probe: Callable[[], T | None], *, within: float = 30, every: float = 0.1) -> T:
    """Poll `probe` until it returns something true; the AssertionError says what was awaited and the last error."""
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
