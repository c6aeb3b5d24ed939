"""Which of what is not ready an object has to wait for: the dependency graph, not the order of stages, decides. Pure.

So what ails WordPress, its database, the cache or the broker keeps nothing from being healed that does not need it.
"""

from __future__ import annotations

from almagest_operator.desired import graph
from almagest_operator.model.resource import Resource, Stage
from almagest_operator.observe.live import Live
from almagest_operator.plan.waiting import Waiting


def holds(waiting: Waiting, resource: Resource) -> bool:
    """Whether `resource` must not be applied before what is waited for is ready."""
    if not waiting.blocks or waiting.stage >= resource.stage or resource.stage <= Stage.FOUNDATIONS:
        return False
    if waiting.stage <= Stage.FOUNDATIONS:
        return waiting.part in graph.made_with(resource.part)
    if resource.stage is Stage.ROUTES:
        return waiting.part in graph.SITE
    return waiting.part in graph.starts_after(resource.part)


def keeps(waiting: Waiting, live: Live) -> bool:
    """Whether an object that nobody wants any more may still be used by what is waited for."""
    return waiting.blocks and waiting.stage <= Stage.WORKLOADS and waiting.part in graph.users(live.part)
