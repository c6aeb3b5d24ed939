"""Resident memory of the cluster and its archives: proportional set size, so that shared pages count once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from host.layout import Layout
from host.processes import of_cluster
from support.cluster import get

POD = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})")


def pss(pid: int) -> int:
    """Bytes of proportional set size; 0 for a process that ended meanwhile or a kernel thread."""
    try:
        rollup = (Path("/proc") / str(pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def measure() -> Counter[str]:
    """Bytes by `namespace/pod` and, for the node's own processes, by `node/<program>`; of no other cluster."""
    pods = {
        p["metadata"]["uid"]: f"{p['metadata']['namespace']}/{p['metadata']['name']}"
        for p in get("pods", "-A")["items"]
    }
    used: Counter[str] = Counter()
    for process in of_cluster(Layout.here().state):
        in_pod = POD.search(process.cgroup)
        # Not the name of the executable, which is one for all of Kubernetes.
        program = Path(process.args.split()[0]).name
        whose = pods.get(in_pod[1].replace("_", "-"), "node/other pods") if in_pod else f"node/{program}"
        used[whose] += pss(process.pid)
    return used


def report(used: Counter[str]) -> str:
    """A Markdown table, largest first, with the sum."""
    lines = ["| what | MB |", "|---|---:|"]
    lines += [f"| {name} | {size / 1e6:.0f} |" for name, size in used.most_common()]
    return "\n".join([*lines, f"| **sum** | **{used.total() / 1e6:.0f}** |"])
