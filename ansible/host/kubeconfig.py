"""The context `almagest` in the user's own kubeconfig, beside whatever else is there, as kind and minikube do it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from host.errors import HostError
from host.node import Node

NAME = "almagest"


def user_file() -> Path:
    """The first file of KUBECONFIG, or ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def kubectl(node: Node, file: Path, *arguments: str) -> str:
    """Run `kubectl config` on one file; kubectl locks and replaces it safely."""
    command = [str(node.state / "bin" / "current" / "kubectl"), "config", f"--kubeconfig={file}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"{file} could not be read or written: {done.stderr.strip()}")
    return done.stdout


def entry(config: dict[str, Any], kind: str) -> dict[str, Any]:
    """Our entry of `clusters`, `users` or `contexts`; {} when there is none."""
    for item in config.get(kind) or []:
        if item["name"] == NAME:
            inner: dict[str, Any] = item.get(kind.removesuffix("s"), {})
            return inner
    return {}


def is_of(node: Node, config: dict[str, Any]) -> bool:
    """Whether the entries of our name are those of this machine's cluster."""
    return bool(entry(config, "contexts")) and entry(config, "clusters").get("server") == node.api


def merge(node: Node) -> bool:
    """Add or correct our context; False when it was right. The first time it also becomes the current one."""
    file = user_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = json.loads(kubectl(node, file, "view", "--raw", "-o", "json"))
    cluster = {"server": node.api, "certificate-authority": f"{node.pki}/ca.crt"}
    user = {"client-certificate": f"{node.pki}/admin.crt", "client-key": f"{node.pki}/admin.key"}
    context = {"cluster": NAME, "user": NAME}
    if (entry(config, "clusters"), entry(config, "users"), entry(config, "contexts")) == (cluster, user, context):
        return False
    if entry(config, "contexts") and not is_of(node, config):
        raise HostError(f"{file} has a context {NAME} of another cluster: rename it (`kubectl config rename-context`)")
    is_new = not entry(config, "contexts")
    kubectl(node, file, "set-cluster", NAME, *(f"--{name}={value}" for name, value in cluster.items()))
    kubectl(node, file, "set-credentials", NAME, *(f"--{name}={value}" for name, value in user.items()))
    kubectl(node, file, "set-context", NAME, *(f"--{name}={value}" for name, value in context.items()))
    if is_new:
        if before := config.get("current-context"):
            (node.state / "former-context").write_text(before)
        kubectl(node, file, "use-context", NAME)
    return True


def remove(node: Node) -> bool:
    """Take our context out again, and give the user the one that was current before; a file left empty goes."""
    file = user_file()
    if not file.exists() or not (node.state / "bin" / "current" / "kubectl").exists():
        return False
    config = json.loads(kubectl(node, file, "view", "--raw", "-o", "json"))
    if not is_of(node, config):
        return False
    if config.get("current-context") == NAME:
        restore_current(node, file, {item["name"] for item in config["contexts"]} - {NAME})
    for kind in ("context", "cluster", "user"):
        kubectl(node, file, f"delete-{kind}", NAME)
    left = json.loads(kubectl(node, file, "view", "--raw", "-o", "json"))
    if not any(left.get(kind) for kind in ("clusters", "users", "contexts")):
        file.unlink()
    return True


def restore_current(node: Node, file: Path, others: set[str]) -> None:
    memory = node.state / "former-context"
    former = memory.read_text() if memory.exists() else ""
    if former in others:
        kubectl(node, file, "use-context", former)
    else:
        kubectl(node, file, "unset", "current-context")
