"""Get the programs that the tests look at an archive with: a browser, an astronomer's TAP client, an image registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.registry import PACKAGE, PROGRAM

PACKAGES = {"chromium": "chromium", "stilts": "stilts"}


def main() -> int:
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if not missing and PROGRAM.exists():
        return 0
    if os.geteuid() != 0:
        sys.stderr.write(f"the tests need {', '.join([*missing, PACKAGE])}: run them once as root\n")
        return 1
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=environment)
    if not PROGRAM.exists():
        unpack_registry()
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
    return subprocess.run(install, check=False, env=environment, stdout=subprocess.DEVNULL).returncode


def unpack_registry() -> None:
    """The program out of its package: installed, the package would run a registry on this machine for good."""
    with tempfile.TemporaryDirectory() as directory:
        options = ["--quiet=2", "--option=APT::Sandbox::User=root"]
        subprocess.run(["apt-get", "download", *options, PACKAGE], check=True, cwd=directory)
        (package,) = Path(directory).glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, directory], check=True)
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        half = PROGRAM.with_suffix(".new")
        shutil.copy(f"{directory}/usr/bin/docker-registry", half)
        half.rename(PROGRAM)


if __name__ == "__main__":
    sys.exit(main())
