"""One child object of an archive: its manifest, its identity, and the stage of the roll-out that it belongs to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from almagest_operator.model.identity import COMPONENT, PART

Manifest = dict[str, Any]
"""A Kubernetes object as plain JSON values."""

GROUP = "almagest.science"
RENDER_HASH = f"{GROUP}/render-hash"
"""Annotation on every child object but Secrets: the digest of everything else in its manifest."""


class Stage(enum.IntEnum):
    """The order of a roll-out. An object waits for those of earlier stages that its part depends on (`plan.gates`).

    Services, and with them the assigned NodePort, belong to FOUNDATIONS, so that every address is known before the
    first pod is rendered with it. INGEST follows MIGRATION and runs beside the rest: it blocks nothing. SMOKE holds
    no objects; it is the operator's own look at the finished archive.
    """

    SECRETS = 10
    FOUNDATIONS = 20
    DATA = 30
    MIGRATION = 40
    INGEST = 45
    WORKLOADS = 50
    ROUTES = 60
    SMOKE = 70

    @property
    def blocks(self) -> bool:
        """Whether anything in later stages waits for this one."""
        return self is not Stage.INGEST


class ResourceKey(NamedTuple):
    """What makes an object the same object in the API server."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def key_of(manifest: Mapping[str, Any]) -> ResourceKey:
    """Identity of any manifest; the namespace of a cluster-scoped one is the empty string."""
    metadata = manifest["metadata"]
    return ResourceKey(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def owner_reference(owner: ResourceKey, uid: str, *, controller: bool) -> Manifest:
    """What makes an object go with its owner, which must be in the same namespace.

    controller: whether the object is the owner's alone to manage; the API server refuses it a second such owner.
    """
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": uid,
        "controller": controller,
        "blockOwnerDeletion": True,
    }


@dataclass(frozen=True)
class Resource:
    """One manifest of the desired state, to be applied as it stands.

    The name of a Job carries the hash of all that it depends on. A Job that succeeded is therefore never applied
    again, and one that runs is left to its end. One that neither runs nor succeeded and whose render hash differs is
    replaced, because Jobs are immutable.
    """

    manifest: Manifest
    stage: Stage

    @property
    def key(self) -> ResourceKey:
        return key_of(self.manifest)

    @property
    def kind(self) -> str:
        return self.key.kind

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def component(self) -> str:
        """Which part it belongs to, e.g. `worker-short`."""
        component: str = self.manifest["metadata"]["labels"][COMPONENT]
        return component

    @property
    def part(self) -> str:
        """The value of `app.kubernetes.io/name`, e.g. `worker`: the node of the graph that it belongs to."""
        part: str = self.manifest["metadata"]["labels"][PART]
        return part

    @property
    def render_hash(self) -> str:
        digest: str = self.manifest["metadata"]["annotations"][RENDER_HASH]
        return digest


@dataclass(frozen=True)
class GeneratedSecret:
    """A Secret whose values are drawn at the edge, once.

    Created when missing; a missing key is added; a value that exists is never overwritten, so a person may put their
    own there beforehand. `manifest` is the Secret without data: names, labels, owner. keys: key → length of its value
    in characters, letters and digits only, so that it needs no quoting in any configuration file or URL.
    """

    manifest: Manifest
    keys: Mapping[str, int]

    @property
    def key(self) -> ResourceKey:
        return key_of(self.manifest)

    @property
    def name(self) -> str:
        return self.key.name
