"""A Go toolchain that is new enough: the host's own, or one fetched into the cache."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from host import venv
from host.errors import HostError
from host.layout import Layout
from host.progress import to_terminal

REQUIREMENT = Path(__file__).with_name("go.txt")
NEEDED = (1, 26)
"""Kubernetes 1.36 declares `go 1.26.0`."""


def version(text: str) -> tuple[int, int] | None:
    """(major, minor) from what `go version` prints; None when it is no release."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def is_new_enough(go: Path) -> bool:
    """Whether this `go` runs here and is at least NEEDED."""
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and (version(done.stdout) or (0, 0)) >= NEEDED


def toolchain(layout: Layout) -> Path:
    """The `go` to compile with; fetched when the host has none that is new enough. Raises HostError."""
    own = shutil.which("go")
    if own and is_new_enough(Path(own)):
        return Path(own)
    fetched = layout.go / "toolchain"
    go = fetched / "go" / "bin" / "go"
    if not is_new_enough(go):
        fetch(fetched, python_with_pip(layout))
    if not is_new_enough(go):
        raise HostError(f"the Go that was fetched to {fetched} does not run: remove that directory and try again")
    return go


def python_with_pip(layout: Layout) -> Path:
    """This interpreter, or the set-up's own virtual environment: Debian's python3 comes without pip."""
    if importlib.util.find_spec("pip"):
        return Path(sys.executable)
    return venv.ensure(layout, "host", to_terminal) / "bin" / "python"


def fetch(target: Path, python: Path) -> None:
    """Unpack the pinned wheel at `target`, all or nothing."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    pip = [str(python), "-m", "pip", "install", "--no-deps", "--no-compile", "--only-binary=:all:"]
    options = ["--require-hashes", "--target", str(partial), "-r", str(REQUIREMENT)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"no Go {NEEDED[0]}.{NEEDED[1]} here, and pip could not fetch it: {done.stderr.strip()[-300:]}")
    for program in (partial / "go" / "bin").iterdir():
        program.chmod(0o755)
    for program in (partial / "go" / "pkg" / "tool").rglob("*"):
        program.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
