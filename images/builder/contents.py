"""What is inside an image: an SPDX 2.3 document from dpkg's and pip's own records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Package = dict[str, Any]


def sbom(root: Path, name: str, version: str) -> dict[str, Any]:
    """The SPDX document for the mounted root file system of an image."""
    packages = [*_debian(root), *_python(root)]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"almagest/{name}",
        "documentNamespace": f"https://almagest.science/sbom/{name}/{version}",
        "creationInfo": {"creators": ["Tool: almagest-images"], "created": "2026-01-01T00:00:00Z"},
        "packages": packages,
    }


def _package(name: str, version: str, locator: str) -> Package:
    safe = "".join(c if c.isalnum() or c in ".-" else "-" for c in f"{name}-{version}")
    return {
        "SPDXID": f"SPDXRef-{safe}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator},
        ],
    }


def _debian(root: Path) -> Iterator[Package]:
    status = root / "var/lib/dpkg/status"
    if not status.exists():
        return
    for stanza in status.read_text().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            yield _deb(fields["Package"], fields["Version"], fields["Architecture"])
    unpacked = root / "usr/share/almagest/unpacked/list"
    if unpacked.exists():
        for line in unpacked.read_text().splitlines():
            yield _deb(*line.split("\t"))


def _deb(name: str, version: str, architecture: str) -> Package:
    return _package(name, version, f"pkg:deb/debian/{name}@{version}?arch={architecture}")


def _python(root: Path) -> Iterator[Package]:
    listing = root / "opt/almagest/packages.json"
    if listing.exists():
        for entry in json.loads(listing.read_text()):
            yield _package(entry["name"], entry["version"], f"pkg:pypi/{entry['name']}@{entry['version']}")
