"""Puts the compiled programs, and what starts at boot or daily, into the state directory, and commands on the PATH."""

from __future__ import annotations

import filecmp
import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from host.errors import HostError
from host.layout import Layout
from host.leftovers import remove_files
from host.node import Node
from host.supervision import put

COMMANDS = Path("/usr/local/bin")
COMPLETIONS = Path("/usr/local/share/bash-completion/completions")
MODULES = ("host", "cryptography")


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
    """Copy what starts at boot and renews certificates beside the state, and drop what an older version had there.

    It must outlive the repository, the cache and an upgrade of Debian. `cryptography` is built for every Python from
    3.11 on; the part that is not, `_cffi_backend`, comes from Debian and is upgraded with Debian's Python.
    """
    lib = node.state / "lib"
    wanted = {lib / name: source for package in MODULES for name, source in module_files(package)}
    stale = [path for path in lib.rglob("*") if path.is_file() and path not in wanted and path.suffix != ".pyc"]
    differing = [path for path, source in wanted.items() if not path.exists() or not filecmp.cmp(source, path)]
    for path in differing:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        shutil.copy2(wanted[path], fresh)
        fresh.replace(path)
    return remove_files(stale) or bool(differing)


def module_files(package: str) -> Iterator[tuple[Path, Path]]:
    """Each file of an importable package: its path from where the package lies, and its absolute path."""
    found = importlib.util.find_spec(package)
    for place in (found and found.submodule_search_locations) or ():
        for path in Path(place).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                yield path.relative_to(Path(place).parent), path


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
    own = (layout.state, layout.cache, Path(os.environ.get("VIRTUAL_ENV", "/nonexistent")))
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(directory) / name
        if path.is_symlink() and lies_in(path.readlink(), own):
            continue
        if os.access(path, os.X_OK) and not lies_in(path, own):
            return True
    return False


def lies_in(path: Path, places: Iterable[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


COMPLETION = {
    "kubectl": "source <(kubectl completion bash)\n",
    "almagest": "source <(_ALMAGEST_COMPLETE=source_bash almagest)\n",
}


def completions() -> bool:
    """Tab completion for bash, loaded when a command is first completed; somebody else's of that name stays."""
    wanted = {COMPLETIONS / name: script for name, script in COMPLETION.items()}
    changed = [put(path, script, 0o644) for path, script in wanted.items() if not path.exists()]
    return any(changed)


def remove_commands(layout: Layout, where: Path = COMMANDS) -> bool:
    """Take back the links that point into our directories, and the completions."""
    own = (layout.state, layout.cache)
    links = [link for link in where.iterdir() if link.is_symlink() and lies_in(link.readlink(), own)]
    scripts = {COMPLETIONS / name: script for name, script in COMPLETION.items()}
    written = [path for path, script in scripts.items() if path.is_file() and path.read_text() == script]
    return remove_files([*links, *written])
