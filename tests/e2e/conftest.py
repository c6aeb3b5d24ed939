"""One archive, made from nothing by `make up` and unmade by `make down`, for every test of this folder.

The tests run in file order: first what a user sees, then what breaks and heals, at the end the way down.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cluster import kubectl

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("ALMAGEST_STATE", "/var/lib/almagest"))


@dataclass(frozen=True)
class Archive:
    """The demo archive as its users reach it, and what `make up` printed while making it."""

    name: str
    namespace: str
    output: str

    def status(self) -> dict[str, Any]:
        command = ["almagest", "status", self.name, "-n", self.namespace, "--context", "almagest", "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        parsed: dict[str, Any] = json.loads(done.stdout)
        return parsed

    @property
    def site(self) -> str:
        return str(self.status()["endpoints"]["site"])

    @property
    def tap(self) -> str:
        return str(self.status()["endpoints"]["tap"])

    def psql(self, statement: str, component: str = "datadb", database: str = "data") -> str:
        """Run one statement as the superuser, inside the database's own pod."""
        pod = f"{self.name}-{component}-0"
        command = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", database, "-Atc", statement]
        return kubectl("exec", "-n", self.namespace, pod, "--", *command).strip()


def make(target: str, timeout: float) -> str:
    """Run a make target as a user would; its output, or an AssertionError that ends with it."""
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, f"make {target} failed:\n{output[-6000:]}"
    return output


@pytest.fixture(scope="session")
def archive() -> Archive:
    """`make down` and `make up`; refused where it would destroy an archive that somebody may still need.

    With ALMAGEST_TEST_RUNNING=yes the archive that runs already is used, for those who write these tests.
    """
    if os.environ.get("ALMAGEST_TEST_RUNNING") == "yes":
        return Archive("gaia", "gaia-dev", make("up", timeout=1500))
    if not may_destroy():
        pytest.skip(
            f"an archive lives in {STATE} and this suite begins and ends with `make down`: "
            "set ALMAGEST_TEST_DESTROY=yes to let it"
        )
    make("down", timeout=300)
    return Archive("gaia", "gaia-dev", make("up", timeout=1500))


def may_destroy() -> bool:
    answers = (os.environ.get("CI"), os.environ.get("ALMAGEST_TEST_DESTROY"))
    return any(answer in {"true", "yes", "1"} for answer in answers) or not (STATE / "volumes").exists()
