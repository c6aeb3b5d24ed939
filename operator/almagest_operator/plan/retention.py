"""Whose the volumes are, and the Secrets without which they cannot be opened: the Archive's, or nobody's. Pure.

What has an owner is collected with it, so `spec.lifecycle.deletionPolicy` comes to an owner reference. It is settled
apart from the manifests, for whatever is there: a deletion does not ask whether the spec still wants the volume,
whether it could be carried out, or whether the archive is paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from almagest_operator.desired.secrets import STAYS
from almagest_operator.model.lifecycle import DeletionPolicy
from almagest_operator.model.resource import Manifest, ResourceKey, key_of, owner_reference
from almagest_operator.observe.live import Live


def owners(archive: Mapping[str, Any], children: Mapping[ResourceKey, Live]) -> tuple[Manifest, ...]:
    """Strategic merge patches, sorted by key, of what would not stay or go as the deletion policy says.

    archive: as the API server gives it, because its spec need not be one that can be carried out.
    """
    owner = owner_reference(key_of(archive), archive["metadata"]["uid"], controller=False)
    goes = archive["spec"].get("lifecycle", {}).get("deletionPolicy") == DeletionPolicy.DELETE
    entry = owner if goes else {"$patch": "delete", "uid": owner["uid"]}
    found = (live for _, live in sorted(children.items()) if _holds_data(live) and not live.terminating)
    return tuple(_patch(live, entry) for live in found if (owner["uid"] in live.owners) != goes)


def _holds_data(live: Live) -> bool:
    return live.key.kind == "PersistentVolumeClaim" or (live.key.kind == "Secret" and live.component in STAYS)


def _patch(live: Live, entry: Manifest) -> Manifest:
    """For this very object, and leaving alone the owners that others gave it."""
    key = live.key
    metadata = {"name": key.name, "namespace": key.namespace, "uid": live.uid, "ownerReferences": [entry]}
    return {"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata}
