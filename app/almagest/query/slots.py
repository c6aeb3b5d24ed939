"""How many requests of this process may take long at once: running queries, sending results, waiting for jobs.

A request holds a thread of the web server until it is done. A few threads are therefore kept for those that never take
long, so that pages, probes and polls are answered however busy the queries are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from almagest.config.environment import environment

KEPT_FREE = 2
"""Threads for requests that take no slot."""


def capacity() -> int:
    """Slots of this process."""
    return max(1, environment().web_threads - KEPT_FREE)


@contextmanager
def slot(seconds: float) -> Iterator[bool]:
    """Hold a slot during the block, which is told whether one came free within so many seconds."""
    got = _slots().acquire(timeout=seconds)
    try:
        yield got
    finally:
        if got:
            _slots().release()


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(capacity())
