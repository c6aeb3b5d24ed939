"""The file that says "this process does its work": `/run/almagest/heartbeat`, touched every ten seconds.

What touches it is the loop that does the work, not a thread beside it. A worker's consumer touches it from its event
loop while it has a channel to the broker; when the loop hangs or the broker is lost and not found again, the file grows
old and the kubelet's probe restarts the pod. A query that runs for an hour does not stop it: queries run in the pool's
processes. The scheduler touches it in each round of its loop (`almagest.processes.scheduler`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import bootsteps

from almagest.config.environment import environment

SECONDS = 10.0


def heartbeat() -> Path:
    """Where the probe looks."""
    return environment().run_dir / "heartbeat"


class ConsumerHeartbeat(bootsteps.StartStopStep):
    """A step of the consumer's blueprint: started with each connection to the broker, stopped when that is lost."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        super().__init__(consumer)
        self.entry: Any = None

    def start(self, consumer: Any) -> None:
        """The consumer reads its queue from here on."""
        heartbeat().touch()
        self.entry = consumer.timer.call_repeatedly(SECONDS, heartbeat().touch)

    def stop(self, _: Any) -> None:
        """The connection is gone; until the next one the file grows old."""
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None
