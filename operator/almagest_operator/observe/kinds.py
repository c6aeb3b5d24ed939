"""The kinds of objects that an archive is made of: how each is addressed, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass

from almagest_operator.model.resource import GROUP, ResourceKey


@dataclass(frozen=True)
class Kind:
    """One kind of the API.

    prunable: may be deleted when the spec does not ask for it any more; volumes and secrets never are.
    replaceable: may be deleted and made anew when the server refuses a change to an immutable field.
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    prunable: bool = True
    replaceable: bool = False

    @property
    def group(self) -> str:
        """API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """URL path below the server's root; an empty namespace means all of them."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{place}/{self.plural}{tail}"


ARCHIVE = Kind(f"{GROUP}/v1alpha1", "Archive", "archives")
RELEASE = Kind(f"{GROUP}/v1alpha1", "ArchiveRelease", "archivereleases", namespaced=False)
NODE = Kind("v1", "Node", "nodes", namespaced=False)
STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)
POD = Kind("v1", "Pod", "pods", prunable=False)
EVENT = Kind("events.k8s.io/v1", "Event", "events")

CHILDREN = (
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", prunable=False),
    Kind("v1", "Secret", "secrets", prunable=False),
    Kind("v1", "Service", "services"),
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("apps/v1", "StatefulSet", "statefulsets"),
    Kind("batch/v1", "Job", "jobs", replaceable=True),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
)
"""What the operator makes. Pods are only looked at."""

_BY_NAME = {
    (kind.api_version, kind.kind): kind for kind in (*CHILDREN, POD, ARCHIVE, RELEASE, NODE, STORAGE_CLASS, EVENT)
}


def kind_of(key: ResourceKey) -> Kind:
    """The kind of an object's key; KeyError for one that no archive is made of."""
    return _BY_NAME[key.api_version, key.kind]
