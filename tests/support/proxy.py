"""The archive's door: nginx from the release's image with the operator's own manifests, in front of processes here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from almagest_operator.desired import build
from almagest_operator.desired.graph import PORTS
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ARCHIVE_IMAGES, ArchiveRelease
from almagest_operator.model.resource import Manifest
from support.archives import manifest
from support.cluster import apply, get, kubectl, release_images
from support.waiting import eventually

NAME = "front"
KINDS = ("ServiceAccount", "ConfigMap", "Service", "Deployment")
"""Of the proxy's objects those that make it answer; its NetworkPolicy knows only pods."""


@contextmanager
def run_proxy(namespace: str, port: int) -> Iterator[str]:
    """The address at which nginx passes everything on to a web process at `port` of this machine.

    nginx waits until the DNS knows the web Service, so it may start before that process does.
    """
    apply(*_web(namespace, port), *_proxy(namespace))
    try:
        address = get("service", f"{NAME}-proxy", "-n", namespace)["spec"]["clusterIP"]
        eventually("the proxy to be ready", lambda: _ready(namespace), within=120)
        yield f"http://{address}:{PORTS['proxy']}"
    finally:
        kubectl("delete", "deployment", f"{NAME}-proxy", "-n", namespace, "--wait=false")


def _proxy(namespace: str) -> list[Manifest]:
    wanted = manifest({"wordpress": {"enabled": False}}, name=NAME, namespace=namespace)
    del wanted["metadata"]["uid"]  # an owner that is not there would have everything collected
    found = release_images()
    images = {image: found[image] for image in ARCHIVE_IMAGES}
    release = ArchiveRelease.parse({"metadata": {"name": "0.1.0"}, "spec": {"images": images}})
    resources = build(Archive.parse(wanted), release, Facts()).resources
    return [one.manifest for one in resources if one.component == "proxy" and one.kind in KINDS]


def _web(namespace: str, port: int) -> tuple[Manifest, Manifest]:
    """The Service that the proxy passes on to, with this machine behind it."""
    name = f"{NAME}-web"
    (node,) = get("nodes")["items"]
    (address,) = (entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"name": "main", "port": PORTS["web"], "targetPort": port}]},
    }
    labels = {"kubernetes.io/service-name": name}
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "main", "port": port}],
        "endpoints": [{"addresses": [address]}],
    }
    return service, endpoints


def _ready(namespace: str) -> bool:
    status = get("deployment", f"{NAME}-proxy", "-n", namespace)["status"]
    return bool(status.get("readyReplicas"))
