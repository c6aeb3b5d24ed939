"""Install the programs that the tests look at an archive with: a browser and an astronomer's TAP client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = {"chromium": "chromium", "stilts": "stilts"}


def main() -> int:
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if not missing:
        return 0
    if os.geteuid() != 0:
        sys.stderr.write(f"the tests need {', '.join(missing)}: apt-get install {' '.join(missing)}\n")
        return 1
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=environment)
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
    return subprocess.run(install, check=False, env=environment, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
