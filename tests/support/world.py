"""A cluster made of projections alone: what the plan sees, and what the missing controllers would do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from almagest_operator.desired import Desired, build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ArchiveRelease
from almagest_operator.model.resource import GeneratedSecret, Manifest, Resource, ResourceKey, key_of
from almagest_operator.observe.live import Live, project
from almagest_operator.observe.look import Look
from almagest_operator.observe.readiness import READY, Readiness, State
from almagest_operator.plan import Step, owners, plan
from support.archives import archive as make_archive
from support.archives import release as make_release

WAITING = Readiness(State.WAITING, "PodsNotReady", "0 of 1 pods are ready")
FAILED = Readiness(State.FAILED, "BackoffLimitExceeded", "3 tries failed")
LIVING = {"Deployment", "StatefulSet", "Job"}
"""Kinds that a controller brings to readiness after they were applied."""


def fields(manifest: Any) -> Any:
    """The field set of a manifest as its applier owns it, lists as a whole."""
    if isinstance(manifest, Mapping) and manifest:
        return {f"f:{name}": fields(value) for name, value in manifest.items()}
    return {}


@dataclass
class World:
    """Children of one archive. `clock` gives resource versions; refused: what the API server will not have changed;
    look: what is found behind the proxy."""

    archive: Archive = field(default_factory=make_archive)
    release: ArchiveRelease = field(default_factory=make_release)
    children: dict[ResourceKey, Live] = field(default_factory=dict)
    clock: int = 0
    applied: list[ResourceKey] = field(default_factory=list)
    pruned: list[ResourceKey] = field(default_factory=list)
    refused: set[ResourceKey] = field(default_factory=set)
    look: Look | None = field(default_factory=Look)
    _built: tuple[tuple[Archive, ArchiveRelease, Facts], Desired] | None = None

    def desired(self) -> Desired:
        secrets = {live.key.name: live.fingerprints for live in self.children.values() if live.key.kind == "Secret"}
        wanted = (self.archive, self.release, Facts(secrets=secrets))
        if self._built is None or self._built[0] != wanted:
            self._built = (wanted, build(*wanted))
        return self._built[1]

    def plan(self) -> Step:
        found = self.desired()
        body = self.archive.model_dump(mode="json", by_alias=True)
        return plan(found.resources, found.secrets, self.children, self.look, owners(body, self.children))

    def carry_out(self, step: Step) -> None:
        """What the API server makes of a step's writes."""
        for patch in step.owners:
            (entry,) = patch["metadata"]["ownerReferences"]
            self.change(key_of(patch), owners=() if "$patch" in entry else (entry["uid"],))
        for secret in step.secrets:
            self._put(secret.manifest, READY, {key: f"{secret.name}/{key}" for key in secret.keys})
        for resource in step.resources:
            if resource.key in self.refused:
                continue
            old = self.children.get(resource.key)
            if resource.kind == "Job" and old is not None and old.render_hash != resource.render_hash:
                del self.children[resource.key]  # immutable: replaced in two passes
                continue
            same = old is not None and old.render_hash == resource.render_hash
            living = resource.kind in LIVING and not same
            self._put(resource.manifest, WAITING if living else old.readiness if old else READY)
        for live in step.prune:
            self.pruned.append(live.key)
            self.children.pop(live.key, None)

    def settle(self, **outcomes: Readiness) -> None:
        """Controllers bring everything to readiness, or a component to the outcome given (`-` as `_`)."""
        for key, live in self.children.items():
            if not live.readiness.ready and not live.readiness.failed:
                outcome = outcomes.get(live.component.replace("-", "_"), READY)
                self.children[key] = replace(live, readiness=outcome)

    def run(self, **outcomes: Readiness) -> Step:
        """To the fixpoint: until neither a pass nor the controllers change anything."""
        for _ in range(40):
            step = self.plan()
            before = dict(self.children)
            self.carry_out(step)
            self.settle(**outcomes)
            if before == self.children:
                return step
        raise AssertionError(f"no fixpoint after 40 passes: {self.plan()}")

    def resource(self, kind: str, component: str) -> Resource:
        """The one of that kind and component that is wanted."""
        (found,) = (r for r in self.desired().resources if (r.kind, r.component) == (kind, component))
        return found

    def live(self, kind: str, component: str) -> list[Live]:
        return [live for live in self.children.values() if (live.key.kind, live.component) == (kind, component)]

    def change(self, key: ResourceKey, **changes: Any) -> None:
        self.children[key] = replace(self.children[key], **changes)

    def _put(self, manifest: Manifest, readiness: Readiness, fingerprints: Mapping[str, str] | None = None) -> None:
        self.clock += 1
        metadata = {**manifest["metadata"], "uid": f"u{self.clock}", "resourceVersion": str(self.clock)}
        live = project({**manifest, "metadata": metadata})
        old = self.children.get(live.key)
        self.applied.append(live.key)
        self.children[live.key] = replace(
            live,
            uid=old.uid if old else live.uid,
            owners=old.owners if old else live.owners,
            fields=json.dumps(fields(manifest)),
            readiness=readiness,
            fingerprints={**(fingerprints or {}), **(old.fingerprints if old else {})},
        )


def kinds(resources: tuple[Resource, ...] | tuple[GeneratedSecret, ...]) -> set[str]:
    return {resource.key.kind for resource in resources}
