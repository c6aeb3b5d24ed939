"""The scheduler's loop: what has to happen every few seconds even when no worker is free to do it."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable

from celery.exceptions import OperationalError
from django.db import Error as DatabaseError
from django.db import close_old_connections

from almagest.accounts import expiry
from almagest.config.environment import queues
from almagest.processes.heartbeat import heartbeat
from almagest.query.uws import dispatch, recovery

log = logging.getLogger(__name__)

RECOVER_SECONDS = 5.0


def run() -> int:
    """Recover lost jobs, expire what is old and order sweeps until SIGTERM or SIGINT; returns the exit code."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cleaned = time.monotonic()
    while not stop.is_set():
        _attempt(recovery.recover)
        if time.monotonic() - cleaned >= dispatch.SWEEP_SECONDS:
            cleaned = time.monotonic()
            _attempt(_clean)
        heartbeat().touch()
        stop.wait(RECOVER_SECONDS)
    return 0


def _clean() -> None:
    expiry.clear()
    recovery.expire()
    recovery.trim()
    dispatch.sweep(queues()[0].name)


def _attempt(step: Callable[[], None]) -> None:
    """Do it, or leave it to the next round when a server is away."""
    try:
        step()
    except (DatabaseError, OperationalError, OSError) as error:
        log.warning("a server is away; trying again", extra={"step": step.__name__, "reason": str(error)})
    finally:
        close_old_connections()
