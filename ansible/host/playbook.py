"""Runs Ansible from the virtual environment, with its own files kept in the cache and nothing read from elsewhere."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from host import compile as compiler
from host import venv
from host.errors import HostError
from host.layout import ROOT, Layout

TOOLS = {"bare": (), "existing": ("kubectl",), "kind": ("docker", "kind", "kubectl")}
"""The kinds of cluster, and what the machine must have for each beforehand."""


@dataclass(frozen=True)
class Choice:
    """What the person at the terminal chose."""

    archive: str = "gaia"
    environment: str = "dev"
    cluster: str = "bare"
    registry: str = ""


def context(cluster: str) -> str:
    """The kubeconfig context to work in. Raises HostError when an existing cluster is wanted and none is chosen."""
    if cluster == "existing":
        command = ["kubectl", "config", "current-context"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise HostError("CLUSTER=existing needs kubectl on the PATH: install it") from error
        if done.returncode:
            raise HostError("CLUSTER=existing uses kubectl's current context and there is none: set KUBECONFIG")
        return done.stdout.strip()
    return {"bare": "almagest", "kind": "kind-almagest"}[cluster]


def variables(layout: Layout, choice: Choice, environment: Path) -> dict[str, str | bool]:
    """The facts that every role may use; environment: the virtual environment."""
    return {
        "almagest_archive": choice.archive,
        "almagest_environment": choice.environment,
        "almagest_cluster": choice.cluster,
        "almagest_registry": choice.registry,
        "almagest_context": context(choice.cluster),
        "almagest_venv": str(environment),
        "almagest_root": str(ROOT),
        "almagest_cache": str(layout.cache),
        "almagest_state": str(layout.state),
        "almagest_log": str(layout.log),
        "almagest_compiled": compiler.compiled(layout),
    }


def play(layout: Layout, choice: Choice, environment: Path, name: str) -> int:
    """Run one playbook of this directory to its end; its exit code."""
    layout.log.mkdir(parents=True, exist_ok=True)
    settings = {
        **venv.environment(environment),
        "ANSIBLE_CONFIG": str(ROOT / "ansible" / "ansible.cfg"),
        "ANSIBLE_HOME": str(layout.cache / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(layout.cache / "ansible" / "tmp"),
        "ANSIBLE_ASYNC_DIR": str(layout.cache / "ansible" / "async"),
        "ANSIBLE_LOG_PATH": str(layout.log / "ansible.log"),
        "PYTHONPATH": str(ROOT / "ansible"),
        "ALMAGEST_CACHE": str(layout.cache),
        "ALMAGEST_STATE": str(layout.state),
    }
    facts = json.dumps(variables(layout, choice, environment))
    program, book = environment / "bin" / "ansible-playbook", ROOT / "ansible" / f"{name}.yml"
    command = [str(program), str(book), "--extra-vars", facts]
    return subprocess.run(command, env=settings, cwd=ROOT, check=False).returncode
