"""Messages to the workers: the broker hears "there is one job more", never which, or what the query is."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.exceptions import OperationalError

from almagest.config.absence import Absence
from almagest.query.uws.celery import app

log = logging.getLogger(__name__)

RUN = "almagest.query.run"
SWEEP = "almagest.query.uws.sweep"

CONFIRM_SECONDS = 2.0
"""How long the broker may take to say that it has a message; one that is out of memory or disk reads none."""

SWEEP_SECONDS = 10.0
"""From one sweep to the next."""

PUBLISHERS = 2
"""Threads of a process that may speak to the broker at once, so that a broker that hangs does not keep all of them."""

TURN_SECONDS = 0.2
"""How long a thread waits for its turn; a message takes some milliseconds."""

_turns = threading.BoundedSemaphore(PUBLISHERS)
_absence = Absence(seconds=5.0)


def publish(queue: str) -> bool:
    """Ask the workers of a queue to run one QUEUED job more; False when the broker does not take the message now.

    No job is lost then: the scheduler publishes again as soon as it can (`almagest.query.uws.recovery`).
    """
    if not _absence.ask() or not _turns.acquire(timeout=TURN_SECONDS):
        return False
    try:
        app.send_task(RUN, args=(queue,), queue=queue, confirm_timeout=CONFIRM_SECONDS)
    except (OperationalError, OSError) as error:
        _absence.note(answered=False)
        log.warning("the broker took no message", extra={"queue": queue, "reason": str(error)})
        return False
    finally:
        _turns.release()
    _absence.note(answered=True)
    return True


def sweep(queue: str) -> None:
    """Ask one worker of a queue to drop the results that nobody owns any more. When the next such message comes, this
    one is moot."""
    app.send_task(SWEEP, queue=queue, expires=SWEEP_SECONDS, confirm_timeout=CONFIRM_SECONDS)


def waiting(queue: str) -> int:
    """How many messages of a queue no worker has taken. Raises OperationalError or OSError when the broker is away."""
    with app.connection_for_write() as link, link.channel() as channel:
        declared: Any = app.amqp.queues[queue].bind(channel).queue_declare()
        return int(declared.message_count)
