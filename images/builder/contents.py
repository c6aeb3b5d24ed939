"""What is inside an image: an SPDX 2.3 document from the records of dpkg, pip, Vite and Go's linker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Package = dict[str, Any]
# "dep  module  version  hash", and "=>  module  version  hash" below a replaced one; runtime/debug.ParseBuildInfo.
GO_MODULE = re.compile(rb"\ndep\t([\w./~!-]+)\t([\w.+-]+)[^\n]*(?:\n=>\t([\w./~!-]+)\t([\w.+-]+))?")


def sbom(root: Path, name: str, version: str) -> dict[str, Any]:
    """The SPDX document for the mounted root file system of an image."""
    found = {package["SPDXID"]: package for package in (*_debian(root), *_python(root), *_npm(root), *_go(root))}
    image = _package("image", name, version, f"pkg:oci/{name}")
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"almagest/{name}",
        "documentNamespace": f"https://almagest.science/sbom/{name}/{version}",
        "creationInfo": {"creators": ["Tool: almagest-images"], "created": "2026-01-01T00:00:00Z"},
        "packages": [image, *found.values()],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", image["SPDXID"]),
            *(_relation(image["SPDXID"], "CONTAINS", part) for part in found),
        ],
    }


def _package(kind: str, name: str, version: str, locator: str) -> Package:
    safe = "".join(c if c.isalnum() or c in ".-" else "-" for c in f"{kind}-{name}-{version}")
    return {
        "SPDXID": f"SPDXRef-{safe}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator},
        ],
    }


def _relation(subject: str, kind: str, related: str) -> Package:
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": related}


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
    return _package("deb", name, version, f"pkg:deb/debian/{name}@{version}?arch={architecture}")


def _python(root: Path) -> Iterator[Package]:
    listing = root / "opt/almagest/packages.json"
    if listing.exists():
        for entry in json.loads(listing.read_text()):
            yield _package("pypi", entry["name"], entry["version"], f"pkg:pypi/{entry['name']}@{entry['version']}")


def _npm(root: Path) -> Iterator[Package]:
    """The packages that something of is in the scripts of the pages, as the build of app/frontend listed them."""
    listing = root / "opt/almagest/frontend/packages.json"
    if listing.exists():
        for entry in json.loads(listing.read_text()):
            name = entry["name"].replace("@", "%40")
            yield _package("npm", entry["name"], entry["version"], f"pkg:npm/{name}@{entry['version']}")


def _go(root: Path) -> Iterator[Package]:
    """The modules that our own programs were linked from, as Go's linker wrote them into the programs."""
    for path in sorted((root / "usr/local/bin").glob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        program = path.read_bytes()
        if program.startswith(b"\x7fELF"):
            for line in GO_MODULE.findall(program):
                # A replaced module is followed by what was linked in its place.
                name, version = line[2:] if line[2] else line[:2]
                yield _package("go", name.decode(), version.decode(), f"pkg:golang/{name.decode()}@{version.decode()}")
