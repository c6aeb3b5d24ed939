"""The ArchiveRelease: one word that means a digest for every image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from builder.errors import BuildError
from builder.layout import STORE, version


def path() -> Path:
    return STORE / "release.yaml"


def write(references: Mapping[str, str]) -> Path:
    """Write the catalogue of image name → reference by digest, only when it differs; returns its path."""
    images = "".join(f"    {name}: {reference}\n" for name, reference in sorted(references.items()))
    text = (
        "apiVersion: almagest.science/v1alpha1\n"
        "kind: ArchiveRelease\n"
        f"metadata:\n  name: {version()!r}\n"
        f"spec:\n  images:\n{images}"
    )
    target = path()
    if not target.exists() or target.read_text() != text:
        target.with_suffix(".new").write_text(text)
        target.with_suffix(".new").rename(target)
    return target


def read() -> dict[str, str]:
    """Image name → reference by digest; raises BuildError when nothing has been built yet."""
    if not path().exists():
        raise BuildError("no release catalogue yet; `images/build build` makes it")
    lines = path().read_text().partition("  images:\n")[2].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines)
