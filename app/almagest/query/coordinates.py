"""PURE. Coordinates and names of objects as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from almagest.query.errors import InvalidRequestError


def coordinates(text: str) -> tuple[float, float] | None:
    """Right ascension and declination in degrees, of two decimal numbers in degrees or of hours and degrees with
    minutes and seconds; None for what are none. Raises InvalidRequestError for those that are not on the sky."""
    plain = text.replace("−", "-").replace("–", "-").strip()
    hours = bool(re.search(r"[hH:]", plain)) or len(re.findall(r"[\d.]+", plain)) > 2
    if not re.fullmatch(r"[-+\d.,;:\sdDhHmMsS°'\"′″]+", plain):
        return None
    numbers = re.findall(r"[-+]?\d+(?:\.\d*)?|[-+]?\.\d+", plain)
    match len(numbers):
        case 2 if not hours:
            ra, dec = float(numbers[0]), float(numbers[1])
        case 4 | 6 if hours and re.match(r"\d", numbers[0]):
            half = len(numbers) // 2
            if any(part[0] in "+-" for part in (*numbers[:half], *numbers[half + 1 :])):
                return None
            ra, dec = 15 * _sexagesimal(numbers[:half]), _sexagesimal(numbers[half:])
        case _:
            return None
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        raise InvalidRequestError(
            f"{text!r} is not on the sky: right ascension goes from 0 to 360°, or 24 h, declination from -90° to 90°"
        )
    return ra, dec


def _sexagesimal(parts: Sequence[str]) -> float:
    """A whole number, minutes and perhaps seconds, in the unit of the first. Raises InvalidRequestError."""
    values = [abs(float(part)) for part in parts]
    if any(value >= 60 for value in values[1:]):
        raise InvalidRequestError("minutes and seconds of coordinates are less than 60")
    total = sum(value / 60.0**place for place, value in enumerate(values))
    return -total if parts[0].startswith("-") else total


def key(name: str) -> str:
    """The name without what people write differently: M042 and m 42 are one."""
    return re.sub(r"(^|[^0-9.])0+(?=[0-9])", r"\1", "".join(c for c in name if c.isalnum() or c in "+.-").upper())
