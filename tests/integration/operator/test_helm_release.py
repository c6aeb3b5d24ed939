"""Ansible's module `helm_release`, which installs the operator, compares with the cluster, not with Helm's memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.apiserver import PROGRAMS, ApiServer
from support.archives import ROOT
from support.audit import writes
from support.missing import Missing, controllers

_numbers = count(1)
# Helm waits for a ReplicaSet, which nobody makes here, unless the Deployment is paused.
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: one
  labels: {app.kubernetes.io/instance: "{{ .Release.Name }}", app.kubernetes.io/component: one}
spec:
  paused: true
  replicas: 1
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: one, image: "{{ .Values.image }}"}]}
"""


@dataclass(frozen=True)
class Release:
    """A release of a chart with one Deployment."""

    server: ApiServer
    missing: Missing
    chart: Path

    @property
    def deployment(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.missing.namespace}/deployments/one"

    def play(self, timeout: int = 30, **variables: str) -> dict[str, Any]:
        """Have the module see to the release, in such an environment; what it answers."""
        given = {
            "name": "one",
            "namespace": self.missing.namespace,
            "chart": str(self.chart),
            "values": {"image": "registry.example.org/one"},
            "context": "almagest",
            "timeout": timeout,
        }
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.server.kubeconfig()),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            **variables,
        }
        command = [sys.executable, str(ROOT / "ansible/library/helm_release.py")]
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": given})
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def release(server: ApiServer, tmp_path: Path) -> Iterator[Release]:
    chart = tmp_path / "one"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: one\nversion: 0.1.0\n")
    (chart / "templates/deployment.yaml").write_text(DEPLOYMENT)
    with controllers(server, f"release-{next(_numbers)}") as missing:
        made = Release(server, missing, chart)
        assert made.play()["changed"]
        yield made


def test_release_that_is_as_wanted_costs_no_write(release: Release) -> None:
    assert not release.play()["changed"]
    release.missing.pause()
    since = datetime.now(UTC)
    assert not release.play()["changed"]
    assert [write for write in writes("admin", since, release.server.directory) if "dryRun" not in write.target] == []


def test_deployment_that_somebody_deleted_comes_back(release: Release) -> None:
    release.server.request("DELETE", release.deployment)
    assert release.play()["changed"]
    assert release.server.request("GET", release.deployment)["spec"]["replicas"] == 1


def test_deployment_that_somebody_changed_is_put_right(release: Release) -> None:
    release.server.request("PATCH", release.deployment, {"spec": {"replicas": 0}}, kind="merge-patch+json")
    assert release.play()["changed"]
    assert release.server.request("GET", release.deployment)["spec"]["replicas"] == 1


def test_the_users_own_way_to_compare_is_not_asked(release: Release) -> None:
    assert not release.play(KUBECTL_EXTERNAL_DIFF="false")["changed"]
    release.server.request("PATCH", release.deployment, {"spec": {"replicas": 0}}, kind="merge-patch+json")
    assert release.play(KUBECTL_EXTERNAL_DIFF="true")["changed"]


def test_comparison_that_fails_is_no_difference(release: Release) -> None:
    """Without diff(1) nobody knows whether an upgrade is called for."""
    answer = release.play(PATH=str(PROGRAMS))
    assert answer["failed"]
    assert '"diff": executable file not found' in answer["msg"]


def test_deployment_that_does_not_run_is_a_failure(release: Release) -> None:
    release.missing.outcomes["one"] = "hold"
    release.server.request(
        "PATCH", f"{release.deployment}/status", {"status": {"availableReplicas": 0}}, kind="merge-patch+json"
    )
    answer = release.play(timeout=1)
    assert answer["failed"]
    assert "one" in answer["msg"]
