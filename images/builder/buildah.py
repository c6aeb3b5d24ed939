"""The calls to buildah: storage of its own below the cache, and chroot isolation, which needs no privilege to spare."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from builder.errors import BuildError
from builder.layout import CACHE, STORE

# Every layer carries the same times, so that the same input gives the same digest.
EPOCH = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
LOOPBACK = re.compile(r"docker://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?/")


def buildah(log: Path, *arguments: str, timeout: float = 3600) -> str:
    """Run buildah; stdout is returned, stderr goes to the log. Raises BuildError that names the log."""
    storage = ["--root", str(STORE / "storage"), "--runroot", str(STORE / "run"), "--storage-driver", "overlay"]
    with log.open("ab") as output:
        output.write(f"$ buildah {' '.join(arguments)}\n".encode())
        output.flush()
        try:
            command = ["buildah", *storage, *arguments]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=output, check=False, timeout=timeout, text=True
            )
        except FileNotFoundError as error:
            raise BuildError("buildah is missing: `apt-get install buildah`, or let `make images` do it") from error
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"buildah {arguments[0]} took longer than {timeout:g} s; its log: {log}") from error
        output.write(done.stdout.encode())
    if done.returncode:
        raise BuildError(f"buildah {arguments[0]} ended with exit code {done.returncode}; its log: {log}")
    return done.stdout


def bud(
    log: Path, context: Path, tag: str, arguments: Mapping[str, str], labels: Mapping[str, str], mounts: Path
) -> None:
    """Build a context's Containerfile; `mounts` is seen at /run/build, package caches at /run/build-cache."""
    caches = CACHE / "packages"
    for name in ("apt/lists/partial", "apt/archives/partial", "pip"):
        (caches / name).mkdir(parents=True, exist_ok=True)
    options = ["--isolation", "chroot", "--format", "oci", "--timestamp", str(EPOCH), "--layers=false", "--pull=never"]
    options += ["--volume", f"{mounts}:/run/build:ro", "--volume", f"{caches}:/run/build-cache"]
    for key, value in arguments.items():
        options += ["--build-arg", f"{key}={value}"]
    for key, value in labels.items():
        options += ["--label", f"{key}={value}"]
    buildah(log, "bud", *options, "--tag", tag, str(context))


def push(log: Path, tag: str, target: str, digest_file: Path) -> str:
    """Write an image to an archive or a registry; returns its manifest's digest.

    A registry of this machine may speak plain HTTP, as for Docker and containerd.
    """
    options = ["--disable-compression", "--format", "oci", "--digestfile", str(digest_file)]
    if LOOPBACK.match(target):
        options.append("--tls-verify=false")
    buildah(log, "push", *options, tag, target)
    return digest_file.read_text().strip()


def sweep(log: Path) -> None:
    """Remove the working containers that a killed build left behind."""
    if buildah(log, "containers", "--quiet").strip():
        buildah(log, "rm", "--all")


def prune(log: Path, keep: Collection[str]) -> None:
    """Remove every image from buildah's storage but those with these tags."""
    listing = buildah(log, "images", "--all", "--noheading", "--format", "{{.Name}}:{{.Tag}}").splitlines()
    if stale := [tag for tag in listing if tag not in keep and "<none>" not in tag]:
        buildah(log, "rmi", "--force", *stale)
    buildah(log, "rmi", "--prune")
