"""What Vite made of app/frontend: which scripts and style sheets a page has to load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

BASE = "/static/frontend/"
"""Where the files are served; vite.config.ts has the same, for what scripts load themselves."""
ENTRY = "src/main.tsx"
NOW = "src/query/Workbench.tsx"
"""A part that the entry loads when it runs; fetched beside it, the page is usable one round trip sooner."""


class Chunk(TypedDict, total=False):
    """An entry of Vite's manifest. imports: keys of chunks that it cannot do without; css: its style sheets."""

    file: str
    imports: list[str]
    css: list[str]


@dataclass(frozen=True)
class Assets:
    """Addresses of the entry's script, of the style sheets, and of the scripts to be fetched meanwhile."""

    script: str
    sheets: tuple[str, ...]
    preloads: tuple[str, ...]


def assets(directory: Path) -> Assets | None:
    """What is to be loaded of the front end in `directory`; None when none was built into it."""
    manifest = directory / ".vite/manifest.json"
    return _assets(manifest, manifest.stat().st_mtime_ns) if manifest.exists() else None


@cache
def _assets(manifest: Path, _changed: int) -> Assets:
    chunks: dict[str, Chunk] = json.loads(manifest.read_bytes())
    needed = _closure(chunks, ENTRY)
    now = [key for key in _closure(chunks, NOW) if key not in needed] if NOW in chunks else []
    sheets = [sheet for key in (*needed, *now) for sheet in chunks[key].get("css", ())]
    preloads = [chunks[key]["file"] for key in (*needed, *now) if key != ENTRY]
    return Assets(_url(chunks[ENTRY]["file"]), tuple(map(_url, dict.fromkeys(sheets))), tuple(map(_url, preloads)))


def _closure(chunks: dict[str, Chunk], key: str) -> list[str]:
    """A chunk and all that it imports, each once."""
    found: dict[str, None] = {}
    waiting = [key]
    while waiting:
        here = waiting.pop(0)
        if here not in found:
            found[here] = None
            waiting += chunks[here].get("imports", [])
    return list(found)


def _url(file: str) -> str:
    """Vite's names have the content's hash already, so Django's are not asked for."""
    return f"{BASE}{file}"
