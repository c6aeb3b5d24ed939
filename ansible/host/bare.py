"""The steps that make a bare machine a cluster; each brings its part to the wanted state and says what it changed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from host import certificates, install, kubeconfig, supervision
from host.errors import HostError
from host.layout import Layout
from host.node import Node
from host.prepare import prepare, supervised
from host.services import services

PATIENCE = 180
"""Seconds in which the API server must answer; it takes about ten on two busy cores."""
RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))

Step = Callable[[Layout, Path, str], list[str]]


def name_servers(text: str) -> tuple[str, ...]:
    """The resolvers in a resolv.conf(5) that a pod can reach: not those on the host's loopback."""
    words = (line.split() for line in text.splitlines())
    found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return tuple(server for server in found[:3] if not ip_address(server.partition("%")[0]).is_loopback)


def reachable_name_servers() -> tuple[str, ...]:
    texts = (path.read_text() for path in RESOLVERS if path.exists())
    return next((servers for servers in map(name_servers, texts) if servers), ())


def prepare_host(layout: Layout, venv: Path, sandbox_image: str) -> list[str]:  # noqa: ARG001  the steps share a signature
    """Leftovers, kernel settings, addresses."""
    return prepare(Node.of(layout))


def start(layout: Layout, venv: Path, sandbox_image: str) -> list[str]:  # noqa: ARG001  the steps share a signature
    """Programs, certificates and supervised services; ends when the API server is ready."""
    node = Node.of(layout, sandbox_image, reachable_name_servers())
    began, cold = datetime.now(UTC), not supervised(node)
    changes = ["programs"] if install.programs(layout, node) else []
    changes += ["library"] if install.library(node) else []
    changes += [f"certificate {name}" for name in renewed(node)]
    wanted = services(node)
    if supervision.has_systemd():
        changes += supervision.apply_systemd(node, wanted)
    else:
        changes += supervision.apply_s6(node, wanted)
    await_api(node)
    if cold:
        await_pods(node, began)
    changes += ["old programs"] if install.forget_old_programs(node) else []
    return changes


def renewed(node: Node) -> list[str]:
    return certificates.ensure(node.pki, certificates.leaves(node), datetime.now(UTC))


def kubectl(node: Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask the API server as the administrator."""
    who = [f"--certificate-authority={node.pki}/ca.crt", f"--client-certificate={node.pki}/admin.crt"]
    command = [str(node.programs / "kubectl"), f"--server={node.api}", *who, f"--client-key={node.pki}/admin.key"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def await_api(node: Node) -> None:
    """Raises HostError with the last words of the two programs that it needs when it stays silent."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not kubectl(node, "get", "--raw=/readyz", "--request-timeout=5s").returncode:
            return
        time.sleep(0.5)
    words = "; ".join(f"{name}: {last_words(node, name)}" for name in ("etcd", "kube-apiserver"))
    raise HostError(f"the API server was not ready after {PATIENCE} s. {words}")


def await_pods(node: Node, began: datetime) -> None:
    """Until nothing claims to run since before `began`, when nothing ran: what is stored is then true again.

    After a crash the stored statuses are those of the former life, and whoever waits for them would be told lies.
    """
    deadline = time.monotonic() + PATIENCE
    stale: list[str] = []
    while time.monotonic() < deadline:
        done = kubectl(node, "get", "pods", "--all-namespaces", "--output=json")
        if not done.returncode and not (stale := running_since_before(json.loads(done.stdout), began)):
            return
        time.sleep(1)
    raise HostError(f"not back after {PATIENCE} s: {', '.join(stale)}. kubelet: {last_words(node, 'kubelet')}")


def running_since_before(pods: Mapping[str, Any], began: datetime) -> list[str]:
    """`namespace/name` of pods with a container whose status says that it runs since before that time."""
    return [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in pods["items"]
        for container in pod["status"].get("containerStatuses", ())
        if (running := container["state"].get("running"))
        and datetime.fromisoformat(running["startedAt"]) < began.replace(microsecond=0)
    ]


def last_words(node: Node, service: str) -> str:
    log = node.log / service / "current"
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"{lines[-1] if lines else 'said nothing'} (log: {log})"


def access(layout: Layout, venv: Path, sandbox_image: str) -> list[str]:  # noqa: ARG001  the steps share a signature
    """The context in the user's kubeconfig, and the commands on the PATH."""
    changes = ["kubeconfig"] if kubeconfig.merge(Node.of(layout)) else []
    changes += ["commands"] if install.commands(layout, venv) else []
    return changes + (["completion"] if install.completions() else [])


STEPS: Mapping[str, Step] = {"prepare": prepare_host, "start": start, "access": access}
