"""The root file system under every image: Debian trixie, from its slim container image or by debootstrap."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from builder import host
from builder.buildah import buildah
from builder.errors import BuildError
from builder.layout import STORE

SLIM_IMAGE = os.environ.get("ALMAGEST_BASE_IMAGE", "debian:trixie-slim")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# What no container reads; licences stay, as their terms ask.
TRIMMED = (
    "boot",
    "etc/apt/sources.list.d",
    "home",
    "media",
    "mnt",
    "opt",
    "usr/share/i18n",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)


def archive() -> Path:
    """Where the root file system lies in the cache, by suite and way of making it."""
    way = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return STORE / f"rootfs-{host.SUITE}-{way}.tar"


def make(log: Path) -> Path:
    """The root file system as a tar file, made when the cache has none."""
    made = archive()
    if not made.exists():
        tree = STORE / f"rootfs-{host.SUITE}"
        shutil.rmtree(tree, ignore_errors=True)
        if not _from_registry(tree, log):
            _debootstrap(tree, log)
        _trim(tree)
        making = made.with_suffix(".making")
        with tarfile.open(making, "w") as tar:
            tar.add(tree, arcname=".", filter=_still)
        making.rename(made)
        shutil.rmtree(tree)
    return made


def _still(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Devices are the container runtime's; times must not change the digest."""
    entry.mtime = 0
    return None if entry.isdev() else entry


def _from_registry(tree: Path, log: Path) -> bool:
    """Take Debian's own slim image where a container registry answers."""
    try:
        name = buildah(log, "from", "--pull-always", f"docker://{SLIM_IMAGE}", timeout=60).strip()
    except BuildError:
        return False  # most bare machines have no way to one; debootstrap makes the same
    try:
        mounted = buildah(log, "mount", name).strip()
        shutil.copytree(mounted, tree, symlinks=True)
    finally:
        buildah(log, "rm", name)
    return True


def _debootstrap(tree: Path, log: Path) -> None:
    mirror, _ = host.mirrors()
    options = ["--variant=minbase", "--include=ca-certificates", "--merged-usr", f"--keyring={KEYRING}"]
    with log.open("a") as output:
        command = ["debootstrap", *options, host.SUITE, str(tree), mirror]
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise BuildError(f"debootstrap ended with exit code {done.returncode}; its log: {log} and {tree}/debootstrap")


def _trim(tree: Path) -> None:
    for name in TRIMMED:
        directory = tree / name
        if directory.is_dir():
            shutil.rmtree(directory)
            directory.mkdir()
    for document in (tree / "usr/share/doc").rglob("*"):
        if document.is_file() and document.name != "copyright":
            document.unlink()
    for name in ("etc/apt/sources.list", "etc/resolv.conf", "etc/hostname", "etc/machine-id"):
        (tree / name).unlink(missing_ok=True)
    for package in (tree / "var/cache/apt").glob("archives/*.deb"):
        package.unlink()
