"""How many wrong credentials are taken before the next ones are not even looked at.

Counted in the cache, so that all processes count together. Without a cache nothing is counted: a server that is away
must not lock everybody out, and each attempt still costs a slow hash.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

from django.core.cache import cache
from redis.exceptions import RedisError

from almagest.accounts.errors import TooManyAttemptsError
from almagest.config.absence import Absence

log = logging.getLogger(__name__)

WINDOW = 300
"""Seconds that a failure counts, from the first of its kind on."""

LIMITS = {"user from address": 10, "address": 50, "user": 200}
"""Failures in a window. A name alone has room for its owner to err while somebody else attacks it from one address."""

_absence = Absence(seconds=5.0)


def check(user: str, address: str) -> None:
    """Raise TooManyAttemptsError when there were too many failures for this name or from this address."""
    if not _absence.ask():
        return
    try:
        counts = cache.get_many([key for key, _ in _keys(user, address)])
    except RedisError as error:
        _absence.note(answered=False)
        log.warning("failures to log in cannot be counted", extra={"reason": str(error)})
        return
    _absence.note(answered=True)
    if any(counts.get(key, 0) >= limit for key, limit in _keys(user, address)):
        raise TooManyAttemptsError(f"too many wrong names or passwords; try again in {WINDOW // 60} minutes", WINDOW)


def count(user: str, address: str) -> None:
    """Count one failure."""
    if not _absence.ask():
        return
    try:
        for key, _ in _keys(user, address):
            if not cache.add(key, 1, WINDOW):
                cache.incr(key)
    except ValueError:
        log.info("a failure to log in was not counted: its window ended at that moment")
    except RedisError as error:
        _absence.note(answered=False)
        log.warning("a failure to log in was not counted", extra={"reason": str(error)})


def seen(kind: str, subject: str, window: int) -> int:
    """Count one of a kind for a subject; how many there were in this window of so many seconds, with this one. 0 when
    nothing can be counted."""
    if not _absence.ask():
        return 0
    digest = hashlib.sha256(f"{kind}\0{subject}".encode()).hexdigest()
    key = f"accounts.seen.{digest}"
    try:
        try:
            count = cache.incr(key)
        except ValueError:
            cache.add(key, 1, window)
            count = 1
    except RedisError as error:
        _absence.note(answered=False)
        log.warning("requests cannot be counted", extra={"reason": str(error)})
        return 0
    _absence.note(answered=True)
    return int(count)


def _keys(user: str, address: str) -> Iterator[tuple[str, int]]:
    subjects = {"user from address": f"{user}\0{address}", "address": address, "user": user}
    for kind, limit in LIMITS.items():
        digest = hashlib.sha256(f"{kind}\0{subjects[kind]}".encode()).hexdigest()
        yield f"accounts.failures.{digest}", limit
