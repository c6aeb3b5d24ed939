"""Puts the compiled programs, and what the daily job needs, into the state directory, and commands on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from host.errors import HostError
from host.layout import ROOT, Layout
from host.node import Node
from host.supervision import put

COMMANDS = Path("/usr/local/bin")
COMPLETIONS = Path("/usr/local/share/bash-completion/completions")


def programs(layout: Layout, node: Node) -> bool:
    """Copy the compiled programs to a directory named by their version, and forget other versions.

    A copy (a hard link where the file system allows it), so that emptying the cache leaves a running cluster whole.
    """
    source = layout.kubernetes / "current" / "bin"
    link = node.state / "bin" / "current"
    if node.programs.is_dir() and link.is_symlink() and link.readlink() == Path(node.programs.name):
        return False
    if not source.is_dir():
        raise HostError(f"no compiled Kubernetes in {source}: run `make cluster` from the start")
    if not node.programs.is_dir():
        partial = node.programs.with_name(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial, symlinks=True, copy_function=link_or_copy)
        partial.rename(node.programs)
    fresh = link.with_name(".current")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(node.programs.name)
    fresh.replace(link)
    return True


def forget_old_programs(node: Node) -> bool:
    """Delete other versions, once nothing of them runs any more."""
    old = [path for path in (node.state / "bin").iterdir() if path.is_dir() and path != node.programs]
    found = [path for path in old if not path.is_symlink()]
    for path in found:
        shutil.rmtree(path)
    return bool(found)


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def library(node: Node) -> bool:
    """Copy this package beside the state: the daily job must not depend on where the repository lies."""
    changed = False
    for path in sorted((ROOT / "ansible" / "host").glob("*.py")):
        changed |= put(node.state / "lib" / "host" / path.name, path.read_text(), 0o644)
    return changed


def wanted_commands(layout: Layout, venv: Path) -> Mapping[str, Path]:
    return {
        "kubectl": layout.state / "bin" / "current" / "kubectl",
        "almagest": venv / "bin" / "almagest",
        "kubectl-archive": venv / "bin" / "kubectl-archive",
    }


def commands(layout: Layout, venv: Path, where: Path = COMMANDS) -> bool:
    """Link our commands into the PATH, save where somebody else's of that name is found first."""
    changed = False
    for name, target in wanted_commands(layout, venv).items():
        link = where / name
        if not target.exists() or somebody_elses(name, layout):
            continue
        if not (link.is_symlink() and link.readlink() == target):
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            changed = True
    return changed


def somebody_elses(name: str, layout: Layout) -> bool:
    """Whether the PATH has a command of this name that we did not put there; virtual environments do not count."""
    environment = os.environ.get("VIRTUAL_ENV", "/nonexistent")
    own = (str(layout.state), str(layout.cache), environment)
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(directory) / name
        if path.is_symlink() and str(path.readlink()).startswith(own):
            continue
        if os.access(path, os.X_OK) and not str(path).startswith(own):
            return True
    return False


def completions() -> bool:
    """Tab completion for bash, loaded when a command is first completed."""
    scripts = {
        "kubectl": "source <(kubectl completion bash)\n",
        "almagest": "source <(_ALMAGEST_COMPLETE=source_bash almagest)\n",
    }
    changed = [put(COMPLETIONS / name, script, 0o644) for name, script in scripts.items()]
    return any(changed)


def remove_commands(layout: Layout, where: Path = COMMANDS) -> bool:
    """Take back the links that point into our directories, and the completions."""
    own = (str(layout.state), str(layout.cache))
    links = [link for link in where.iterdir() if link.is_symlink() and str(link.readlink()).startswith(own)]
    for link in links:
        link.unlink()
    for name in ("kubectl", "almagest"):
        (COMPLETIONS / name).unlink(missing_ok=True)
    return bool(links)
