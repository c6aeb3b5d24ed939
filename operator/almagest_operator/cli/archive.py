"""An Archive as the command line sees it: found in the cluster, and reduced to what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.cli.errors import NOT_FOUND, CommandError
from almagest_operator.model.identity import COMPONENT, INSTANCE, SELECTOR
from almagest_operator.model.resource import Manifest
from almagest_operator.model.status import ArchiveStatus, Condition, ConditionStatus
from almagest_operator.observe.kinds import ARCHIVE, POD
from almagest_operator.status.conditions import DEGRADED, READY, REFUSED

FINAL = {"InvalidSpec", "MigrationFailed", "IngestFailed"}
"""Reasons of Ready=False that no waiting will mend."""


@dataclass(frozen=True)
class View:
    """What is shown of an archive, in text and in JSON alike."""

    name: str
    namespace: str
    environment: str
    generation: int
    status: ArchiveStatus

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> View:
        metadata = body["metadata"]
        status = ArchiveStatus.model_validate(body.get("status") or {})
        environment = str(body.get("spec", {}).get("environment", ""))
        return cls(metadata["name"], metadata["namespace"], environment, metadata.get("generation", 0), status)

    def condition(self, type_: str) -> Condition | None:
        return next((condition for condition in self.status.conditions if condition.type == type_), None)

    @property
    def summary(self) -> tuple[str, str]:
        """Reason and message of Ready; a judgement of an older spec does not count."""
        ready = self.condition(READY)
        if ready is None:
            return "Pending", "the operator has not looked at it yet"
        if ready.observed_generation is not None and ready.observed_generation < self.generation:
            return "Pending", "the operator has not looked at the change yet"
        return ready.reason, ready.message

    @property
    def ready(self) -> bool:
        found = self.condition(READY)
        return found is not None and found.status is ConditionStatus.TRUE and self.summary[0] != "Pending"

    @property
    def hopeless(self) -> bool:
        """Not ready, and it will not become so before somebody does something."""
        return not self.ready and self.summary[0] in FINAL

    @property
    def refusal(self) -> str:
        """Which object the API server refuses, and why, so that it is not ready; empty when it refuses none."""
        degraded = self.condition(DEGRADED)
        if degraded is None or self.ready or self.summary[0] == "Pending":
            return ""
        return f"{REFUSED}: {degraded.message}" if degraded.reason == REFUSED else ""

    def json(self) -> dict[str, Any]:
        """`ready` (bool), `release`, `endpoints.site`, `endpoints.tap`, `conditions`, `components` and the rest."""
        reason, message = self.summary
        status = self.status.model_dump(mode="json", by_alias=True)
        return {
            "name": self.name,
            "namespace": self.namespace,
            "environment": self.environment,
            "ready": self.ready,
            "reason": reason,
            "message": message,
            "release": status["release"],
            "endpoints": status["endpoints"] or {"site": None, "tap": None},
            "conditions": status["conditions"],
            "components": status["components"],
        }


async def find(client: Client, name: str, namespace: str) -> View:
    """The archive of that name. Raises CommandError with the names that are there when it is not."""
    try:
        return View.of(await client.get(ARCHIVE, name, namespace))
    except ApiError as error:
        if error.status != 404 or error.reason != "NotFound" or "could not find" in error.message:
            raise
    others = ", ".join(await names(client, namespace)) or "none"
    raise CommandError(f"there is no archive {name!r} in namespace {namespace!r} (there: {others})", NOT_FOUND)


async def names(client: Client, namespace: str) -> list[str]:
    """Names of all archives of a namespace, sorted."""
    return sorted(item["metadata"]["name"] for item in await client.all(ARCHIVE, namespace))


async def pods(client: Client, name: str, namespace: str, component: str | None = None) -> list[Manifest]:
    """The pods of an archive, or of one of its components."""
    wanted = f",{COMPONENT}={component}" if component else ""
    return await client.all(POD, namespace, labels=f"{SELECTOR},{INSTANCE}={name}{wanted}")
