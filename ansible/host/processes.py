"""The processes of the cluster, found by what they are and not by ids in files, which a crash leaves stale."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from host.layout import Layout

HELPERS = ("containerd", "containerd-shim-runc-v2", "runc", "s6-svscan", "s6-supervise", "s6-log", "sleep")
"""Programs of Debian that are ours only when they work below our state directory."""
PROGRAM = "almagest-kubernetes"
"""What all programs of Kubernetes are links to, and their executable's name."""
POD = re.compile(r"^\d+:[^:]*:/kubepods/(?:\w+/)?pod([^/\n]+)", re.MULTILINE)
"""A pod's control group, by the pod's uid, as the kubelet's driver cgroupfs names it."""
LAYER = re.compile(r"^\S+ \S+ \S+ \S+ / .*[ ,]upperdir=([^,\n]+)", re.MULTILINE)
"""The writable layer of a container's root, in its mountinfo."""


@dataclass(frozen=True)
class Process:
    """What /proc says of one process. exe and cwd are empty where the kernel tells nothing.

    layer: the writable layer of its root file system, for a process in a pod.
    """

    pid: int
    exe: str
    cwd: str
    args: str
    cgroup: str
    layer: str = ""

    @property
    def name(self) -> str:
        return Path(self.exe.removesuffix(" (deleted)")).name

    @property
    def is_of_a_node(self) -> bool:
        """A program of Kubernetes that runs from the state directory of a node, `<state>/bin/<version>/`. Those that
        tests start run from the cache, and have neither bridges nor rules."""
        return self.name == PROGRAM and Path(self.exe).parent.parent.name == "bin"

    @property
    def pod(self) -> str:
        """The uid of the pod that it runs in, whoever's that is; empty outside of pods."""
        found = POD.search(self.cgroup)
        return found[1] if found else ""


def is_ours(process: Process, state: Path, pods: Collection[str]) -> bool:
    """One of the node's programs, a helper that works for them, or part of a pod that is ours.

    pods: the uids of our kubelet's. Its directory may be gone while a container lives, whose layer is our containerd's.
    """
    below = f"{state}/"
    if process.exe.startswith(f"{below}bin/"):
        return True
    if process.pod:
        return process.pod in pods or process.layer.startswith(below)
    return process.name in HELPERS and (process.cwd.startswith(below) or below in process.args)


def pods(state: Path) -> set[str]:
    """The uids of the pods that our kubelet has or had, each of which it keeps a directory for."""
    place = state / "kubelet" / "pods"
    return {path.name for path in place.iterdir()} if place.is_dir() else set()


def listing() -> Iterator[Process]:
    """Every process but kernel threads; those that end while we look are left out."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            args = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            cgroup = (entry / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if args:
            layer = layer_of(entry) if POD.search(cgroup) else ""
            yield Process(int(entry.name), target(entry / "exe"), target(entry / "cwd"), args, cgroup, layer)


def layer_of(entry: Path) -> str:
    try:
        found = LAYER.search((entry / "mountinfo").read_text())
    except OSError:  # a process that ends just now has no mounts any more
        return ""
    return found[1] if found else ""


def target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def of_cluster(state: Path) -> list[Process]:
    own = pods(state)
    return [process for process in listing() if is_ours(process, state, own)]


def supervisor(state: Path) -> Process | None:
    """The root of the supervision tree, when it lives."""
    found = (p for p in of_cluster(state) if p.name == "s6-svscan")
    return next(found, None)


def send(processes: Iterable[Process], number: signal.Signals) -> int:
    """Signal each; how many were there to be signalled."""
    count = 0
    for process in processes:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue
        count += 1
    return count


def kill_everything(state: Path | None = None) -> int:
    """SIGKILL every process of the cluster at once, supervisor, containers and all; how many died.

    Repeats until none is left, because a supervisor that dies second starts one more.
    """
    state = state or Layout.here().state
    total = 0
    deadline = time.monotonic() + 30
    while (found := of_cluster(state)) and time.monotonic() < deadline:
        found.sort(key=lambda process: not process.name.startswith("s6-sv"))
        total += send(found, signal.SIGKILL)
        time.sleep(0.1)
    return total
