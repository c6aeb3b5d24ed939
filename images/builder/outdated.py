"""Which Debian packages of an image are older than what Debian had when it was made."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Offers = Mapping[tuple[str, str], Collection[str]]
"""(package, architecture) → its versions in some package lists."""
STANZA = re.compile(r"^Package: (\S+)$.*?^Version: (\S+)$.*?^Architecture: (\S+)$", re.MULTILINE | re.DOTALL)
LOCATOR = re.compile(r"pkg:deb/debian/([^@]+)@(\S+)\?arch=(\S+)")


@cache
def offers(lists: Path) -> Offers:
    """What apt's own directory of lists offers; read once, because it does not change while images are built."""
    found = defaultdict(set)
    for path in sorted(lists.glob("*_Packages")):
        for stanza in path.read_text().split("\n\n"):
            if fields := STANZA.search(stanza):
                found[fields[1], fields[3]].add(fields[2])
    return found


def outdated(sbom: Mapping[str, Any], offered: Offers) -> list[str]:
    """`package version < newer version` for every Debian package of a list of contents that is behind.

    The lists count the same for apt, Debian's security archive too: it takes the newest version of all.
    """
    return [
        f"{name} {version} < {newer}"
        for name, version, architecture in _debian(sbom)
        for newer in sorted(offered.get((name, architecture), ()))
        if _is_newer(newer, version)
    ]


def _debian(sbom: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for package in sbom["packages"]:
        if found := LOCATOR.fullmatch(package["externalRefs"][0]["referenceLocator"]):
            yield found[1], found[2], found[3]


def _is_newer(version: str, other: str) -> bool:
    """In dpkg's order (deb-version(7))."""
    if version == other:
        return False
    return subprocess.run(["dpkg", "--compare-versions", version, "gt", other], check=False).returncode == 0
