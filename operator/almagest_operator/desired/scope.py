"""What every component is rendered from, and the identity that it gives to its objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.identity import ALMAGEST, COMPONENT, INSTANCE, MANAGED_BY, OPERATOR, PART, PART_OF
from almagest_operator.model.release import ArchiveRelease
from almagest_operator.model.resource import RENDER_HASH, Manifest, Resource, ResourceKey, Stage, owner_reference

LABEL_LIMIT = 63
"""Length of a DNS label and of a label value, which most names end up in: in host names, in `job-name`."""


_UNOWNED = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}


@dataclass(frozen=True)
class Part:
    """One component of an archive.

    name: what kind of part it is, e.g. `worker`: the graph, the sizes and the ServiceAccount go by it;
    component: which one, e.g. `worker-short`: its objects are named by it.
    """

    name: str
    component: str

    @classmethod
    def of(cls, name: str, which: str = "") -> Part:
        return cls(name, f"{name}-{which}" if which else name)


@dataclass(frozen=True)
class Scope:
    """One archive, the release that it wants and what the cluster has: all that rendering may look at."""

    archive: Archive
    release: ArchiveRelease
    facts: Facts

    def name(self, component: str) -> str:
        """The name of a child object: `gaia-datadb`."""
        return f"{self.archive.name}-{component}"

    def service(self, component: str) -> str:
        """The DNS name of a Service that also answers from other namespaces: `gaia-proxy.gaia-dev.svc`."""
        return f"{self.name(component)}.{self.archive.namespace}.svc"

    def selector(self, part: Part) -> dict[str, str]:
        """The labels by which a workload finds its pods; they never change."""
        return {
            PART: part.name,
            INSTANCE: self.archive.name,
            COMPONENT: part.component,
        }

    def labels(self, part: Part) -> dict[str, str]:
        """The labels of every object of a part."""
        return {**self.selector(part), PART_OF: ALMAGEST, MANAGED_BY: OPERATOR}

    def metadata(self, part: Part, name: str = "", *, owned: bool = True) -> Manifest:
        """Name, labels and owner of an object; `name` is the part's component unless given, without the archive.

        An object that is not owned outlives its Archive, unless the deletion policy gives it an owner
        (`plan.retention`). It is annotated so that Argo CD does not take it for a leftover
        (docs/decisions/instance-label.md).
        """
        metadata: Manifest = {
            "name": self.name(name or part.component),
            "namespace": self.archive.namespace,
            "labels": self.labels(part),
        }
        if not owned:
            return {**metadata, "annotations": dict(_UNOWNED)}
        owner = self._owner()
        return {**metadata, "ownerReferences": [owner]} if owner else metadata

    def _owner(self) -> Manifest | None:
        """The Archive as owner; None for a file that was never applied and so has no uid."""
        archive = self.archive
        if archive.metadata.uid is None:
            return None
        key = ResourceKey(archive.api_version, archive.kind, archive.namespace, archive.name)
        return owner_reference(key, archive.metadata.uid, controller=True)


def digest(value: object) -> str:
    """Twelve hexadecimal digits that change with a JSON value, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def resource(stage: Stage, manifest: Mapping[str, Any]) -> Resource:
    """The manifest in its stage, annotated with the digest of everything that it says."""
    plain: Manifest = json.loads(json.dumps(manifest))
    plain["metadata"].setdefault("annotations", {})[RENDER_HASH] = digest(manifest)
    return Resource(plain, stage)


def short_name(archive: str, stem: str, suffix: str) -> str:
    """`<archive>-<stem>-<suffix>` cut at the end of the stem so that it stays a DNS label."""
    room = LABEL_LIMIT - len(archive) - len(suffix) - 2
    return f"{archive}-{stem[:room].rstrip('-')}-{suffix}"
