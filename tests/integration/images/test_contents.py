"""What is in the images, and what is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from builder.cli import everything
from builder.host import LISTS, lists_hash
from builder.outdated import offers, outdated
from builder.recipe import packages
from integration.images.conftest import ROOT, Store
from support.cluster import CACHE, release_images

pytestmark = pytest.mark.integration

UIDS = {
    "app": 10001,
    "operator": 10002,
    "postgres": 10011,
    "rabbitmq": 10012,
    "redis": 10013,
    "mariadb": 10014,
    "wordpress": 10015,
    "proxy": 10016,
    "kubernetes": 65532,
    "pause": 65532,
}


def test_every_image_of_the_contract_is_in_the_release() -> None:
    assert set(release_images()) == set(UIDS)


def test_loading_twice_changes_nothing(store: Store) -> None:
    assert store.load().strip() == "unchanged"


def test_references_of_the_release_resolve_without_a_registry(store: Store) -> None:
    listed = store.ctr("images", "list", "--quiet").splitlines()
    assert set(release_images().values()) <= set(listed)


@pytest.mark.parametrize("name", UIDS)
def test_image_runs_as_the_uid_of_the_contract(store: Store, name: str) -> None:
    assert store.image(name).configuration["User"] == f"{UIDS[name]}:{UIDS[name]}"


@pytest.mark.parametrize("name", UIDS)
def test_labels_say_what_it_is(store: Store, name: str) -> None:
    labels = store.image(name).configuration["Labels"]
    wanted = {"title", "version", "licenses", "vendor", "source", "revision"}
    assert {f"org.opencontainers.image.{key}" for key in wanted} <= set(labels)


@pytest.mark.parametrize("name", UIDS)
def test_nothing_of_the_machine_that_built_it_is_inside(store: Store, name: str) -> None:
    """Neither its CA bundle, nor its package configuration, nor the addresses of its mirrors and registries."""
    root = store.image(name).root
    for directory in ("run/build", "run/build-cache", "root/.cache", "var/lib/apt/lists"):
        assert not any((root / directory).glob("*")), directory
    for configuration in ("etc/pip.conf", "etc/apt/sources.list", "root/.npmrc", "root/.config/go/env"):
        assert not (root / configuration).exists(), configuration
    assert not any((root / "etc/apt/sources.list.d").glob("*"))
    assert _bundle() not in {path.read_bytes() for path in (root / "etc").rglob("*.crt") if path.is_file()}
    for address in _mirrors():
        search = ["grep", "-rlIF", address, str(root / "etc"), str(root / "usr/local")]
        found = subprocess.run(search, capture_output=True, check=False)
        assert found.stdout == b"", address


@pytest.mark.parametrize("name", UIDS)
def test_no_package_is_older_than_the_lists_that_it_was_made_from(name: str) -> None:
    """All images come from one state of Debian's archive, and its security archive is part of that."""
    assert lists_hash() == packages(), "Debian was asked again, and the images were not made anew"
    (image,) = [built for built in everything() if built.name == name]
    contents = json.loads(image.archive.with_suffix(".spdx.json").read_text())
    assert outdated(contents, offers(LISTS)) == []


@pytest.mark.parametrize("name", sorted(set(UIDS) - {"pause"}))
def test_no_program_gains_privileges(store: Store, name: str) -> None:
    """No setuid or setgid file: the pods could not use one, and nobody else should."""
    search = ["find", str(store.image(name).root), "-xdev", "-type", "f", "-perm", "/6000"]
    assert subprocess.run(search, capture_output=True, text=True, check=True).stdout == ""


@pytest.mark.parametrize("name", ["app", "operator"])
def test_pip_stays_outside(store: Store, name: str) -> None:
    root = store.image(name).root
    assert not any(root.glob("opt/almagest/**/site-packages/pip"))
    assert not (root / "usr/bin/pip3").exists()


def test_documented_sizes_are_the_real_ones() -> None:
    """Within a tenth: Debian's updates change them a little."""
    listing = subprocess.run(
        [str(ROOT / "images/build"), "list", "--markdown"], capture_output=True, text=True, check=True
    )
    documented, real = sizes((ROOT / "docs/images.md").read_text()), sizes(listing.stdout)
    assert set(documented) == set(real)
    for name, size in real.items():
        assert documented[name] == pytest.approx(size, rel=0.1, abs=2), name


def sizes(text: str) -> dict[str, int]:
    """Megabytes by image, from the rows of the table."""
    return {name: int(size) for name, size in re.findall(r"^\| `(\w+)` \|[^|]*\| (\d+) \|$", text, re.MULTILINE)}


def _bundle() -> bytes:
    path = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    return path.read_bytes() if path.exists() else b""


def _mirrors() -> list[str]:
    """Addresses in the sources that the images were built from."""
    lines = (CACHE / "images/build/sources.list").read_text().splitlines()
    return sorted({line.split()[1] for line in lines if line.startswith("deb")})
