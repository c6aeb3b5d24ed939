"""Makes the host ready for the node's programs: run as the first thing at a set-up, and by systemd after a boot.

When no supervisor of ours lives (first start, reboot, everything killed), whatever a former life left behind is
cleared first: half-dead containers would otherwise hold addresses, mounts and locks that the new ones need.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from host import leftovers, neighbours, processes
from host.layout import Layout
from host.node import OWN, Node

MODULES = ("bridge", "br_netfilter", "overlay", "nf_conntrack")
KERNEL = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
    "vm/overcommit_memory": "1",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/panic_on_oom": "0",
}
"""Forwarding for pods; the others are what the kubelet sets by itself, named here so that `down` can undo them."""
ROUTED = "net/ipv4/conf/all/route_localnet"
"""kube-proxy sets it, for NodePorts on 127.0.0.1."""


def prepare(node: Node) -> list[str]:
    """Bring the host to readiness; what was changed, in words. Raises HostError."""
    changed = []
    claim(node)
    if not supervised(node) and clear(node):
        changed.append("cleared what a former life of the cluster left")
    for directory in (node.run, node.log / "audit", node.etc, node.state / "volumes"):
        directory.mkdir(parents=True, exist_ok=True)
    node.state.chmod(0o755)
    (node.state / "volumes").chmod(0o700)  # the volumes themselves are open to every user id, for pods of any
    if set_kernel():
        changed.append("kernel settings")
    if add_link(node):
        changed.append(f"node address {node.address}")
    return changed


def supervised(node: Node) -> bool:
    """Whether somebody keeps the programs running: our s6, or systemd."""
    return any(
        process.name == "s6-svscan" or "almagest-containerd.service" in process.cgroup
        for process in processes.of_cluster(node.state)
    )


def clear(node: Node) -> bool:
    """End every process of a former life and take away what it holds; data and images stay."""
    killed = processes.kill_everything(node.state)
    gone = list(leftovers.clear(node, neighbours.look(node)))
    return bool(killed or gone)


def claim_problems(node: Node) -> Iterator[str]:
    """A state directory in which somebody else keeps what we would write, and in the end delete.

    A disk for a part of it may be mounted there beforehand, with data of former days.
    """
    theirs = [name for name in OWN if is_filled(node.state / name)] if not node.memory.exists() else []
    if theirs:
        yield (
            f"{node.state} has {', '.join(theirs)}, and no {node.memory.name} that would say that Almagest made them: "
            "set ALMAGEST_STATE to a directory of its own"
        )


def is_filled(path: Path) -> bool:
    if path.is_mount():
        return False
    return any(path.iterdir()) if path.is_dir() else path.exists() or path.is_symlink()


def claim(node: Node) -> None:
    """Make the state directory ours, before anything else is done: write down the kernel's settings, for `down`."""
    if not node.memory.exists():
        node.state.mkdir(parents=True, exist_ok=True)
        before = {name: read(name) for name in (*KERNEL, ROUTED) if setting(name).exists()}
        partial = node.memory.with_suffix(".new")
        partial.write_text(json.dumps(before, indent=2) + "\n")
        partial.replace(node.memory)


def set_kernel() -> bool:
    """Load modules and set what differs."""
    for module in MODULES:
        subprocess.run(["modprobe", "-q", module], capture_output=True, check=False)  # most kernels have it built in
    return write_settings(KERNEL)


def restore_kernel(node: Node) -> None:
    """Give the host its former settings back."""
    if node.memory.exists():
        write_settings(json.loads(node.memory.read_text()))


def write_settings(wanted: Mapping[str, str]) -> bool:
    differing = {name: value for name, value in wanted.items() if setting(name).exists() and read(name) != value}
    for name, value in differing.items():
        setting(name).write_text(value)
    return bool(differing)


def setting(name: str) -> Path:
    return Path("/proc/sys") / name


def read(name: str) -> str:
    return setting(name).read_text().strip()


def add_link(node: Node) -> bool:
    """The bridge that carries the node's address."""
    found = subprocess.run(
        ["ip", "-j", "address", "show", "dev", node.link], capture_output=True, text=True, check=False
    )
    if not found.returncode and node.address in found.stdout:
        return False
    if found.returncode:
        subprocess.run(["ip", "link", "add", node.link, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "replace", f"{node.address}/32", "dev", node.link], check=True)
    subprocess.run(["ip", "link", "set", node.link, "up"], check=True)
    return True


if __name__ == "__main__":
    layout = Layout(cache=Path("/nonexistent"), state=Path(sys.argv[1]))
    for change in prepare(Node(layout.state, layout.state / "bin")):
        print(change)
