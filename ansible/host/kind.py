"""Puts the built images into a kind node, by the names that manifests use: `python -m host.kind CLUSTER`.

kind imports an archive under its tag alone; the name by digest is added in the node's own containerd, because no
registry is there to resolve it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from host.layout import Layout


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def archives(images: Path) -> dict[str, tuple[Path, str, str]]:
    """Image name → its archive, the tag inside it, and its reference by digest, from the release catalogue."""
    catalogue = yaml.safe_load((images / "release.yaml").read_text())
    found = {}
    for name, reference in catalogue["spec"]["images"].items():
        archive = max(images.glob(f"{name}-*.tar"), key=lambda path: path.stat().st_mtime)
        content_hash = archive.stem.rpartition("-")[2]
        found[name] = (archive, f"{reference.partition('@')[0]}:{content_hash}", reference)
    return found


def main(cluster: str) -> int:
    node = ("docker", "exec", f"{cluster}-control-plane", "ctr", "--namespace", "k8s.io", "images")
    present = set(run(*node, "list", "--quiet").splitlines())
    for name, (archive, tag, reference) in archives(Layout.here().cache / "images").items():
        if reference in present:
            continue
        run("kind", "load", "image-archive", str(archive), "--name", cluster)
        run(*node, "tag", "--force", tag, reference)
        print(f"loaded {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
