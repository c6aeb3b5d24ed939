"""Virtual environments from the hash-pinned lock files, with our own project installed in place.

The packages of a lock file are installed once for all checkouts. Each checkout has a small environment over them that
holds nothing but the project, so that a new clone is ready in seconds and another branch never breaks the first one's.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from host.errors import HostError
from host.layout import ROOT, Layout
from host.progress import Progress

KINDS = ("host", "dev")


def lock_file(kind: str) -> Path:
    return ROOT / "requirements" / f"{kind}.txt"


def packages(layout: Layout, kind: str) -> Path:
    """`<cache>/venv/<kind>-<hash of lock file and Python version>`: what the lock file names, for every checkout."""
    identity = f"{sys.version}\0{sys.base_prefix}\0".encode() + lock_file(kind).read_bytes()
    return layout.venvs / f"{kind}-{hashlib.sha256(identity).hexdigest()[:12]}"


def path(layout: Layout, kind: str) -> Path:
    """`<packages>-<hash of the repository's path>`: the environment that this checkout's commands run in."""
    below = packages(layout, kind)
    return below.with_name(f"{below.name}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}")


def ensure(layout: Layout, kind: str, progress: Progress) -> Path:
    """The finished virtual environment; made, repaired or left as it is. Raises HostError with the log's path."""
    below, venv = packages(layout, kind), path(layout, kind)
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    layout.log.mkdir(parents=True, exist_ok=True)
    below.parent.mkdir(parents=True, exist_ok=True)
    with below.with_suffix(".lock").open("w") as lock, (layout.log / f"venv-{kind}.log").open("a") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp(below) != "complete":
            progress(f"installing the Python packages of requirements/{kind}.txt (log: {log.name})")
            create(below, log)
            pip(below, below, log, "--require-hashes", "--only-binary=:all:", "-r", str(lock_file(kind)))
            set_stamp(below, "complete")
        if not stamp(venv):
            lay_over(below, venv, log)
        if stamp(venv) != project:
            pip(below, venv, log, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
            set_stamp(venv, project)
    return venv


def create(venv: Path, log: TextIO) -> None:
    """Debian splits the part of Python that makes virtual environments off into a package."""
    if importlib.util.find_spec("ensurepip") is None:
        run(["apt-get", "update"], log)
        run(["apt-get", "install", "--yes", "--no-install-recommends", "python3-venv"], log)
    run([sys.executable, "-m", "venv", "--clear", str(venv)], log)


def lay_over(below: Path, venv: Path, log: TextIO) -> None:
    """Make an environment that imports the packages of the one below and has its commands, run by its own Python."""
    run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)], log)
    # A path alone would not do: only a site directory's own .pth files are read.
    (site_packages(venv) / "packages.pth").write_text(f"import site; site.addsitedir({str(site_packages(below))!r})\n")
    own = {program.name for program in (venv / "bin").iterdir()}
    for program in (below / "bin").iterdir():
        if program.name not in own and not program.name.startswith("pip"):
            lend(program, venv / "bin" / program.name)


def lend(program: Path, target: Path) -> None:
    """A script names its interpreter, so it is written anew; anything else is the same file."""
    with program.open("rb") as file:
        script = file.read(2) == b"#!"
    if not script:
        target.symlink_to(program)
        return
    target.write_bytes(program.read_bytes().replace(bytes(program.parent), bytes(target.parent)))
    shutil.copymode(program, target)


def site_packages(venv: Path) -> Path:
    return venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def pip(runner: Path, venv: Path, log: TextIO, *arguments: str) -> None:
    """Install into `venv` with the pip of `runner`."""
    command = [str(runner / "bin" / "python"), "-m", "pip", "--python", str(venv / "bin" / "python"), "install"]
    run([*command, "--no-input", "--disable-pip-version-check", *arguments], log)


def run(command: list[str], log: TextIO) -> None:
    """Run with the output in the log. Raises HostError with its last line."""
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False
    )
    if done.returncode:
        last = Path(log.name).read_text().strip().splitlines()[-1]
        raise HostError(f"`{' '.join(command[:4])} …` failed: {last} (log: {log.name})")


def stamp(venv: Path) -> str:
    """What the environment was finished with; empty when it was not."""
    try:
        return (venv / ".almagest").read_text()
    except FileNotFoundError:
        return ""


def set_stamp(venv: Path, value: str) -> None:
    (venv / ".almagest").write_text(value)


def environment(venv: Path) -> dict[str, str]:
    """The variables that make a virtual environment the current one."""
    variables = {**os.environ, "VIRTUAL_ENV": str(venv), "PATH": f"{venv / 'bin'}:{os.environ.get('PATH', '')}"}
    variables.pop("PYTHONHOME", None)
    return variables
