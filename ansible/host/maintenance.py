"""The daily job: `python -m host.maintenance STATE PROGRAMS`, supervised like everything else.

Certificates with less than 30 days left are renewed (their users read the files again by themselves), and etcd gives
the pages of deleted data back to the disk.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from host import certificates
from host.node import Node


def defragment(node: Node) -> list[str | Path]:
    """The command that shrinks etcd's file; it blocks writes for the second that it takes."""
    where = ["--endpoints=https://127.0.0.1:2379", f"--cacert={node.pki}/etcd.crt"]
    who = [f"--cert={node.pki}/etcd-client.crt", f"--key={node.pki}/etcd-client.key"]
    return [node.programs / "etcdctl", *where, *who, "defrag", "--command-timeout=60s"]


def main(state: str, programs: str) -> int:
    node = Node(Path(state), Path(programs))
    renewed = certificates.ensure(node.pki, certificates.leaves(node), datetime.now(UTC))
    print("certificates renewed:", " ".join(renewed) or "none was due", flush=True)
    return subprocess.run(defragment(node), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
