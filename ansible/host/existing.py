"""`make down` in a cluster that somebody else runs: what would be lost is said first, and nothing else is touched.

The Archive is deleted, and with it what it owns. Its retained volumes and their Secrets go only when that is asked for;
a namespace goes only when nothing is left in it. The CustomResourceDefinitions stay in any case, because every archive
of the cluster would go with them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.errors import HostError

OPERATOR, SYSTEM = "almagest-operator", "almagest-system"
HOLDS_DATA = {"PersistentVolumeClaim", "Secret"}
HOLDS_NOTHING = {"Endpoints", "Event", "Lease"}
"""Kinds that the parts of every cluster write by themselves."""
OF_EVERY_NAMESPACE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """One archive of a cluster. context: of the kubeconfig."""

    context: str
    namespace: str
    archive: str

    def kubectl(self, *words: str) -> str:
        """stdout. Raises HostError with kubectl's own words."""
        command = ["kubectl", "--context", self.context, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"`kubectl {' '.join(words[:3])}` failed: {done.stderr.strip()}")
        return done.stdout


@dataclass(frozen=True)
class Loss:
    """What is in the cluster, by what becomes of it; objects as `kind/name`.

    going: volumes that the Archive owns; retained: volumes and Secrets of the archive that nobody owns; foreign: what
    is in the namespace and none of ours; others: Archives of the cluster but this one, as `namespace/name`.
    """

    present: bool
    going: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def survey(place: Place) -> Loss:
    """Read everything before anything is deleted. Raises HostError where the cluster does not tell."""
    archives = every_archive(place)
    own = f"{place.namespace}/{place.archive}"
    others = tuple(name for name in archives if name != own)
    return loss(contents(place, place.namespace), place.archive, present=own in archives, others=others)


def loss(items: Sequence[Manifest], archive: str, *, present: bool, others: tuple[str, ...] = ()) -> Loss:
    """Sort the objects of a namespace. Pure."""
    going, retained, foreign = [], [], []
    for item in items:
        owners = item["metadata"].get("ownerReferences", ())
        if item["kind"] == "PersistentVolumeClaim" and any(owner["kind"] == "Archive" for owner in owners):
            going.append(name_of(item))
        elif owners or is_clusters(item):
            continue
        elif is_of(item, archive):
            retained += [name_of(item)] if item["kind"] in HOLDS_DATA else []
        else:
            foreign.append(name_of(item))
    return Loss(present, tuple(going), tuple(retained), tuple(foreign), others)


def is_of(item: Manifest, archive: str) -> bool:
    """The Archive, or what the operator made for it."""
    if (item["kind"], item["metadata"]["name"]) == ("Archive", archive):
        return True
    labels: dict[str, str] = item["metadata"].get("labels", {})
    wanted = {"app.kubernetes.io/managed-by": OPERATOR, "app.kubernetes.io/instance": archive}
    return wanted.items() <= labels.items()


def is_clusters(item: Manifest) -> bool:
    return item["kind"] in HOLDS_NOTHING or (item["kind"], item["metadata"]["name"]) in OF_EVERY_NAMESPACE


def name_of(item: Manifest) -> str:
    return f"{item['kind'].lower()}/{item['metadata']['name']}"


def every_archive(place: Place) -> list[str]:
    """`namespace/name` of each; none where the cluster has no such kind."""
    try:
        listed = place.kubectl("get", "archives.almagest.science", "--all-namespaces", "--output=json")
    except HostError as error:
        if "have a resource type" in str(error):
            return []
        raise
    metadata = (item["metadata"] for item in json.loads(listed)["items"])
    return [f"{found['namespace']}/{found['name']}" for found in metadata]


def contents(place: Place, namespace: str) -> list[Manifest]:
    """Every object of a namespace that could be deleted, whatever its kind."""
    kinds = place.kubectl("api-resources", "--namespaced", "--verbs=list,delete", "--output=name").split()
    listed = place.kubectl("get", ",".join(kinds), "--namespace", namespace, "--output=json")
    items: list[Manifest] = json.loads(listed)["items"]
    return items


def announcement(place: Place, found: Loss, *, retained: bool) -> str:
    """What is about to be lost and what stays, for the person who decides."""
    kept = () if retained else found.retained
    gone = found.going + (found.retained if retained else ())
    lines = [
        f'In the cluster of the context "{place.context}", namespace {place.namespace}:',
        f"  the archive {place.archive} is deleted, with its servers" if found.present else "  no archive is there",
        *(f"  deleted with all its data: {name}" for name in gone),
        *(f"  stays (DELETE_RETAINED=1 deletes it): {name}" for name in kept),
        *(f"  stays, because it is not the archive's: {name}" for name in found.foreign),
        f"The operator stays for {', '.join(found.others)}." if found.others else "The operator goes too.",
    ]
    return "\n".join(lines)


def remove(place: Place, found: Loss, helm: Path, *, retained: bool) -> Iterator[str]:
    """Delete what `found` says is ours, yielding what was done, in words. Raises HostError."""
    if found.present:
        place.kubectl("delete", "archive", place.archive, "--namespace", place.namespace, "--timeout=300s")
        yield f"archive {place.archive}"
    if retained and found.retained:
        place.kubectl("delete", *found.retained, "--namespace", place.namespace, "--timeout=300s")
        yield "retained volumes and their Secrets"
    if not found.foreign and (retained or not found.retained) and remove_namespace(place, place.namespace):
        yield f"namespace {place.namespace}"
    if found.others:
        return
    words = [str(helm), "--kube-context", place.context, "uninstall", OPERATOR, "--namespace", SYSTEM]
    done = subprocess.run([*words, "--ignore-not-found", "--wait"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"`helm uninstall {OPERATOR}` failed: {done.stderr.strip()}")
    if "uninstalled" in done.stdout:
        yield "operator"
    left = [name_of(item) for item in contents(place, SYSTEM) if not is_clusters(item)]
    if not left and remove_namespace(place, SYSTEM):
        yield f"namespace {SYSTEM}"


def remove_namespace(place: Place, namespace: str) -> bool:
    words = ("delete", "namespace", namespace, "--ignore-not-found", "--timeout=300s")
    return "deleted" in place.kubectl(*words)
