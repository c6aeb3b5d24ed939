"""The installation of the operator's chart: what people hear of it when its pods do not run."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.archives import ROOT

PARAMS = {"name": "almagest-operator", "namespace": "almagest-system", "context": "here"}


@pytest.fixture
def helm_release() -> ModuleType:
    """The Ansible module, which is a script outside of every package."""
    specification = importlib.util.spec_from_file_location("helm_release", ROOT / "ansible/library/helm_release.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def kubectl(directory: Path, answer: dict[str, Any], code: int = 0) -> None:
    """A kubectl that answers so."""
    (directory / "pods.json").write_text(json.dumps(answer))
    program = directory / "kubectl"
    program.write_text(f"#!/bin/sh\ncat {directory}/pods.json\nexit {code}\n")
    program.chmod(0o755)


def test_why_the_operators_pod_does_not_run_is_told(
    helm_release: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x@sha256:1"'}
    containers = [{"name": "operator", "state": {"waiting": waiting}}]
    pod = {"metadata": {"name": "almagest-operator-7d9"}, "status": {"containerStatuses": containers}}
    kubectl(tmp_path, {"items": [pod]})
    told = '\nalmagest-operator-7d9: operator: ImagePullBackOff: Back-off pulling image "x@sha256:1"'
    assert helm_release.troubles(PARAMS) == told
    kubectl(tmp_path, {}, code=1)
    assert helm_release.troubles(PARAMS) == ""
