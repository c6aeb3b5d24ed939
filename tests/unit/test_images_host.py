"""The host's package configuration, translated for the builds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder import host
from builder.errors import BuildError

MIRROR = "http://192.0.2.7"
"""An address that RFC 5737 keeps for documentation."""

DEB822 = f"""\
# The machine's mirror
Types: deb deb-src
URIs: {MIRROR}/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: {MIRROR}/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://192.0.2.8/ignored
Suites: bookworm
Enabled: no
"""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty /etc/apt."""
    monkeypatch.setattr(host, "APT", tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


WANTED = [
    f"deb {MIRROR}/debian trixie main",
    f"deb {MIRROR}/debian trixie-updates main",
    f"deb {MIRROR}/debian-security trixie-security main",
]


def test_deb822_sources_name_the_mirrors(apt: Path) -> None:
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    assert host.sources("trixie") == WANTED


def test_one_line_sources_name_the_mirrors(apt: Path) -> None:
    (apt / "sources.list").write_text(
        f"deb [signed-by=/usr/share/keyrings/k.gpg arch=amd64] {MIRROR}/debian/ trixie main contrib\n"
        f"# deb {MIRROR}/of-yesterday/debian trixie main\n"
        f"deb {MIRROR}/debian-security trixie-security main\n"
    )
    assert host.sources("trixie") == WANTED


def test_third_party_sources_are_left_alone(apt: Path) -> None:
    (apt / "sources.list.d/other.list").write_text("deb https://packages.example/apt cloud-bookworm main\n")
    (apt / "sources.list.d/node.sources").write_text("Types: deb\nURIs: https://node.example\nSuites: nodistro\n")
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    assert host.sources("trixie") == WANTED


def test_third_party_sources_of_the_same_suite_are_no_mirror_of_debian(apt: Path) -> None:
    (apt / "sources.list.d/a-vendor.list").write_text("deb https://vendor.example/apt bookworm main\n")
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    assert host.sources("trixie") == WANTED


def test_host_without_debian_sources_is_told_so(apt: Path) -> None:
    with pytest.raises(BuildError, match=r"no Debian archive in .*sources\.list"):
        host.sources("trixie")


def test_pip_options_come_from_files_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = tmp_path / "first.conf", tmp_path / "last.conf"
    first.write_text("[global]\nindex-url = https://old.example/simple\ncert = /etc/ssl/ca.crt\ntimeout = 60\n")
    last.write_text("[install]\nindex-url = https://user:pa%ss@new.example/simple\n")
    monkeypatch.setattr(host, "PIP_CONFIGURATIONS", (str(first), str(last), ""))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_TRUSTED_HOST", "new.example")
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    assert host._pip_configuration() == (
        "[global]\nindex-url = https://user:pa%ss@new.example/simple\ntimeout = 60\ntrusted-host = new.example\n"
    )


def test_apt_options_keep_what_reaches_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apt.conf").write_text(
        'Acquire::http::Proxy "http://cache.example:3142";\nDPkg::Post-Invoke { "rm -f /var/cache/x"; };\n'
        'Acquire::IndexTargets::deb::Icons::DefaultEnabled "true";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    kept = host._reach()
    assert 'Acquire::http::Proxy "http://cache.example:3142";' in kept
    assert [line for line in kept if "IndexTargets" in line or not line.startswith("Acquire::")] == []


def test_lists_are_told_apart_by_their_packages_not_by_their_signatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "LISTS", tmp_path / "packages/apt/lists")
    assert host.lists_hash() == ""
    lists = tmp_path / "packages/apt/lists"
    lists.mkdir(parents=True)
    (lists / "mirror_trixie_main_Packages").write_text("Package: a\nVersion: 1\n")
    before = host.lists_hash()
    (lists / "mirror_trixie_InRelease").write_text("signed today")
    assert host.lists_hash() == before
    (lists / "mirror_trixie_main_Packages").write_text("Package: a\nVersion: 2\n")
    assert host.lists_hash() not in {before, ""}
