"""VOUnits 1.1: what one unit is in another, for IN_UNIT (ADQL 2.1 §4.9).

A unit is a factor and the powers of base units: `km/s` is 1000 m¹ s⁻¹. Angles have a base of their own, so that
milliarcseconds are never taken for a number. Logarithmic units (mag, dex, dB) convert into nothing but themselves
(mag into mmag), and products of them are not calculated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from almagest.adql.errors import Position, WrongType
from almagest.adql.values import Kind, Value, made

MAX_UNIT = 200
"""Characters of a unit."""
MAX_POWER = 20


@dataclass(frozen=True)
class Unit:
    """factor: in base units; powers: of each base unit that stands in it."""

    factor: float
    powers: Mapping[str, float] = field(default_factory=dict)

    def times(self, other: Unit, sign: int = 1) -> Unit:
        """The product with `other`, or with sign -1 the quotient."""
        powers = dict(self.powers)
        for base, power in other.powers.items():
            powers[base] = powers.get(base, 0) + sign * power
        return Unit(self.factor * other.factor**sign, {base: power for base, power in powers.items() if power})

    def power(self, exponent: float) -> Unit:
        """This unit to a power."""
        return Unit(self.factor**exponent, {base: power * exponent for base, power in self.powers.items() if exponent})


_METRE, _SECOND, _KILOGRAM = {"m": 1.0}, {"s": 1.0}, {"kg": 1.0}
_ENERGY = {"kg": 1.0, "m": 2.0, "s": -2.0}
_ANGLE = {"rad": 1.0}
_DEGREE = math.pi / 180

_PREFIXES = {
    "da": 1e1, "h": 1e2, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21, "Y": 1e24,
    "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18, "z": 1e-21, "y": 1e-24,
}  # fmt: skip

_PREFIXED: Mapping[str, Unit] = MappingProxyType(
    {
        "m": Unit(1, _METRE),
        "s": Unit(1, _SECOND),
        "g": Unit(1e-3, _KILOGRAM),
        "A": Unit(1, {"A": 1}),
        "K": Unit(1, {"K": 1}),
        "mol": Unit(1, {"mol": 1}),
        "cd": Unit(1, {"cd": 1}),
        "rad": Unit(1, _ANGLE),
        "sr": Unit(1, {"rad": 2}),
        "arcsec": Unit(_DEGREE / 3600, _ANGLE),
        "Hz": Unit(1, {"s": -1}),
        "N": Unit(1, {"kg": 1, "m": 1, "s": -2}),
        "Pa": Unit(1, {"kg": 1, "m": -1, "s": -2}),
        "J": Unit(1, _ENERGY),
        "W": Unit(1, {"kg": 1, "m": 2, "s": -3}),
        "C": Unit(1, {"A": 1, "s": 1}),
        "V": Unit(1, {"kg": 1, "m": 2, "s": -3, "A": -1}),
        "Ohm": Unit(1, {"kg": 1, "m": 2, "s": -3, "A": -2}),
        "S": Unit(1, {"kg": -1, "m": -2, "s": 3, "A": 2}),
        "F": Unit(1, {"kg": -1, "m": -2, "s": 4, "A": 2}),
        "Wb": Unit(1, {"kg": 1, "m": 2, "s": -2, "A": -1}),
        "T": Unit(1, {"kg": 1, "s": -2, "A": -1}),
        "H": Unit(1, {"kg": 1, "m": 2, "s": -2, "A": -2}),
        "lm": Unit(1, {"cd": 1, "rad": 2}),
        "lx": Unit(1, {"cd": 1, "rad": 2, "m": -2}),
        "eV": Unit(1.602176634e-19, _ENERGY),
        "pc": Unit(149597870700 * 648000 / math.pi, _METRE),
        "Jy": Unit(1e-26, {"kg": 1, "s": -2}),
        "barn": Unit(1e-28, {"m": 2}),
        "G": Unit(1e-4, {"kg": 1, "s": -2, "A": -1}),
        "a": Unit(31557600, _SECOND),
        "yr": Unit(31557600, _SECOND),
        "lyr": Unit(299792458 * 31557600, _METRE),
        "R": Unit(1e10 / (4 * math.pi), {"photon": 1, "m": -2, "s": -1, "rad": -2}),
        "bit": Unit(1, {"bit": 1}),
        "byte": Unit(8, {"bit": 1}),
        "B": Unit(8, {"bit": 1}),
        "adu": Unit(1, {"adu": 1}),
        "ct": Unit(1, {"ct": 1}),
        "count": Unit(1, {"ct": 1}),
        "photon": Unit(1, {"photon": 1}),
        "ph": Unit(1, {"photon": 1}),
        "pix": Unit(1, {"pix": 1}),
        "pixel": Unit(1, {"pix": 1}),
        "electron": Unit(1, {"electron": 1}),
        "mag": Unit(1, {"mag": 1}),
    }
)

_PLAIN: Mapping[str, Unit] = MappingProxyType(
    {
        "min": Unit(60, _SECOND),
        "h": Unit(3600, _SECOND),
        "d": Unit(86400, _SECOND),
        "deg": Unit(_DEGREE, _ANGLE),
        "arcmin": Unit(_DEGREE / 60, _ANGLE),
        "mas": Unit(_DEGREE / 3600e3, _ANGLE),
        "uas": Unit(_DEGREE / 3600e6, _ANGLE),
        "u": Unit(1.6605390666e-27, _KILOGRAM),
        "erg": Unit(1e-7, _ENERGY),
        "Angstrom": Unit(1e-10, _METRE),
        "angstrom": Unit(1e-10, _METRE),
        "AU": Unit(149597870700, _METRE),
        "au": Unit(149597870700, _METRE),
        "Ry": Unit(2.1798723611035e-18, _ENERGY),
        "solMass": Unit(1.988409870698051e30, _KILOGRAM),
        "solRad": Unit(695700000, _METRE),
        "solLum": Unit(3.828e26, {"kg": 1, "m": 2, "s": -3}),
        "%": Unit(0.01),
        **{name: Unit(1, {name: 1}) for name in ("beam", "bin", "chan", "voxel", "dex", "dB", "Sun")},
    }
)

_LOGARITHMIC = frozenset(("mag", "dex", "dB"))

_SYMBOL = re.compile(r"[A-Za-z%]+")
_SCALE = re.compile(r"10(?:\*\*|\^)([+-]?\d{1,3})|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?\d{1,3})?")
_POWER = re.compile(r"(?:\*\*|\^)(?:([+-]?\d{1,2})|\(([+-]?\d{1,2}(?:\.\d{1,4})?)(?:/(\d{1,2}))?\))")


@lru_cache(maxsize=1024)
def parse(text: str) -> Unit | None:
    """The unit that `text` writes, as products by `.` or a blank, at most one `/`, and powers by `**`; None if none."""
    if len(text) > MAX_UNIT:
        return None
    try:
        unit, end = _quotient(text.strip(), 0, 0)
    except (OverflowError, ZeroDivisionError):
        return None
    complete = unit is not None and end == len(text.strip())
    return unit if complete and unit and 0 < unit.factor < math.inf else None


@lru_cache(maxsize=4096)
def factor(unit: str, into: str) -> float | None:
    """How many `into` one `unit` is; None where that is no number."""
    if unit == into:
        return 1.0
    first, second = parse(unit), parse(into)
    if first is None or second is None or first.powers != second.powers:
        return None
    ratio = first.factor / second.factor
    return ratio if 0 < ratio < math.inf else None


def composed(first: str | None, second: str | None, sign: str) -> str | None:
    """The unit of a product (`*`) or quotient (`/`) of quantities in single units, such as mas/yr; None for others."""
    if not (first and second and _SYMBOL.fullmatch(first) and _SYMBOL.fullmatch(second)):
        return None
    known = [parse(first), parse(second)]
    if any(unit is None or _LOGARITHMIC & unit.powers.keys() for unit in known):
        return None
    if first == second:
        return f"{first}**2" if sign == "*" else None
    return f"{first}.{second}" if sign == "*" else f"{first}/{second}"


def in_unit(given: Sequence[Value], place: Position | None) -> Value:
    """IN_UNIT(quantity, 'unit'): the quantity as float8 in another unit of its kind (ADQL 2.1 §4.9)."""
    if len(given) != 2:
        raise WrongType(f"IN_UNIT takes a quantity and a unit, not {len(given)} arguments.", place)
    quantity, target = given
    if target.kind is not Kind.TEXT or target.literal is None:
        raise WrongType("The unit of IN_UNIT must be written out.", place, "Write it as in IN_UNIT(ra, 'arcsec').")
    if not quantity.kind.numeric:
        raise WrongType(f"IN_UNIT converts numbers, not {quantity.kind.one}.", place)
    unit, wanted = quantity.column.unit, target.literal.strip()
    if parse(wanted) is None:
        raise WrongType(f"{wanted[:40]!r} is no unit of VOUnits.", place, "Write units as in 'km/s' or 'mas.yr**-1'.")
    if not unit:
        what = quantity.column.name or "this"
        raise WrongType(f"The unit of {what} is not known, so it cannot be converted.", place)
    ratio = factor(unit, wanted)
    if ratio is None:
        raise WrongType(f"{unit} cannot be converted into {wanted}.", place)
    sql = f"{quantity.inner} * CAST({ratio!r} AS double precision)"
    sql = f"CAST({quantity.sql} AS double precision)" if ratio == 1 else sql
    result = made(sql, Kind.DOUBLE, quantity, name=quantity.column.name, unit=wanted, atomic=ratio == 1)
    return result.described_as(quantity)


def _quotient(text: str, start: int, depth: int) -> tuple[Unit | None, int]:
    """product ['/' factor], from `start`; the unit and where it ends."""
    scale = _SCALE.match(text, start)
    unit = Unit(1.0)
    if scale is not None:
        unit = Unit(10.0 ** int(scale[1]) if scale[1] else float(scale[0]))
        start = scale.end() + (text[scale.end() : scale.end() + 1] in (".", " "))
    if not (scale is not None and (start == len(text) or text[start] == "/")):
        first, start = _factor(text, start, depth)
        if first is None:
            return None, start
        unit = unit.times(first)
    while text[start : start + 1] in (".", " ", "*"):
        following, start = _factor(text, start + 1, depth)
        if following is None:
            return None, start
        unit = unit.times(following)
    if text[start : start + 1] == "/":
        divisor, start = _factor(text, start + 1, depth)
        return (unit.times(divisor, -1) if divisor else None), start
    return unit, start


def _factor(text: str, start: int, depth: int) -> tuple[Unit | None, int]:
    """A symbol or an expression in parentheses, with its power."""
    unit: Unit | None
    if text[start : start + 1] == "(" and depth < 4:
        unit, end = _quotient(text, start + 1, depth + 1)
        if unit is None or text[end : end + 1] != ")":
            return None, end
        end += 1
    else:
        match = _SYMBOL.match(text, start)
        if match is None:
            return None, start
        unit, end = _symbol(match[0]), match.end()
    power = _POWER.match(text, end)
    if power is None or unit is None:
        return unit, end
    exponent = float(power[1] or power[2]) / float(power[3] or 1)
    return (unit.power(exponent) if abs(exponent) <= MAX_POWER else None), power.end()


def _symbol(text: str) -> Unit | None:
    known = _PLAIN.get(text) or _PREFIXED.get(text)
    if known is not None:
        return known
    for length in (2, 1):
        scale, base = _PREFIXES.get(text[:length]), _PREFIXED.get(text[length:])
        if scale is not None and base is not None:
            return Unit(scale * base.factor, base.powers)
    return None
