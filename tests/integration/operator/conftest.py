"""The operator as a real process, in its real rights, against a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from almagest_operator.model.text import as_yaml
from support import apiserver
from support.apiserver import OPERATOR, ApiServer, Manifest
from support.archives import ROOT, merge, release
from support.audit import Write, writes
from support.missing import Missing, controllers
from support.waiting import eventually

CHART = ROOT / "charts/almagest-operator"
_numbers = count(1)

DEV: Manifest = {
    "release": "0.1.0",
    "environment": "dev",
    "site": {"title": "Gaia", "publisher": "Almagest", "contact": {"email": "contact@example.org"}},
    "exposure": {"type": "NodePort"},
    "datasets": [{"table": "gaiadr3.bright", "source": "demo:gaia"}],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server with our CRDs, the operator's rights, a node, two StorageClasses and the release 0.1.0."""
    if not apiserver.is_there():
        pytest.skip(f"no compiled Kubernetes at {apiserver.PROGRAMS} (`make cluster` builds it)")
    with apiserver.run(tmp_path_factory.mktemp("kubernetes")) as running:
        running.kubectl("create", "namespace", "almagest-system")
        running.kubectl("apply", "--server-side", "-f", str(CHART / "files/crds"))
        running.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        running.kubectl("apply", "-f", "-", stdin=rights())
        objects = [node(), storage_class(), fixed_class(), catalogue("0.1.0", "0")]
        running.kubectl("apply", "-f", "-", stdin=as_yaml(*objects))
        status = {"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}]}
        running.request("PATCH", "/api/v1/nodes/one/status", {"status": status}, kind="merge-patch+json")
        with apiserver.collector(running):
            yield running


def rights() -> str:
    """RBAC as the chart renders it for the whole cluster and more than one replica."""
    helm = Path(sys.executable).parent / "helm"
    image = f"registry.example.org/almagest/operator@sha256:{'0' * 64}"
    command = [
        str(helm),
        "template",
        "almagest-operator",
        str(CHART),
        "--namespace",
        "almagest-system",
        "--set",
        f"image={image},replicas=2",
    ]
    done = subprocess.run([*command, "--show-only", "templates/rbac.yaml"], capture_output=True, text=True, check=True)
    return done.stdout


def node() -> Manifest:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}}


def storage_class() -> Manifest:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "local", "annotations": annotations},
        "provisioner": "example.org/none",
        "allowVolumeExpansion": True,
    }


def fixed_class() -> Manifest:
    """The StorageClass of volumes that keep the size with which they were made, as `make up` has it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fixed"},
        "provisioner": "example.org/none",
    }


def catalogue(name: str, digit: str) -> Manifest:
    """The ArchiveRelease of tests.support.archives as a manifest."""
    found = release(name, digit).model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**found, "metadata": {"name": name}}


@dataclass
class Bench:
    """One namespace with one archive, `gaia`, and the operator's process beside it."""

    server: ApiServer
    namespace: str
    directory: Path
    missing: Missing
    operator: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)
    health: int = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.directory / "operator.log"

    # The operator.

    def start(self, **environment: str) -> None:
        """Start it, in the rights of the chart's ServiceAccount, watching this namespace alone."""
        (self.health,) = apiserver.free_ports(1)
        settings = {
            "KUBECONFIG": str(self.server.kubeconfig("operator")),
            "HEALTH_PORT": str(self.health),
            "WATCH_NAMESPACE": self.namespace,
            "POD_NAME": "operator-under-test",
            "PROXY_ADDRESS": self.missing.proxy,
            "PYTHONPATH": str(ROOT / "operator"),
            **environment,
        }
        command = [sys.executable, "-m", "almagest_operator", "run"]
        with self.log.open("ab") as log:
            self.operator = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        assert self.operator is not None
        self.operator.kill()
        self.operator.wait()
        self.operator = None

    def stop(self) -> int:
        assert self.operator is not None
        code = apiserver.end(self.operator, within=15)
        self.operator = None
        return code

    def records(self) -> list[dict[str, Any]]:
        """What it logged so far; every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def is_healthy(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)

    # The archive.

    def apply(self, **spec: Any) -> None:
        """Server-side apply of the archive with `spec` merged into DEV, as `kubectl apply` does it."""
        manifest = {
            "apiVersion": "almagest.science/v1alpha1",
            "kind": "Archive",
            "metadata": {"name": "gaia", "namespace": self.namespace},
            "spec": merge(DEV, spec),
        }
        self.server.request(
            "PATCH", f"{self.path()}?fieldManager=kubectl&force=true", manifest, kind="apply-patch+yaml"
        )

    def archive(self) -> Manifest:
        return self.server.request("GET", self.path())

    def condition(self, type_: str) -> Manifest:
        """A condition of the archive; {} when it has none of the type."""
        conditions = self.archive().get("status", {}).get("conditions", [])
        found: Manifest = next((c for c in conditions if c["type"] == type_), {})
        return found

    def is_ready(self) -> bool:
        """Ready, and of the present spec."""
        archive = self.archive()
        generation = archive["metadata"]["generation"]
        ready = self.condition("Ready")
        return ready.get("status") == "True" and ready.get("observedGeneration") == generation

    def await_ready(self, within: float = 30) -> None:
        try:
            eventually("the archive to be Ready", self.is_ready, within=within, every=0.1)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{json.dumps(self.archive().get('status'), indent=1)}\n{self.log.read_text()[-4000:]}"
            ) from error

    def await_condition(self, type_: str, status: str, reason: str, within: float = 20) -> Manifest:
        def probe() -> Manifest | None:
            found = self.condition(type_)
            return found if (found.get("status"), found.get("reason")) == (status, reason) else None

        try:
            return eventually(f"{type_}={status}/{reason}", probe, within=within, every=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{json.dumps(self.archive().get('status'), indent=1)}") from error

    # Its children.

    def bind(self, claim: str) -> None:
        """Say of a claim what the volume controller says of one that has its volume."""
        size = self.get("persistentvolumeclaims", claim)["spec"]["resources"]["requests"]
        status = {"phase": "Bound", "capacity": size}
        path = self.path("api/v1", "persistentvolumeclaims", claim) + "/status"
        self.server.request("PATCH", path, {"status": status}, kind="merge-patch+json")

    def path(self, place: str = "apis/almagest.science/v1alpha1", plural: str = "archives", name: str = "gaia") -> str:
        return f"/{place}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def get(self, plural: str, name: str) -> Manifest:
        return self.server.request("GET", self.path(_PLACES[plural], plural, name))

    def all(self, plural: str) -> list[Manifest]:
        found: list[Manifest] = self.server.request("GET", self.path(_PLACES[plural], plural, ""))["items"]
        return found

    def names(self, plural: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.all(plural)}

    def config_map(self, component: str) -> str:
        """The name of the ConfigMap of a component that its Deployment reads."""
        found = self.get("deployments", f"gaia-{component}")["spec"]["template"]["spec"]["volumes"]
        (name,) = (volume["configMap"]["name"] for volume in found if "configMap" in volume)
        return str(name)

    def delete(self, plural: str, name: str) -> None:
        self.server.request("DELETE", self.path(_PLACES[plural], plural, name))

    def edit(self, plural: str, name: str, patch: Manifest) -> Manifest:
        """What `kubectl edit` does: an update under a manager of its own."""
        path = f"{self.path(_PLACES[plural], plural, name)}?fieldManager=kubectl-edit"
        return self.server.request("PATCH", path, patch, kind="merge-patch+json")

    def writes(self, since: datetime) -> list[Write]:
        """The operator's writes in this namespace, from the audit log."""
        found = writes(OPERATOR, since, self.server.audit.parent)
        return [write for write in found if f"/namespaces/{self.namespace}/" in write.target]


_PLACES = {
    "archives": "apis/almagest.science/v1alpha1",
    "configmaps": "api/v1",
    "deployments": "apis/apps/v1",
    "events": "apis/events.k8s.io/v1",
    "jobs": "apis/batch/v1",
    "networkpolicies": "apis/networking.k8s.io/v1",
    "persistentvolumeclaims": "api/v1",
    "pods": "api/v1",
    "secrets": "api/v1",
    "serviceaccounts": "api/v1",
    "services": "api/v1",
    "statefulsets": "apis/apps/v1",
}


@contextmanager
def bench_of(server: ApiServer, directory: Path) -> Iterator[Bench]:
    namespace = f"gaia-{next(_numbers)}"
    server.kubectl("create", "namespace", namespace)
    with controllers(server, namespace) as missing:
        bench = Bench(server, namespace, directory, missing)
        try:
            yield bench
        finally:
            if bench.operator is not None:
                bench.stop()
    server.request("DELETE", f"/api/v1/namespaces/{namespace}")


@pytest.fixture
def bench(server: ApiServer, tmp_path: Path) -> Iterator[Bench]:
    """A namespace without an operator yet."""
    with bench_of(server, tmp_path) as found:
        yield found


@pytest.fixture
def running(bench: Bench) -> Bench:
    """An archive that is Ready under a running operator."""
    bench.apply()
    bench.start()
    bench.await_ready()
    return bench


@pytest.fixture(scope="module")
def shared(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One Ready archive for many small disturbances, each of which the operator has to put right."""
    with bench_of(server, tmp_path_factory.mktemp("shared")) as found:
        found.apply()
        found.start()
        found.await_ready()
        yield found


def now() -> datetime:
    return datetime.now(UTC)
