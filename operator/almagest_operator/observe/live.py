"""An object as it is in the cluster, reduced to what decisions need, so that an index of these stays small.

No value of a Secret is kept, only its fingerprint; no body at all, except an Archive's own.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from almagest_operator.model.facts import fingerprint
from almagest_operator.model.identity import COMPONENT, FIELD_MANAGER, INSTANCE, PART
from almagest_operator.model.resource import RENDER_HASH, ResourceKey, key_of
from almagest_operator.observe.ownership import covers, owned_fields
from almagest_operator.observe.pods import lacks_image, trouble
from almagest_operator.observe.readiness import READY, Readiness, readiness

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Live:
    """One child object.

    archive, component, part: from its labels; render_hash: of the manifest that was applied last; fields: JSON of the
    field set that this operator owns; owners: uids of those with whom it goes; terminating: deleted, but still there;
    fingerprints: of a Secret's values by key; node_port, address: of a Service; claim: storage request of a
    StatefulSet's first volume claim template; config_maps: names of those that a workload's pods read.
    """

    key: ResourceKey
    uid: str
    resource_version: str
    archive: str
    component: str
    part: str = ""
    render_hash: str = ""
    fields: str = "{}"
    owners: tuple[str, ...] = ()
    readiness: Readiness = READY
    terminating: bool = False
    replicas: int | None = None
    ready_replicas: int | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    node_port: int | None = None
    address: str | None = None
    claim: str | None = None
    config_maps: tuple[str, ...] = ()

    def holds(self, manifest: Body) -> bool:
        """Whether an apply of `manifest`, whose render hash this object carries, would change nothing."""
        return covers(json.loads(self.fields), manifest)


@dataclass(frozen=True)
class LivePod:
    """A pod of an archive, of which only its trouble matters: empty when it runs or is on its way.

    lacks_image: whether the trouble is an image that the node did not get.
    """

    namespace: str
    name: str
    archive: str
    component: str
    trouble: str
    lacks_image: bool = False


def project(body: Body) -> Live:
    """Reduce a child object, with `apiVersion` and `kind` filled in, to its projection."""
    metadata, spec, status = body["metadata"], body.get("spec", {}), body.get("status", {})
    labels = metadata.get("labels") or {}
    scaled = body["kind"] in {"Deployment", "StatefulSet"}
    return Live(
        key=key_of(body),
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        archive=labels.get(INSTANCE, ""),
        component=labels.get(COMPONENT, ""),
        part=sys.intern(labels.get(PART, "")),
        render_hash=(metadata.get("annotations") or {}).get(RENDER_HASH, ""),
        # The same component of a hundred archives owns the same fields: one string for all of them.
        fields=sys.intern(json.dumps(owned_fields(body, FIELD_MANAGER), sort_keys=True)),
        owners=tuple(owner["uid"] for owner in metadata.get("ownerReferences") or ()),
        readiness=readiness(body),
        terminating="deletionTimestamp" in metadata,
        replicas=spec.get("replicas", 1) if scaled else None,
        ready_replicas=status.get("readyReplicas", 0) if scaled else None,
        fingerprints=_fingerprints(body) if body["kind"] == "Secret" else {},
        node_port=_node_port(spec) if body["kind"] == "Service" else None,
        address=spec.get("clusterIP") if body["kind"] == "Service" else None,
        claim=_claim(spec) if body["kind"] == "StatefulSet" else None,
        config_maps=_config_maps(spec) if body["kind"] in {"Deployment", "StatefulSet", "Job"} else (),
    )


def project_pod(body: Body) -> LivePod:
    metadata = body["metadata"]
    labels = metadata.get("labels") or {}
    return LivePod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        archive=labels.get(INSTANCE, ""),
        component=labels.get(COMPONENT, ""),
        trouble=trouble(body),
        lacks_image=lacks_image(body),
    )


def _fingerprints(secret: Body) -> Mapping[str, str]:
    uid, name = secret["metadata"]["uid"], secret["metadata"]["name"]
    data = secret.get("data") or {}
    return {key: fingerprint(uid, name, key, b64decode(value)) for key, value in sorted(data.items())}


def _node_port(spec: Body) -> int | None:
    numbers: list[int] = [port["nodePort"] for port in spec.get("ports") or () if "nodePort" in port]
    return numbers[0] if numbers else None


def _config_maps(spec: Body) -> tuple[str, ...]:
    volumes = spec["template"]["spec"].get("volumes") or ()
    return tuple(sys.intern(volume["configMap"]["name"]) for volume in volumes if "configMap" in volume)


def _claim(spec: Body) -> str | None:
    templates = spec.get("volumeClaimTemplates") or ()
    if not templates:
        return None
    request: str = templates[0]["spec"]["resources"]["requests"]["storage"]
    return request
