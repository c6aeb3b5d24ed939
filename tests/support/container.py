"""Containers without a cluster: an image's root file system, read-only, under runc, as the kubelet would start it.

No capabilities, no new privileges, the image's own uid; writable are only the volumes that a test names. The network
is a namespace of its own with nothing but the loopback device, so that servers keep their usual ports.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What runc's own `spec` and the kubelet mount into every container.
SYSTEM_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777", "size=256m"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
]


@dataclass(frozen=True)
class Image:
    """An image, mounted. configuration: the `config` object of its OCI image configuration."""

    root: Path
    configuration: Mapping[str, Any]

    @property
    def uid(self) -> int:
        return int(self.configuration["User"].split(":")[0])


@dataclass
class Pod:
    """What containers of one pod share: a network namespace, volumes and secrets below one directory."""

    name: str
    directory: Path
    hosts: list[str] = field(default_factory=lambda: ["localhost"])

    def neighbour(self, name: str) -> Pod:
        """Another pod, with its own volumes and secrets, that this one reaches under the names in `hosts`."""
        return replace(self, directory=self.directory / name)

    def volume(self, name: str, gid: int) -> Path:
        """A directory as the kubelet makes an emptyDir, or finds a claim, for a pod with that fsGroup."""
        path = self.directory / "volumes" / name
        if not path.exists():
            path.mkdir(parents=True)
            os.chown(path, 0, gid)
            path.chmod(0o2777)
        return path

    def secret(self, component: str, values: Mapping[str, str], gid: int) -> None:
        """The keys of one Secret, for the containers that run with that group."""
        path = self.directory / "secrets" / component
        path.mkdir(parents=True, exist_ok=True)
        for key, value in values.items():
            (path / key).write_text(value)
            os.chown(path / key, 0, gid)
            (path / key).chmod(0o440)

    def configuration(self, name: str, text: str) -> None:
        """A file of the pod's ConfigMap."""
        path = self.directory / "config"
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)

    def run(
        self, *command: str, timeout: float = 120, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A program of this machine in the pod's network."""
        inside = ["ip", "netns", "exec", self.name, *command]
        variables = {**os.environ, **(environment or {})}
        return subprocess.run(
            inside, capture_output=True, text=True, errors="replace", timeout=timeout, check=False, env=variables
        )

    def answers(self, port: int) -> bool:
        """Whether something accepts connections there."""
        return self.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}").returncode == 0


@contextmanager
def pod(name: str, directory: Path, *hosts: str) -> Iterator[Pod]:
    """A pod's network and directories; hosts: names that mean the pod itself."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield Pod(name, directory, ["localhost", *hosts])
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@dataclass
class Container:
    """One container of a pod.

    volumes: path → volume's name; arguments: replace the image's CMD, not its ENTRYPOINT; called: its name in the pod.
    """

    pod: Pod
    image: Image
    volumes: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    called: str = "main"
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return f"{self.pod.name}-{self.called}"

    @property
    def log(self) -> str:
        return (self._bundle / "log").read_text()

    def start(self) -> None:
        """Start it; the output of all starts goes to one log."""
        self._bundle.mkdir(parents=True, exist_ok=True)
        (self._bundle / "config.json").write_text(json.dumps(self._specification()))
        with (self._bundle / "log").open("ab") as log:
            command = [*self._runc, "run", "--bundle", str(self._bundle), self.name]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def exec(self, *command: str, stdin: str = "") -> str:
        """stdout of a command inside, as the image's user; AssertionError with stderr when it fails."""
        inside = [*self._runc, "exec", self.name, *command]
        done = subprocess.run(inside, input=stdin, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}\n{self.log[-2000:]}"
        return done.stdout

    def signal(self, name: str) -> None:
        """Send a signal to the container's first process."""
        subprocess.run([*self._runc, "kill", self.name, name], capture_output=True, check=False)

    def wait(self, timeout: float = 240) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def kill(self) -> None:
        """All of its processes at once, as when the machine loses power."""
        if self.process is None:
            return
        if self.process.poll() is None:
            subprocess.run([*self._runc, "kill", "--all", self.name, "KILL"], capture_output=True, check=False)
            self.process.wait(30)
        subprocess.run([*self._runc, "delete", "--force", self.name], capture_output=True, check=False)

    def restart(self) -> None:
        """A new container on the same volumes; what an emptyDir holds goes with the pod, so `/tmp` is emptied."""
        self.kill()
        for path in self._tmp.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.start()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def state(self) -> str:
        """As runc says it, e.g. `running`; empty before it exists."""
        said = subprocess.run([*self._runc, "state", self.name], capture_output=True, text=True, check=False).stdout
        return str(json.loads(said)["status"]) if said else ""

    @property
    def _runc(self) -> list[str]:
        return ["runc", "--root", str(self.pod.directory / "runc")]

    @property
    def _tmp(self) -> Path:
        """Each container's own."""
        return self.pod.volume(f"tmp-{self.called}", self.image.uid)

    @property
    def _bundle(self) -> Path:
        return self.pod.directory / "bundles" / self.called

    def _specification(self) -> dict[str, Any]:
        """The OCI runtime specification."""
        uid, given = self.image.uid, self.image.configuration
        variables = {"PATH": PATH, **dict(entry.split("=", 1) for entry in given.get("Env", [])), **self.environment}
        arguments = [*given.get("Entrypoint", []), *(self.arguments or given.get("Cmd", []))]
        spaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
        return {
            "ociVersion": "1.0.2",
            "hostname": self.pod.name,
            "root": {"path": str(self.image.root), "readonly": True},
            "process": {
                "user": {"uid": uid, "gid": uid},
                "args": arguments,
                "env": [f"{key}={value}" for key, value in variables.items()],
                "cwd": given.get("WorkingDir") or "/",
                "noNewPrivileges": True,
            },
            "mounts": [*SYSTEM_MOUNTS, *self._mounts()],
            "linux": {
                "namespaces": [*spaces, {"type": "network", "path": f"/run/netns/{self.pod.name}"}],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                "readonlyPaths": ["/proc/sys", "/proc/bus"],
            },
        }

    def _mounts(self) -> list[dict[str, Any]]:
        hosts = self.pod.directory / "hosts"
        hosts.write_text(f"127.0.0.1 {' '.join(self.pod.hosts)} {self.pod.name}\n")
        sources = {"/tmp": self._tmp}
        sources |= {path: self.pod.volume(name, self.image.uid) for path, name in self.volumes.items()}
        mounts = [_bind(path, source, "rw") for path, source in sorted(sources.items())]
        mounts.append(_bind("/etc/hosts", hosts, "ro"))
        for path, name in (("/run/secrets/almagest", "secrets"), ("/etc/almagest", "config")):
            if (self.pod.directory / name).is_dir():
                mounts.append(_bind(path, self.pod.directory / name, "ro"))
        return mounts


def _bind(path: str, source: Path, mode: str) -> dict[str, Any]:
    return {"destination": path, "type": "bind", "source": str(source), "options": ["rbind", mode, "nosuid", "nodev"]}
