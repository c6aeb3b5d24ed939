"""Where things lie on the host; the only module that reads ALMAGEST_CACHE and ALMAGEST_STATE."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""


@dataclass(frozen=True)
class Layout:
    """The two directories that everything outside the repository lives in.

    cache: can be made again at the cost of time, and outlives `make down`; state: the cluster and its data.
    """

    cache: Path
    state: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Layout:
        """From the environment, with the defaults of docs/contracts.md.

        Symbolic links are followed, because the kernel tells the places of mounts and programs without them.
        """
        home = Path(environment.get("HOME", "/root"))
        return cls(
            cache=Path(environment.get("ALMAGEST_CACHE") or home / ".cache/almagest").resolve(),
            state=Path(environment.get("ALMAGEST_STATE") or "/var/lib/almagest").resolve(),
        )

    @classmethod
    def here(cls) -> Layout:
        return cls.of(os.environ)

    @property
    def log(self) -> Path:
        """Logs of the set-up itself; below the cache, so that they outlive a `make down`."""
        return self.cache / "log"

    @property
    def kubernetes(self) -> Path:
        return self.cache / "kubernetes"

    @property
    def go(self) -> Path:
        return self.cache / "go"

    @property
    def frontend(self) -> Path:
        return self.cache / "frontend"

    @property
    def venvs(self) -> Path:
        return self.cache / "venv"
