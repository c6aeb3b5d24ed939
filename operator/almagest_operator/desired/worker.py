"""The workers: one Deployment a queue, because a queue is a promise about time."""

from __future__ import annotations

from almagest_operator.desired.application import APPDB, BROKER, CACHE, DJANGO, HEARTBEAT, JOB, QUERY, process
from almagest_operator.desired.scope import Part, Scope
from almagest_operator.desired.sizes import GRACE
from almagest_operator.desired.workload import deployment, disruption_budget
from almagest_operator.model.base import seconds
from almagest_operator.model.resource import Resource
from almagest_operator.model.worker import Queue


def workers(scope: Scope) -> tuple[Resource, ...]:
    """The Deployments of all queues."""
    return tuple(found for queue in scope.archive.spec.queues for found in worker(scope, queue))


def worker(scope: Scope, queue: Queue) -> tuple[Resource, ...]:
    """The workers of one queue. A worker that is told to go may finish its query, within the environment's patience."""
    part = Part.of("worker", queue.name)
    pod = process(
        scope,
        part,
        "worker",
        queue.name,
        secrets=(APPDB, QUERY, JOB, BROKER, CACHE, DJANGO),
        wanted=queue.resources,
        probes=HEARTBEAT,
        grace=min(seconds(queue.timeout), GRACE[scope.archive.spec.environment]) + 30,
        replicas=queue.workers,
    )
    return deployment(scope, pod), *disruption_budget(scope, part, queue.workers)
