"""The cluster as one archive's reconcile meets it: seen through the store, changed through the engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.apply.engine import Applied, Engine
from almagest_operator.model.identity import FIELD_MANAGER, STATUS_MANAGER
from almagest_operator.model.status import ArchiveStatus
from almagest_operator.observe.kinds import ARCHIVE, EVENT
from almagest_operator.observe.store import Key, Observed, Store
from almagest_operator.plan.stages import Step
from almagest_operator.status.events import events, transitions

log = logging.getLogger(__name__)


@dataclass
class Cluster:
    """instance: the name by which this operator signs its Events."""

    client: Client
    store: Store
    engine: Engine
    instance: str

    def observe(self, key: Key) -> Observed:
        return self.store.observe(key)

    async def apply(self, observed: Observed, step: Step) -> Applied:
        """Carry out a step's writes; their answers are what the next pass sees."""
        applied = await self.engine.carry_out(step, dict(observed.children))
        for live in applied.written:
            self.store.remember(observed.key, live)
        return applied

    async def report(self, observed: Observed, status: ArchiveStatus, now: datetime) -> None:
        """Write the status if it differs from the one seen, then tell its transitions as Events."""
        body = observed.archive
        if body is None or status == (before := seen_status(body)):
            return
        uid = body["metadata"]["uid"]  # an archive of that name that was made since is not the one that was judged
        manifest = {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "metadata": {"name": observed.key.name, "namespace": observed.key.namespace, "uid": uid},
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        try:
            answer = await self.client.apply(ARCHIVE, manifest, STATUS_MANAGER, "status")
        except ApiError as error:
            if error.status == 404:  # deleted meanwhile: nobody is left to be told
                return
            raise
        self.store.remember_archive(observed.key, answer)
        changes = transitions(before, status)
        for change in changes:
            log.info("%s is %s: %s", change.type, change.status, change.reason, extra={"detail": change.message})
        for event in events(body, changes, self.instance, now):
            await self._tell(event)

    async def _tell(self, event: dict[str, Any]) -> None:
        """An Event that cannot be told must not keep an archive from being served."""
        try:
            await self.client.create(EVENT, event, FIELD_MANAGER)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                log.warning("event not told: %s", error)


def seen_status(body: Mapping[str, Any]) -> ArchiveStatus:
    """The status that an object carries, in the order in which ours are written."""
    found = ArchiveStatus.model_validate(body.get("status") or {})
    return found.model_copy(
        update={
            "conditions": tuple(sorted(found.conditions, key=lambda condition: condition.type)),
            "components": tuple(sorted(found.components, key=lambda component: component.name)),
        }
    )
