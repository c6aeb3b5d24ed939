"""Archives, releases and facts for tests that say only what matters to them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from almagest_operator.desired import Desired, build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ARCHIVE_IMAGES, ArchiveRelease
from almagest_operator.model.resource import Manifest, Resource

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "environments"

SPEC: Manifest = {
    "release": "0.1.0",
    "environment": "dev",
    "site": {"title": "Test archive", "publisher": "Almagest", "contact": {"email": "contact@example.org"}},
}


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386): what kustomize does to a custom resource."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def manifest(spec: Manifest | None = None, *, name: str = "gaia", namespace: str = "gaia-dev") -> Manifest:
    """An Archive as the API server would give it: the shortest valid spec with `spec` merged into it."""
    metadata = {"name": name, "namespace": namespace, "uid": "6c1f2b0e-0000-4000-8000-000000000001", "generation": 1}
    head = {"apiVersion": "almagest.science/v1alpha1", "kind": "Archive", "metadata": metadata}
    return {**head, "spec": merge(SPEC, spec or {})}


def archive(spec: Manifest | None = None, *, name: str = "gaia", namespace: str = "gaia-dev") -> Archive:
    return Archive.parse(manifest(spec, name=name, namespace=namespace))


def release(name: str = "0.1.0", digit: str = "0") -> ArchiveRelease:
    """A release whose digests are one digit over and over."""
    images = {image: f"registry.example.org/almagest/{image}@sha256:{digit * 64}" for image in ARCHIVE_IMAGES}
    return ArchiveRelease.parse({"metadata": {"name": name}, "spec": {"images": images}})


def desired(spec: Manifest | None = None, facts: Facts | None = None, *, name: str = "gaia") -> Desired:
    return build(archive(spec, name=name), release(), facts or Facts())


def one(found: Desired, kind: str, name: str) -> Manifest:
    """The manifest of that kind and name."""
    (resource,) = (resource for resource in found.resources if (resource.kind, resource.name) == (kind, name))
    return resource.manifest


def config_map(found: Desired, component: str) -> Manifest:
    """The ConfigMap of a component, whose name ends with a digest."""
    (resource,) = (r for r in found.resources if (r.kind, r.component) == ("ConfigMap", component))
    return resource.manifest


def jobs(found: Desired, part: str) -> list[Resource]:
    return [resource for resource in found.resources if resource.kind == "Job" and resource.component.startswith(part)]


def pod_templates(found: Desired) -> dict[str, Manifest]:
    """Component → pod template, of every workload."""
    return {
        resource.component: resource.manifest["spec"]["template"]
        for resource in found.resources
        if resource.kind in {"Deployment", "StatefulSet", "Job"}
    }


def overlay(archive_name: str, environment: str) -> list[Manifest]:
    """What `kubectl kustomize environments/<archive>/<environment>` gives, for the part of kustomize that they use."""
    base = ENVIRONMENTS / archive_name / "base"
    directory = ENVIRONMENTS / archive_name / environment
    kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text())
    patches = [yaml.safe_load((directory / patch["path"]).read_text()) for patch in kustomization["patches"]]
    found = []
    for name in yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]:
        document = yaml.safe_load((base / name).read_text())
        for patch in patches:
            if (patch["kind"], patch["metadata"]["name"]) == (document["kind"], document["metadata"]["name"]):
                document = merge(document, patch)
        key = "name" if document["kind"] == "Namespace" else "namespace"
        document["metadata"][key] = kustomization["namespace"]
        found.append(document)
    return found


REFUSED: tuple[tuple[Manifest, str, str], ...] = (
    ({"environment": "staging"}, "spec.environment", "'dev', 'test' or 'production'"),
    ({"site": {"title": ""}}, "spec.site.title", "at least 1 character"),
    ({"site": {"title": "  "}}, "spec.site.title", "blank"),
    ({"site": {"contact": {"email": "nobody"}}}, "spec.site.contact.email", "pattern"),
    ({"queues": []}, "spec.queues", "at least 1 item"),
    ({"queues": [{"name": "Short", "timeout": "30s"}]}, "spec.queues[0].name", "pattern"),
    ({"queues": [{"name": "short", "timeout": "30 seconds"}]}, "spec.queues[0].timeout", "pattern"),
    ({"queues": [{"name": "short", "timeout": "0s"}]}, "spec.queues[0].timeout", "from 1s to 168h"),
    ({"queues": [{"name": "a", "timeout": "1s"}] * 2}, "spec.queues", "given twice: a"),
    ({"datasets": [{"table": "bright", "source": "demo:gaia"}]}, "spec.datasets[0].table", "pattern"),
    ({"datasets": [{"table": "a.b", "source": "file:/etc/passwd"}]}, "spec.datasets[0].source", "pattern"),
    ({"datasets": [{"table": "a.b", "source": "demo:gaia"}] * 2}, "spec.datasets", "given twice: a.b"),
    ({"exposure": {"type": "Ingress"}}, "spec", "needs site.hostname"),
    ({"exposure": {"nodePort": 30080}}, "spec.exposure", "nodePort needs type NodePort"),
    ({"exposure": {"type": "NodePort", "nodePort": 80}}, "spec.exposure.nodePort", "30000"),
    ({"exposure": {"tls": {"secretName": "x"}}}, "spec.exposure", "type Ingress"),
    ({"files": {"storage": "1Gi", "existingClaim": "x"}}, "spec.files", "either storage or existingClaim"),
    ({"files": {}}, "spec.files", "either storage or existingClaim"),
    ({"broker": {"storage": "ten"}}, "spec.broker.storage", "pattern"),
    (
        {"queues": [{"name": f"q{n}", "timeout": "1h", "workers": 50} for n in range(5)]},
        "spec.queues",
        "at most 200 workers",
    ),
    ({"web": {"replicas": 0}}, "spec.web.replicas", "greater than or equal to 1"),
)
"""Specs that the API server and the model both refuse: what is merged into SPEC, the field, the model's reason."""
