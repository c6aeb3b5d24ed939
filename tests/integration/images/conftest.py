"""The built images in a containerd of the tests' own, with private state, socket and snapshots."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.cluster import release_images
from support.container import Container, Image, Pod, pod
from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = "k8s.io"
CONFIGURATION = """\
version = 2
root = "{directory}/root"
state = "{directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{directory}/containerd.sock"
[ttrpc]
  address = "{directory}/containerd.sock.ttrpc"
"""


class Store:
    """A containerd that holds the release's images."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mounted: dict[str, Image] = {}

    @property
    def address(self) -> Path:
        return self.directory / "containerd.sock"

    def ctr(self, *arguments: str) -> str:
        command = ["ctr", "--address", str(self.address), "--namespace", NAMESPACE, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"ctr {' '.join(arguments)}: {done.stderr.strip()}"
        return done.stdout

    def load(self) -> str:
        """What `images/build load` says."""
        command = [str(ROOT / "images/build"), "load", "--address", str(self.address), "--namespace", NAMESPACE]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout

    def image(self, name: str) -> Image:
        """An image of the release by its name, mounted until the store closes.

        Writable, as in a pod, because runc makes the mount points first and remounts it read-only then.
        """
        if name not in self.mounted:
            reference = release_images()[name]
            root = self.directory / "mounts" / name
            root.mkdir(parents=True)
            self.ctr("images", "mount", "--rw", reference, str(root))
            self.mounted[name] = Image(root, self._configuration(reference))
        return self.mounted[name]

    def close(self) -> None:
        for image in self.mounted.values():
            self.ctr("images", "unmount", "--rm", str(image.root))

    def _configuration(self, reference: str) -> dict[str, Any]:
        manifest = json.loads(self.ctr("content", "get", reference.rpartition("@")[2]))
        configuration: dict[str, Any] = json.loads(self.ctr("content", "get", manifest["config"]["digest"]))["config"]
        return configuration


class Stage:
    """Starts pods and containers from the images; ends them when the test does."""

    def __init__(self, store: Store, directory: Path, stack: ExitStack) -> None:
        self.store, self.directory, self.stack = store, directory, stack

    def pod(self, *hosts: str) -> Pod:
        """hosts: names that mean the pod itself."""
        name = f"almagest-{os.getpid()}-{self.directory.name}"[-40:]
        return self.stack.enter_context(pod(name, self.directory, *hosts))

    def container(
        self, pod: Pod, image: str, volumes: Mapping[str, str], environment: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (), name: str = "",
    ) -> Container:  # fmt: skip
        """A container that is not started yet; name: the image's, when a pod has but one of it."""
        container = Container(pod, self.store.image(image), volumes, environment or {}, arguments, name or image)
        self.stack.callback(container.kill)
        return container


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("containerd")
    (directory / "config.toml").write_text(CONFIGURATION.format(directory=directory))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(["containerd", "--config", directory / "config.toml"], stdout=log, stderr=log)
    found = Store(directory)
    try:
        eventually("containerd to answer", lambda: found.ctr("version"), within=30)
        found.load()
        yield found
        found.close()
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Iterator[Stage]:
    """A pod for this test, and its containers, which end with it."""
    with ExitStack() as stack:
        yield Stage(store, tmp_path, stack)
