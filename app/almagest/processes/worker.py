"""`almagest-app worker`: Celery on one of our queues, with our logging and a heartbeat."""

from __future__ import annotations

import socket
from typing import Any

from celery import signals

from almagest.config.environment import ConfigurationError, queues
from almagest.processes.heartbeat import ConsumerHeartbeat
from almagest.query.uws.celery import app


def worker(queue: str) -> int:
    """Consume one queue until SIGTERM; returns the exit code. Raises ConfigurationError when there is no such queue.

    One process at a time runs a query: a queue gets more by more pods, whose memory Kubernetes then counts.
    """
    known = [entry.name for entry in queues()]
    if queue not in known:
        raise ConfigurationError(f"there is no queue {queue!r} in queues.json; it has {', '.join(known) or 'none'}")
    signals.setup_logging.connect(_keep_logging)
    app.conf.worker_consumer = "almagest.processes.consumer:Consumer"
    app.steps["consumer"].add(ConsumerHeartbeat)
    running = app.Worker(
        queues=[queue],
        hostname=f"{queue}@{socket.gethostname()}",
        concurrency=1,
        pool="prefork",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    running.start()
    return int(running.exitcode or 0)


def _keep_logging(**_: Any) -> None:
    """Celery configures no logging when something listens to this signal; Django's settings have done it already."""
