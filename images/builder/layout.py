"""Where things lie: the repository, and the cache that the environment may move."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "images"
CACHE = Path(os.environ.get("ALMAGEST_CACHE") or Path.home() / ".cache/almagest")
STORE = CACHE / "images"
LOGS = CACHE / "log/images"
PREFIX = "localhost/almagest"


def version() -> str:
    """The project's version, which is also the release's name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
