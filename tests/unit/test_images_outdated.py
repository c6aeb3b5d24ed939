"""Which packages of an image are older than Debian's, and the tools that bring them up to date."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from builder.layout import IMAGES
from builder.outdated import offers, outdated

RELEASE = """\
Package: libzstd1
Source: libzstd
Version: 1.5.7+dfsg-1
Architecture: amd64
Description: fast compression

Package: passwd
Version: 1:4.17.4-2
Architecture: amd64

Package: tzdata
Version: 2026b-0+deb13u1
Architecture: all
"""
SECURITY = """\
Package: libzstd1
Version: 1.5.7+dfsg-1+deb13u1
Architecture: amd64
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "mirror_debian_dists_trixie_main_binary-amd64_Packages").write_text(RELEASE)
    (tmp_path / "mirror_security_dists_trixie-security_main_binary-amd64_Packages").write_text(SECURITY)
    return tmp_path


def contents(*packages: str) -> dict[str, Any]:
    return {"packages": [{"externalRefs": [{"referenceLocator": f"pkg:{package}"}]} for package in packages]}


def test_package_behind_the_security_archive_is_named(lists: Path) -> None:
    image = contents("oci/base", "deb/debian/libzstd1@1.5.7+dfsg-1?arch=amd64", "pypi/django@5.2.19")
    assert outdated(image, offers(lists)) == ["libzstd1 1.5.7+dfsg-1 < 1.5.7+dfsg-1+deb13u1"]


@pytest.mark.parametrize(
    "package",
    [
        "deb/debian/libzstd1@1.5.7+dfsg-1+deb13u1?arch=amd64",
        "deb/debian/passwd@1:4.17.4-2?arch=amd64",
        "deb/debian/passwd@1:4.17.5-1?arch=amd64",
        "deb/debian/tzdata@2026b-0+deb13u1?arch=all",
        "deb/debian/libzstd1@1.0?arch=arm64",
        "deb/debian/of-the-vendor@1.0?arch=amd64",
    ],
)
def test_newest_and_unknown_packages_are_in_order(lists: Path, package: str) -> None:
    assert outdated(contents(package), offers(lists)) == []


@pytest.mark.parametrize("tool", ["apt-act", "apt-install", "apt-unpack"])
def test_tool_without_anything_to_do_fails_instead_of_doing_nothing(tool: str) -> None:
    done = subprocess.run(["sh", IMAGES / "builder/tools" / tool], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "needed" in done.stderr
