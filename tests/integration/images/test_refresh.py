"""`images/build build --refresh` on a cache of its own, for the one image that stands on no package of Debian's.

In the cache that everybody shares it would make all images again on the day on which Debian has something new.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.images.conftest import ROOT

pytestmark = pytest.mark.integration

NOTHING_NEW = "Debian has no newer packages"
BASE_HASH = """
from builder.build import hashes
from builder.recipe import recipes
print(hashes({"base": recipes()["base"]})["base"])
"""


@dataclass(frozen=True)
class Builder:
    """`images/build` with a cache of its own."""

    cache: Path

    def run(self, *command: str) -> str:
        environment = {**os.environ, "ALMAGEST_CACHE": str(self.cache), "PYTHONPATH": str(ROOT / "images")}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def refresh(self) -> str:
        return self.run("images/build", "build", "--refresh", "pause")

    def base_hash(self) -> str:
        """The identity of the image below all that have packages."""
        return self.run("python", "-c", BASE_HASH)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """One that has asked Debian before."""
    found = Builder(tmp_path_factory.mktemp("cache"))
    assert "built pause" in found.refresh()
    return found


def test_nothing_newer_changes_no_image(builder: Builder) -> None:
    before = builder.base_hash()
    assert builder.refresh().strip() == NOTHING_NEW
    assert builder.base_hash() == before


def test_newer_packages_have_every_image_made_again(builder: Builder) -> None:
    today = builder.base_hash()
    (builder.cache / "images/packages-of").write_text("of yesterday")
    assert builder.base_hash() != today
    assert NOTHING_NEW not in builder.refresh()
    assert builder.base_hash() == today
