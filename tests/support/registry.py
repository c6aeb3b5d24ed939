"""A container registry of the tests' own, as the documentation's examples have one: Debian's, on 127.0.0.1:5000."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from support.cluster import CACHE
from support.waiting import eventually

PACKAGE = "docker-registry"
PROGRAM = CACHE / "tools/docker-registry"
ADDRESS = "127.0.0.1:5000"


@contextmanager
def run_registry(directory: Path) -> Iterator[str]:
    """`host:port` of an empty registry that speaks plain HTTP and is gone after the context."""
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "blobs")}},
        "http": {"addr": ADDRESS},
    }
    (directory / "registry.yml").write_text(yaml.safe_dump(settings))
    with (directory / "registry.log").open("wb") as log:
        command = [str(PROGRAM), "serve", str(directory / "registry.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        eventually("the registry to listen", lambda: _listens(process))
        yield ADDRESS
    finally:
        process.terminate()
        process.wait(15)


def _listens(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the registry ended: is its port taken?"
    host, port = ADDRESS.split(":")
    with socket.create_connection((host, int(port)), timeout=1):
        return True
