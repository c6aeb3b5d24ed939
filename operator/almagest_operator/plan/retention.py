"""Who owns the volumes and the Secrets that open them: the Archive, or nobody. Pure.

The garbage collector deletes with the Archive what the Archive owns, so `spec.lifecycle.deletionPolicy` is carried out
as an owner reference. It is settled apart from the manifests and for every volume that is there, because a deletion
takes no account of whether the spec still wants the volume, can be carried out, or is paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from almagest_operator.desired.secrets import STAYS
from almagest_operator.model.lifecycle import DeletionPolicy
from almagest_operator.model.resource import Manifest, ResourceKey, key_of, owner_reference
from almagest_operator.observe.live import Live


def owners(archive: Mapping[str, Any], children: Mapping[ResourceKey, Live]) -> tuple[Manifest, ...]:
    """Strategic merge patches, sorted by key, for the objects whose owners do not follow the deletion policy.

    archive: as the API server gives it, because its spec may be one that cannot be carried out.
    """
    owner = owner_reference(key_of(archive), archive["metadata"]["uid"], controller=False)
    goes = archive["spec"].get("lifecycle", {}).get("deletionPolicy") == DeletionPolicy.DELETE
    entry = owner if goes else {"$patch": "delete", "uid": owner["uid"]}
    found = (live for _, live in sorted(children.items()) if _holds_data(live) and not live.terminating)
    return tuple(_patch(live, entry) for live in found if (owner["uid"] in live.owners) != goes)


def _holds_data(live: Live) -> bool:
    return live.key.kind == "PersistentVolumeClaim" or (live.key.kind == "Secret" and live.component in STAYS)


def _patch(live: Live, entry: Manifest) -> Manifest:
    """A patch for the object of this uid that leaves alone the owners that others gave it."""
    key = live.key
    metadata = {"name": key.name, "namespace": key.namespace, "uid": live.uid, "ownerReferences": [entry]}
    return {"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata}
