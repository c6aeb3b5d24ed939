"""UCD1+ (IVOA UCDlist 1.6): what the words of a Unified Content Descriptor mean.

The list is the one that astropy brings along for its checks. It is read from the package's files: to import astropy
takes longer than everything that a page does.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def words() -> dict[str, str]:
    """Lower-case word → what it means; empty where the list is not installed."""
    package = find_spec("astropy")
    for place in (package.submodule_search_locations or ()) if package else ():
        path = Path(place) / "io/votable/data/ucd1p-words.txt"
        if path.is_file():
            return dict(_read(path.read_text(encoding="utf-8")))
    return {}


def meaning(ucd: str) -> str:
    """What a UCD says, a phrase for each of its words; empty when none of them is known."""
    known = (words().get(word.strip().rpartition(":")[2].lower(), "") for word in ucd.split(";"))
    return "; ".join(phrase for phrase in known if phrase)


def _read(text: str) -> list[tuple[str, str]]:
    lines = (line.split("|") for line in text.splitlines() if line and not line.startswith("#"))
    return [(parts[1].strip().lower(), parts[2].strip()) for parts in lines if len(parts) == 3]
