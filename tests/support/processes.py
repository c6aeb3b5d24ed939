"""Processes of the cluster's pods, seen from the host, for the tests that kill them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from support.cluster import get


def pids_of_pod(uid: str) -> list[int]:
    """Ids of the processes in a pod's cgroup, the pause container's included; [] when it is gone."""
    needles = (f"pod{uid}", f"pod{uid.replace('-', '_')}")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            cgroup = (entry / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if any(needle in cgroup for needle in needles):
            found.append(int(entry.name))
    return found


def command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill_in_pods(namespace: str, selector: str, word: str) -> list[int]:
    """SIGKILL every process of the selected pods whose command line contains `word`; returns their ids, never []."""
    pods = get("pods", "-n", namespace, "-l", selector)["items"]
    pids = [pid for pod in pods for pid in pids_of_pod(pod["metadata"]["uid"]) if word in command_line(pid)]
    assert pids, f"no process with {word!r} in the pods {selector} of {namespace}"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids
