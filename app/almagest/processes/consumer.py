"""Celery's consumer without the steps that an archive has no use for."""

from __future__ import annotations

from typing import ClassVar

from celery.worker.consumer import Consumer as CeleryConsumer

STEPS = ("connection:Connection", "mingle:Mingle", "heart:Heart", "tasks:Tasks", "consumer:Evloop")
"""Left out: remote control, events and gossip, which nobody listens to, and DelayedDelivery, which declares 28 queues
in the broker for tasks with an ETA as soon as one quorum queue exists. (Tasks wants Mingle, which is switched off.)"""


class Consumer(CeleryConsumer):
    """Reads tasks from the broker; named in `almagest.processes.worker`."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc, valid-type] # celery's is an attribute
        """The steps of starting and stopping, in the order of their own requirements."""

        default_steps: ClassVar[list[str]] = [f"celery.worker.consumer.{step}" for step in STEPS]
