"""The objects around a pod: what keeps it running, what finds it, what holds its data."""

from __future__ import annotations

from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Pod, template
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.model.resource import Manifest, Resource, Stage
from almagest_operator.model.sizing import Volume

DATA = "data"
"""The name of a StatefulSet's one volume."""


def deployment(scope: Scope, pod: Pod, *, stage: Stage = Stage.WORKLOADS, overlap: bool = True) -> Resource:
    """A Deployment that replaces its pods one by one, the new one ready before the old one goes.

    Without `overlap` the old one goes first: for what must not run twice, and for volumes that one node holds.
    """
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return resource(
        stage,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": scope.metadata(pod.part),
            "spec": {
                "replicas": pod.replicas,
                "revisionHistoryLimit": 3,
                "progressDeadlineSeconds": 600,
                "selector": {"matchLabels": scope.selector(pod.part)},
                "strategy": rolling if overlap else {"type": "Recreate"},
                "template": template(scope, pod),
            },
        },
    )


def stateful_set(scope: Scope, pod: Pod, volume: Volume) -> tuple[Resource, ...]:
    """A StatefulSet of one pod with one volume, named `data`, and the claim that the pod will find.

    The claim is applied beforehand under the name that the StatefulSet would give it, because a claim may grow and a
    claim template may not; the template keeps the size with which the StatefulSet was made.
    """
    name = scope.name(pod.part.component)
    frozen = volume.model_copy(update={"storage": scope.facts.claim_templates.get(name, volume.storage)})
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": scope.metadata(pod.part),
        "spec": {
            "replicas": pod.replicas,
            "revisionHistoryLimit": 3,
            "serviceName": name,
            "selector": {"matchLabels": scope.selector(pod.part)},
            # With OrderedReady a pod that never became ready would not be replaced by a corrected template.
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            # The volume may go with the Archive, never with its server.
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "template": template(scope, pod),
            "volumeClaimTemplates": [
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": DATA, "labels": scope.selector(pod.part)},
                    "spec": claim_spec(frozen),
                }
            ],
        },
    }
    metadata = {**scope.metadata(pod.part, owned=False), "name": server_claim(name)}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim_spec(volume)}
    return resource(Stage.FOUNDATIONS, claim), resource(Stage.DATA, manifest)


def server_claim(server: str) -> str:
    """The claim of a StatefulSet's one pod, by the name that the StatefulSet would give it."""
    return f"{DATA}-{server}-0"


def claim_spec(volume: Volume, access_mode: str = "ReadWriteOnce") -> Manifest:
    """The spec of a claim for a volume."""
    spec: Manifest = {
        "accessModes": [access_mode],
        "resources": {"requests": {"storage": volume.storage}},
        "volumeMode": "Filesystem",
    }
    return {**spec, "storageClassName": volume.storage_class_name} if volume.storage_class_name else spec


def claim(scope: Scope, part: Part, name: str, volume: Volume, access_mode: str = "ReadWriteOnce") -> Resource:
    """A claim that several pods may mount: the archive's files, WordPress's uploads."""
    metadata = scope.metadata(part, name, owned=False)
    spec = claim_spec(volume, access_mode)
    manifest = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    return resource(Stage.FOUNDATIONS, manifest)


def service(scope: Scope, part: Part, spec: Manifest | None = None) -> Resource:
    """The Service of a part, on the port of the graph. `spec`: what makes it special, laid over the usual."""
    port = {"name": "main", "port": PORTS[part.name], "targetPort": "main", "protocol": "TCP"}
    usual = {"type": "ClusterIP", "selector": scope.selector(part), "ports": [port]}
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": scope.metadata(part),
        "spec": {**usual, **(spec or {})},
    }
    return resource(Stage.FOUNDATIONS, manifest)


def job(scope: Scope, pod: Pod, name: str, stage: Stage) -> Resource:
    """A Job that tries three times and stays when it is done: its name says for what it was done.

    It is never deleted by time, because its being there is the memory that the work is done.
    """
    metadata = {**scope.metadata(pod.part), "name": name}
    spec = {
        "backoffLimit": 2,
        "podReplacementPolicy": "Failed",
        "template": template(scope, pod),
    }
    return resource(stage, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})


def disruption_budget(scope: Scope, part: Part, replicas: int) -> tuple[Resource, ...]:
    """A drain takes one pod at a time. A single pod has no budget, because a budget would forbid to drain its node."""
    if replicas < 2:
        return ()
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": scope.selector(part)}}
    manifest = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": scope.metadata(part),
        "spec": spec,
    }
    return (resource(Stage.FOUNDATIONS, manifest),)
