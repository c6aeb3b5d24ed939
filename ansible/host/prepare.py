"""Makes the host ready for the node's programs: run as the first thing at a set-up, and by systemd after a boot.

When no supervisor of ours lives (first start, reboot, everything killed), whatever a former life left behind is
cleared first: half-dead containers would otherwise hold addresses, mounts and locks that the new ones need.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from host import leftovers, processes
from host.layout import Layout
from host.node import Node

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
    if not supervised(node) and clear(node):
        changed.append("cleared what a former life of the cluster left")
    for directory in (node.run, node.log / "audit", node.etc, node.state / "volumes"):
        directory.mkdir(parents=True, exist_ok=True)
    node.state.chmod(0o755)
    (node.state / "volumes").chmod(0o700)  # the volumes themselves are open to every user id, for pods of any
    if set_kernel(node):
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
    steps: tuple[Callable[[], bool], ...] = (
        lambda: leftovers.remove_mounts(node),
        lambda: leftovers.remove_tree(node.run),
        lambda: leftovers.remove_links(node),
        leftovers.remove_rules,
        leftovers.remove_sets,
        leftovers.remove_cgroups,
        lambda: leftovers.remove_strays(node),
    )
    return any([bool(killed), *(step() for step in steps)])


def set_kernel(node: Node) -> bool:
    """Load modules and set what differs; the first values are kept in the state directory for `down`."""
    for module in MODULES:
        subprocess.run(["modprobe", "-q", module], capture_output=True, check=False)  # most kernels have it built in
    memory = node.state / "kernel.json"
    if not memory.exists():
        before = {name: read(name) for name in (*KERNEL, ROUTED) if setting(name).exists()}
        memory.write_text(json.dumps(before, indent=2) + "\n")
    return write_settings(KERNEL)


def restore_kernel(node: Node) -> None:
    """Give the host its former settings back."""
    memory = node.state / "kernel.json"
    if memory.exists():
        write_settings(json.loads(memory.read_text()))


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
