"""The ArchiveRelease: one word that means a digest for every image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from builder.errors import BuildError
from builder.layout import STORE, version

BUILT = STORE / "release.yaml"
PUSHED = STORE / "pushed.yaml"
"""The same images under the names that a registry has for them."""


def write(target: Path, references: Mapping[str, str]) -> None:
    """Write a catalogue of image name → reference by digest, only when it differs."""
    images = "".join(f"    {name}: {reference}\n" for name, reference in sorted(references.items()))
    text = (
        "apiVersion: almagest.science/v1alpha1\n"
        "kind: ArchiveRelease\n"
        f"metadata:\n  name: {version()!r}\n"
        f"spec:\n  images:\n{images}"
    )
    if not target.exists() or target.read_text() != text:
        target.with_suffix(".new").write_text(text)
        target.with_suffix(".new").rename(target)


def read() -> dict[str, str]:
    """Image name → reference by digest of what was built; raises BuildError when nothing has been built yet."""
    if not BUILT.exists():
        raise BuildError("no release catalogue yet; `images/build build` makes it")
    lines = BUILT.read_text().partition("  images:\n")[2].splitlines()
    return dict(line.strip().split(": ", 1) for line in lines)
