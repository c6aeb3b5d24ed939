"""The running cluster as the tests see it: kubectl, and the images of the release last built."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from almagest_operator.model.text import as_yaml

CACHE = Path(os.environ.get("ALMAGEST_CACHE", Path.home() / ".cache/almagest"))
CONTEXT = os.environ.get("ALMAGEST_CONTEXT", "almagest")

Manifest = dict[str, Any]
T = TypeVar("T")


class KubectlError(AssertionError):
    """kubectl said no: its own words, with the command."""


def kubectl(*args: str, stdin: str | None = None, check: bool = True, timeout: float = 120) -> str:
    """Run kubectl against the cluster under test; returns stdout, raises KubectlError with stderr."""
    command = ["kubectl", "--context", CONTEXT, *args]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise KubectlError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def get(*args: str) -> Manifest:
    """`kubectl get … -o json`, parsed."""
    parsed: Manifest = json.loads(kubectl("get", *args, "-o", "json"))
    return parsed


def apply(*manifests: Manifest) -> None:
    kubectl("apply", "-f", "-", stdin=as_yaml(*manifests))


def release_images() -> dict[str, str]:
    """Image name → reference by digest, from the release catalogue of the images last built."""
    catalogue = yaml.safe_load((CACHE / "images/release.yaml").read_text())
    images: dict[str, str] = catalogue["spec"]["images"]
    return images


def restricted_pod(where: str, name: str, image: str, uid: int, *command: str) -> Manifest:
    """A pod of one container, within the restricted level, that runs once; command: instead of the image's."""
    container: Manifest = {
        "name": "main",
        "image": image,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    if command:
        container["command"] = list(command)
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": uid, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": where}, "spec": spec}


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """A namespace that enforces the restricted pod security level and goes with the test."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
