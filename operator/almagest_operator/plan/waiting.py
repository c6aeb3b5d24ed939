"""An object of the desired state that is not ready, and why."""

from __future__ import annotations

from dataclasses import dataclass

from almagest_operator.model.resource import ResourceKey, Stage
from almagest_operator.observe.readiness import Readiness

RESIZING = "Resizing"
"""The reason of a volume that serves as it is while its size changes."""

NOT_SERVED, IMPAIRED = "NotServed", "Impaired"
"""The reasons of what was found behind the proxy: pages and queries are not answered; they are, but not all is well."""


@dataclass(frozen=True)
class Waiting:
    """component, part: as of a Resource; readiness: never ready."""

    key: ResourceKey
    component: str
    part: str
    stage: Stage
    readiness: Readiness

    @property
    def blocks(self) -> bool:
        """Whether anything waits for it: for no data set, and for no volume to grow, as its class may forbid it."""
        return self.stage.blocks and self.readiness.reason != RESIZING

    def __str__(self) -> str:
        return f"{self.key.kind} {self.key.name}: {self.readiness.message}"
