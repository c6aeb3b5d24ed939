"""A machine inside this one: network, mounts, processes and control groups of its own, empty, and gone with the test.

What a node leaves in the kernel can be made there for real, and what takes it away can be let loose on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
CGROUPS = Path("/sys/fs/cgroup")
HIDDEN = ("/run", "/usr/local/bin", "/usr/local/share", "/var/lib", "/var/log")
"""Where the node's programs and their helpers write outside of the state directory."""
SETUP = """
set -eu
echo $$ > {group}/cgroup.procs
exec unshare --cgroup --net --mount --pid --fork --kill-child --propagation private bash -c '
    set -eu
    mount -t proc proc /proc
    for place in {hidden} {cgroups}; do mount -t tmpfs tmpfs $place; done
    {mount}
    ip link set lo up
    mkdir /run/ready
    exec sleep infinity'
"""


@dataclass
class Machine:
    """Its first process, and its control group here. state: where a cluster of ours would live in it."""

    pid: int
    group: Path
    inner: Path
    place: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.place / "state"

    def command(self, *words: str | Path) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--cgroup", *map(str, words)]

    def run(self, *words: str | Path) -> str:
        """stdout; AssertionError with stderr when it fails."""
        done = subprocess.run(
            self.command(*words), env=self._environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr}"
        return done.stdout

    def python(self, script: str) -> str:
        """What a script that may import the set-up's modules prints."""
        return self.run(sys.executable, "-c", script)

    def start(self, *words: str | Path, pod: str = "") -> subprocess.Popen[bytes]:
        """Start a program, in the control group of a pod when its uid is given."""
        entry = self.inner / "kubepods/burstable" / f"pod{pod}"
        join = f"mkdir -p {entry} && echo $$ > {entry}/cgroup.procs && " if pod else ""
        shell = self.command("sh", "-c", f'{join}exec "$@"', "sh", *words)
        process = subprocess.Popen(shell, env=self._environment(), stdin=subprocess.DEVNULL)
        self.started.append(process)
        eventually(f"{words[0]} to run", lambda: self._runs(str(words[-1])), within=20)
        return process

    def _runs(self, argument: str) -> bool:
        """Whether a program has that last argument, and no shell any more that is about to become it."""
        found = [line for line in self.run("ps", "-eo", "args").splitlines() if line.endswith(argument)]
        return bool(found) and not any(line.startswith("sh -c") for line in found)

    def _environment(self) -> dict[str, str]:
        paths = {"HOME": str(self.place), "PYTHONPATH": f"{ROOT}/ansible"}
        return {**os.environ, **paths, "ALMAGEST_STATE": str(self.state), "ALMAGEST_CACHE": str(self.place / "cache")}


@contextmanager
def machine(place: Path) -> Iterator[Machine]:
    """One that lives as long as the context; place: a directory that it shares with this one."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    inner = CGROUPS if unified else CGROUPS / "pids"
    group = inner / f"almagest-test-{os.getpid()}"
    group.mkdir()
    mount = (
        f"mount -t cgroup2 cgroup {CGROUPS}" if unified else f"mkdir {inner}; mount -t cgroup -o pids cgroup {inner}"
    )
    script = SETUP.format(group=group, hidden=" ".join(HIDDEN), cgroups=CGROUPS, mount=mount)
    holder = subprocess.Popen(["bash", "-c", script], start_new_session=True)
    try:
        first = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        eventually("the machine's first process", lambda: first.read_text().strip(), within=20)
        pid = int(first.read_text())
        eventually("the machine to be ready", lambda: Path(f"/proc/{pid}/root/run/ready").exists(), within=20)
        made = Machine(pid, group, inner, place)
        yield made
    finally:
        holder.kill()
        holder.wait(20)
        for process in made.started:
            process.wait(20)
        _remove(group)


def _remove(group: Path) -> None:
    """A control group with those in it; one that a process was in a moment ago is busy."""
    for path in [*sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True), group]:
        eventually(f"{path} to be gone", partial(_gone, path), within=10)


def _gone(group: Path) -> bool:
    group.rmdir()
    return True
