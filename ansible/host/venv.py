"""Virtual environments from the hash-pinned lock files, with our own project installed in place.

One directory per lock file, Python and repository, so that another checkout or branch never breaks the first one's.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
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


def path(layout: Layout, kind: str) -> Path:
    """`<cache>/venv/<kind>-<hash of lock file, Python version and repository>`."""
    identity = f"{sys.version}\0{ROOT}\0".encode() + lock_file(kind).read_bytes()
    return layout.venvs / f"{kind}-{hashlib.sha256(identity).hexdigest()[:12]}"


def ensure(layout: Layout, kind: str, progress: Progress) -> Path:
    """The finished virtual environment; made, repaired or left as it is. Raises HostError with the log's path."""
    venv = path(layout, kind)
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    layout.log.mkdir(parents=True, exist_ok=True)
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_suffix(".lock").open("w") as lock, (layout.log / f"venv-{kind}.log").open("a") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp(venv, "dependencies") != "complete":
            progress(f"installing the Python packages of requirements/{kind}.txt (log: {log.name})")
            create(venv, log)
            pip(venv, log, "--require-hashes", "--only-binary=:all:", "-r", str(lock_file(kind)))
            set_stamp(venv, "dependencies", "complete")
        if stamp(venv, "project") != project:
            pip(venv, log, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
            set_stamp(venv, "project", project)
    return venv


def create(venv: Path, log: TextIO) -> None:
    """Debian splits the part of Python that makes virtual environments off into a package."""
    if importlib.util.find_spec("ensurepip") is None:
        packages = ["python3-venv"]
        run(["apt-get", "update"], log)
        run(["apt-get", "install", "--yes", "--no-install-recommends", *packages], log)
    run([sys.executable, "-m", "venv", "--clear", str(venv)], log)


def pip(venv: Path, log: TextIO, *arguments: str) -> None:
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    run([*command, *arguments], log)


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


def stamp(venv: Path, name: str) -> str:
    try:
        return (venv / f".almagest-{name}").read_text()
    except FileNotFoundError:
        return ""


def set_stamp(venv: Path, name: str, value: str) -> None:
    (venv / f".almagest-{name}").write_text(value)


def environment(venv: Path) -> dict[str, str]:
    """The variables that make a virtual environment the current one."""
    variables = {**os.environ, "VIRTUAL_ENV": str(venv), "PATH": f"{venv / 'bin'}:{os.environ.get('PATH', '')}"}
    variables.pop("PYTHONHOME", None)
    return variables
