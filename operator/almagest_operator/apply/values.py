"""The values of generated Secrets: drawn once, at the edge, from the system's random source."""

from __future__ import annotations

import secrets
import string
from base64 import b64encode
from collections.abc import Iterable, Mapping

_ALPHABET = string.ascii_letters + string.digits


def draw(lengths: Mapping[str, int], existing: Iterable[str] = ()) -> dict[str, str]:
    """Values in base64 for the keys that do not exist yet, each of so many letters and digits (5.95 bits each)."""
    missing = {key: length for key, length in lengths.items() if key not in set(existing)}
    return {key: b64encode(_word(length).encode()).decode() for key, length in sorted(missing.items())}


def _word(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
