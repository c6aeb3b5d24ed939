"""Units convert as astropy converts them, or not at all."""

from __future__ import annotations

import warnings

import astropy.units as u
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.adql import WrongType, translate
from almagest.adql.units import composed, factor, parse
from support.stars import SKY


@pytest.mark.parametrize(
    ("unit", "into"),
    [
        ("deg", "arcsec"),
        ("mas", "deg"),
        ("mas.yr**-1", "arcsec/yr"),
        ("mas/yr", "deg.d**-1"),
        ("km/s", "m.s**-1"),
        ("km.s**-1", "pc/yr"),
        ("mJy", "W.m**-2.Hz**-1"),
        ("erg.s**-1.cm**-2.Angstrom**-1", "W/(m**2.um)"),
        ("10**-26W.m**-2.Hz**-1", "Jy"),
        ("AU", "km"),
        ("pc", "lyr"),
        ("solMass", "kg"),
        ("solLum", "erg/s"),
        ("solRad", "km"),
        ("eV", "J"),
        ("GHz", "s**-1"),
        ("deg**2", "sr"),
        ("kyr", "d"),
        ("h", "min"),
        ("dam", "m"),
        ("Mpc**(1/3)", "pc**(1/3)"),
        ("ct/s", "ct.h**-1"),
        ("nT", "G"),
        ("Pa", "mbarn.J.m**-5"),
        ("u", "g"),
        ("Ry", "eV"),
    ],
)
def test_factors_are_those_of_astropy(unit: str, into: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        expected = u.Unit(unit, format="vounit").to(u.Unit(into, format="vounit"))
    assert factor(unit, into) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("unit", "into"),
    [("deg", "m"), ("mag", "Jy"), ("deg", "s"), ("m", "m/s"), ("dex", "mag"), ("deg", ""), ("rad", "1")],
)
def test_other_quantities_do_not_convert(unit: str, into: str) -> None:
    assert factor(unit, into) is None


@pytest.mark.parametrize(
    "text", ["", "m//s", "m/s/kg", "m**", "(m", "m)", "m..s", "xx", "m**99", "m" * 500, "10**999m", "/", "1e400m"]
)
def test_what_is_no_unit_is_not_guessed(text: str) -> None:
    assert parse(text) is None


@settings(max_examples=300, deadline=None)
@given(st.text("kmsgdJyer10.*/()^- %", max_size=30))
def test_any_text_is_a_unit_or_none(text: str) -> None:
    unit = parse(text)
    assert unit is None or unit.factor > 0


@pytest.mark.parametrize(
    ("first", "second", "sign", "expected"),
    [
        ("mas", "yr", "/", "mas/yr"),
        ("km", "s", "*", "km.s"),
        ("deg", "deg", "*", "deg**2"),
        ("deg", "deg", "/", None),
        ("mag", "yr", "/", None),
        ("km/s", "s", "*", None),
        (None, "s", "*", None),
    ],
)
def test_products_have_a_unit_where_it_is_sure(
    first: str | None, second: str | None, sign: str, expected: str | None
) -> None:
    assert composed(first, second, sign) == expected


def test_in_unit_carries_the_unit_and_the_meaning() -> None:
    (column,) = translate("SELECT IN_UNIT(ra, 'arcsec') FROM sky.stars", SKY).columns
    assert (column.name, column.unit, column.ucd) == ("ra", "arcsec", "pos.eq.ra;meta.main")
    assert column.description == "right ascension"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("IN_UNIT(n, 'm')", "The unit of n is not known"),
        ("IN_UNIT(ra, 'm')", "deg cannot be converted into m"),
        ("IN_UNIT(ra, 'furlong')", "'furlong' is no unit of VOUnits"),
        ("IN_UNIT(ra, name)", "must be written out"),
        ("IN_UNIT(name, 'm')", "converts numbers"),
        ("IN_UNIT(ra)", "takes a quantity and a unit"),
    ],
)
def test_in_unit_says_what_it_cannot_do(call: str, reason: str) -> None:
    with pytest.raises(WrongType, match=reason):
        translate(f"SELECT {call} FROM sky.stars", SKY)
