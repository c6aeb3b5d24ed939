"""The scheduler: the clock that puts periodic tasks into the queues."""

from __future__ import annotations

from almagest_operator.desired.application import APPDB, BROKER, CACHE, DJANGO, HEARTBEAT, process
from almagest_operator.desired.scope import Part, Scope
from almagest_operator.desired.workload import deployment
from almagest_operator.model.resource import Resource


def scheduler(scope: Scope) -> tuple[Resource, ...]:
    """Never two at once: each would start every task."""
    pod = process(
        scope,
        Part.of("scheduler"),
        "scheduler",
        secrets=(APPDB, BROKER, CACHE, DJANGO),
        probes=HEARTBEAT,
        files=True,
        grace=30,
    )
    return (deployment(scope, pod, overlap=False),)
