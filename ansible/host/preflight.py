"""What must be true of a machine before anything is done to it; each failure is one line that says what to do."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from host import compile as compiler
from host import prepare, processes, sockets
from host.layout import Layout
from host.neighbours import in_words
from host.node import Node

GIGABYTE = 10**9
NEEDED_COLD = 15 * GIGABYTE
NEEDED_WARM = 2 * GIGABYTE
PYTHON = (3, 11)
SYSTEMS = {("debian", "12"), ("debian", "13")}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
PORTS = {
    2379: "etcd",
    2380: "etcd",
    6443: "the API server",
    10248: "the kubelet",
    10249: "kube-proxy",
    10250: "the kubelet",
    10256: "kube-proxy",
    10257: "the controller manager",
    10259: "the scheduler",
    30080: "the site of the environment dev",
}
EXPOSURE = re.compile(r"^( *)exposure:(.*(?:\n\1 +.*)*)", re.MULTILINE)
EXPOSURE_TYPE = re.compile(r"^[^#\n]*\btype:\s*[\"']?(\w+)", re.MULTILINE)


def problems(layout: Layout, user: int, *, cluster: bool) -> Iterator[str]:
    """Every reason not to begin; user: the effective user id; cluster: whether this machine is to be one, too."""
    if user != 0:
        yield "this installs packages and mounts file systems and needs root: run it as root, or with `sudo -E make …`"
        return
    yield from python_problems(sys.version_info[:2])
    yield from system_problems(os_release(), platform.machine())
    yield from space_problems(layout)
    if cluster:
        yield from prepare.claim_problems(Node.of(layout))
        yield from port_problems(layout.state)
        yield from route_problems(Path("/proc/net/route").read_text(), Node.of(layout))


def tool_problems(tools: Iterable[str]) -> Iterator[str]:
    """Commands that a chosen kind of cluster needs and that cannot be installed from Debian alone."""
    for tool in tools:
        if not shutil.which(tool):
            yield f"the command {tool} is missing: install it, or leave CLUSTER out to build a cluster on this machine"


def python_problems(version: tuple[int, ...]) -> Iterator[str]:
    if version < PYTHON:
        yield f"Python {version[0]}.{version[1]} is too old: install Python {PYTHON[0]}.{PYTHON[1]} or newer as python3"


def os_release(path: Path = Path("/etc/os-release")) -> Mapping[str, str]:
    """The variables of os-release(5), {} where there is none."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, _, value in lines}


def system_problems(release: Mapping[str, str], machine: str) -> Iterator[str]:
    system = (release.get("ID", "unknown"), release.get("VERSION_ID", "unknown").split(".")[0])
    if system not in SYSTEMS:
        name = release.get("PRETTY_NAME", "an unknown system")
        yield f"this is {name}, and only Debian 12 and 13 are supported: use a machine or container with one of them"
    if machine not in MACHINES:
        yield f"this is a {machine} machine, and only amd64 and arm64 are supported"


def space_problems(layout: Layout) -> Iterator[str]:
    """A first set-up needs room to compile and to build images; later ones only some to breathe."""
    installed = compiler.compiled(layout) and (layout.cache / "images" / "release.yaml").exists()
    needed = NEEDED_WARM if installed else NEEDED_COLD
    seen = set()
    for name, place in (("ALMAGEST_CACHE", layout.cache), ("ALMAGEST_STATE", layout.state)):
        there = existing(place)
        device = there.stat().st_dev
        free = shutil.disk_usage(there).free
        if free < needed and device not in seen:
            yield (
                f"{free / GIGABYTE:.1f} GB are free at {there}, {needed / GIGABYTE:.0f} GB are needed: "
                f"make room, or set {name} to another disk"
            )
        seen.add(device)


def ingress_problems(overlay: Path, node: Node) -> Iterator[str]:
    """An Ingress that nobody would serve: what it exposes could not be reached when all is done."""
    if exposure(overlay) == "Ingress" and ingress_classes(node) == []:
        yield (
            f"environments/{overlay.parent.name}/{overlay.name} wants an Ingress, and the cluster has no IngressClass: "
            "run `make cluster`, install an ingress controller in it, and run this again"
        )


def exposure(overlay: Path) -> str:
    """The type of exposure that an overlay's manifests name, or else those of its base; "" when none does.

    Found in the text, because nothing that reads YAML is installed before the preflight has passed.
    """
    files = [path for place in (overlay, overlay.parent / "base") for path in sorted(place.glob("*.yaml"))]
    blocks = (block[2] for path in files for block in EXPOSURE.finditer(path.read_text()))
    return next((found[1] for block in blocks if (found := EXPOSURE_TYPE.search(block))), "")


def ingress_classes(node: Node) -> list[str] | None:
    """Their names; None when the cluster does not say, as after a reboot."""
    kubectl = node.state / "bin/current/kubectl"
    if not kubectl.exists():
        return []
    options = [f"--kubeconfig={node.etc}/admin.kubeconfig", "--request-timeout=5s"]
    command = [str(kubectl), *options, "get", "ingressclasses", "--output=name"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.split()


def existing(place: Path) -> Path:
    """The nearest directory upwards that exists."""
    return next(path for path in (place, *place.parents) if path.exists())


def port_problems(state: Path) -> Iterator[str]:
    """A needed port that somebody else listens on; our own programs may of course."""
    holders = sockets.holders(PORTS)
    own = {process.pid for process in processes.of_cluster(state)} if holders else set()
    for port, holder in sorted(holders.items()):
        if holder is None or holder.pid not in own:
            who = in_words(holder)
            yield f"port {port}, which {PORTS[port]} needs, is taken by {who}: end it or move it to another port"


def route_problems(table: str, node: Node) -> Iterator[str]:
    """Another network with our addresses; table: /proc/net/route, addresses as little-endian hexadecimal (proc(5))."""
    for line in table.splitlines()[1:]:
        link, destination, *_, mask = line.split()[:8]
        if link in {node.link, node.pod_link} or int(mask, 16) == 0:
            continue
        network = IPv4Network((little_endian(destination), str(little_endian(mask))))
        for own in (node.pods, node.services, IPv4Network(node.address)):
            if network.overlaps(own):
                yield f"this machine already has a route to {network} ({link}), which the cluster needs as {own}"


def little_endian(text: str) -> IPv4Address:
    return IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))
