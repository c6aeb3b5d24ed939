"""Shapes written as text: DALI 1.1 §3.3 for CAST, and what is simple of STC-S for REGION (ADQL 2.1 §4.2.19, §4.6)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from almagest.adql import geometry
from almagest.adql.errors import NotAllowed, Position, WrongType
from almagest.adql.values import Kind, Value, made

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
_SHAPES = {"POSITION": 2, "POINT": 2, "CIRCLE": 3, "BOX": 4, "POLYGON": None}
_FRAMES = frozenset(("ICRS", "GEOCENTER", "BARYCENTER", "TOPOCENTER", "UNKNOWNREFPOS", "SPHERICAL2"))
_COUNTS = {Kind.POINT: 2, Kind.CIRCLE: 3}
MAX_WORDS = 2_000


def cast(given: Value, kind: Kind, place: Position | None) -> Value:
    """CAST('…' AS POINT), CIRCLE or POLYGON: numbers of degrees between blanks."""
    name = str(kind).upper()
    if given.kind is not Kind.TEXT or given.literal is None:
        hint = f"Write {name}(…) with numbers or columns." if kind is not Kind.POLYGON else None
        raise WrongType(f"Only text that is written out can be cast to {name}, not {given.kind.one}.", place, hint)
    numbers = _numbers(_words(given.literal, place), name, _COUNTS.get(kind), place)
    if kind is Kind.POINT:
        return geometry.point(numbers, place)
    return geometry.circle(numbers, place) if kind is Kind.CIRCLE else geometry.polygon(numbers, place)


def region(given: Sequence[Value], place: Position | None) -> Value:
    """REGION('CIRCLE ICRS 10 20 1'): a position, circle, box or polygon, ICRS; unions and the like are refused."""
    if len(given) != 1 or given[0].kind is not Kind.TEXT or given[0].literal is None:
        raise WrongType("REGION takes one text that is written out.", place, "Write it as in REGION('CIRCLE 10 20 1').")
    shape, *words = _words(given[0].literal, place) or [""]
    shape = shape.upper()
    if shape not in _SHAPES:
        hint = "It takes POSITION, CIRCLE, BOX and POLYGON; join them by AND and OR."
        raise NotAllowed(f"REGION takes no {shape[:40]!r} here.", place, hint)
    while words and words[0].upper() in _FRAMES:
        words = words[1:]
    if words and words[0][0].isalpha():
        raise NotAllowed(f"REGION takes ICRS coordinates here, not {words[0][:40]!r}.", place)
    numbers = _numbers(words, shape, _SHAPES[shape], place)
    builders = {"CIRCLE": geometry.circle, "BOX": geometry.box, "POLYGON": geometry.polygon}
    return builders.get(shape, geometry.point)(numbers, place)


def _words(text: str, place: Position | None) -> list[str]:
    words = text.split()
    if len(words) > MAX_WORDS:
        raise WrongType(f"A shape has at most {MAX_WORDS:,} numbers.", place)
    return words


def _numbers(words: Sequence[str], name: str, count: int | None, place: Position | None) -> list[Value]:
    wrong = next((word for word in words if not _NUMBER.fullmatch(word)), None)
    if wrong is not None:
        raise WrongType(f"{wrong[:40]!r} is no number of degrees.", place)
    if count is not None and len(words) != count:
        raise WrongType(f"A {name} is written by {count} numbers, not {len(words)}.", place)
    return [_number(word, place) for word in words]


def _number(word: str, place: Position | None) -> Value:
    size = float(word)
    if not math.isfinite(size) or abs(size) > 1e6:
        raise WrongType(f"{word[:40]} is no angle.", place)
    text = repr(size)
    return made(text, Kind.NUMERIC, name="number", atomic=size >= 0).written(text)
