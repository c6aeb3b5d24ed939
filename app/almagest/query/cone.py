"""The parameters of a cone search as Simple Cone Search 1.03 §2.1 defines them, from text to degrees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from almagest.query import limits, request
from almagest.query.errors import InvalidRequestError

NAMES = ("RA", "DEC", "SR", "VERB", "MAXREC", "RESPONSEFORMAT", "RUNID")
"""Those that mean something here; the others are ignored, TIME of 1.1 too."""

VERBOSITIES = ("1", "2", "3")

_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cone:
    """ra, dec, radius: ICRS degrees, in range; verbosity: 1 for the main columns, 2 for the principal ones too, 3 for
    all; maxrec: rows to send at most; response_format: None for what 1.03 answers."""

    ra: float
    dec: float
    radius: float
    verbosity: int
    maxrec: int
    response_format: str | None


def check(pairs: Iterable[tuple[str, str]]) -> Cone:
    """The search that these parameters ask for. Raises InvalidRequestError or TooLargeError naming the parameter."""
    sent = request.collect(pairs, NAMES)
    return Cone(
        _degrees("RA", sent, 0, 360),
        _degrees("DEC", sent, -90, 90),
        _degrees("SR", sent, 0, limits.CONE_DEGREES),
        int(request.choice(sent, "VERB", VERBOSITIES, default="2")),
        request.row_limit(sent),
        request.response_format(sent) if sent.get("RESPONSEFORMAT", "").strip() else None,
    )


def _degrees(name: str, sent: request.Parameters, least: float, most: float) -> float:
    text = sent.get(name, "").strip()
    if not text:
        raise InvalidRequestError(f"{name} is missing; send it in decimal degrees")
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or not least <= value <= most:
        raise InvalidRequestError(
            f"{name} has to be a number of decimal degrees from {least:g} to {most:g}, not {text[:40]!r}"
        )
    return value
