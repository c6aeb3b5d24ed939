"""The list of contents of an image, and the release catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from builder import release
from builder.contents import sbom
from builder.errors import BuildError

STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.41-12
Architecture: amd64
Description: GNU C Library
 Status: not a field

Package: removed
Status: deinstall ok config-files
Version: 1
Architecture: all
"""
LINKED = (
    b"\x7fELF\x02\x01\0\0path\tmain\nmod\texample.org/own\t(devel)\t\n"
    b"dep\tk8s.io/api\tv0.36.2\th1:abc=\n"
    b"dep\tgithub.com/old/router/v2\tv2.6.0\n=>\tgithub.com/new/router/v2\tv2.6.3-k3s1\th1:def=\nbuild\t-trimpath=true\n"
)


def test_contents_come_from_dpkg_pip_and_the_linker(tmp_path: Path) -> None:
    for path, data in (
        ("var/lib/dpkg/status", STATUS.encode()),
        ("usr/share/almagest/unpacked/list", b"wordpress\t6.8\tall\n"),
        ("opt/almagest/packages.json", json.dumps([{"name": "django", "version": "5.2.19"}]).encode()),
        ("usr/local/bin/kubernetes", LINKED),
        ("usr/local/bin/script", b"#!/bin/sh\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    document = sbom(tmp_path, "kubernetes", "0.1.0")
    locators = [package["externalRefs"][0]["referenceLocator"] for package in document["packages"]]
    assert locators == [
        "pkg:oci/kubernetes",
        "pkg:deb/debian/libc6@2.41-12?arch=amd64",
        "pkg:deb/debian/wordpress@6.8?arch=all",
        "pkg:pypi/django@5.2.19",
        "pkg:golang/k8s.io/api@v0.36.2",
        "pkg:golang/github.com/new/router/v2@v2.6.3-k3s1",
    ]
    assert len(document["relationships"]) == len(locators)


def test_image_from_scratch_contains_nothing(tmp_path: Path) -> None:
    assert [package["name"] for package in sbom(tmp_path, "pause", "0.1.0")["packages"]] == ["pause"]


def test_catalogue_is_a_release_and_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "BUILT", tmp_path / "release.yaml")
    references = {"web": "localhost/almagest/web@sha256:1", "app": "localhost/almagest/app@sha256:2"}
    release.write(release.BUILT, references)
    parsed = yaml.safe_load(release.BUILT.read_text())
    assert (parsed["apiVersion"], parsed["kind"]) == ("almagest.science/v1alpha1", "ArchiveRelease")
    assert parsed["spec"]["images"] == references
    assert release.read() == references
    assert isinstance(parsed["metadata"]["name"], str)


def test_unchanged_catalogue_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "BUILT", tmp_path / "release.yaml")
    release.write(release.BUILT, {"web": "w@sha256:1"})
    before = release.BUILT.stat()
    release.write(release.BUILT, {"web": "w@sha256:1"})
    after = release.BUILT.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_missing_catalogue_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "BUILT", tmp_path / "release.yaml")
    with pytest.raises(BuildError, match="images/build build"):
        release.read()
