"""Parameters of a cone search, from text to degrees."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.query import cone, limits
from almagest.query.errors import InvalidRequestError, TooLargeError

SENT = {"RA": "56.75", "DEC": "24.12", "SR": "0.1"}


def check(**changed: str) -> cone.Cone:
    return cone.check((SENT | changed).items())


def test_the_place_is_read_whatever_the_letter_case_of_the_names() -> None:
    asked = cone.check([("ra", "0"), ("Dec", "-90"), ("sR", "90"), ("TIME", "now"), ("anything", "x")])
    assert (asked.ra, asked.dec, asked.radius) == (0, -90, 90)
    assert (asked.verbosity, asked.maxrec) == (2, limits.DEFAULT_ROWS)


def test_a_plus_that_became_a_blank_is_no_obstacle() -> None:
    assert check(DEC=" 24.12 ").dec == 24.12


@pytest.mark.parametrize("name", ["RA", "DEC", "SR"])
@pytest.mark.parametrize(
    "value",
    ["", " ", "NaN", "nan", "inf", "-Infinity", "1e999", "1e-9999", "0x10", "1_0", "１", "12:30:00", "12h30m", "1,5",
     "1 2", "[1,2]", "1;2", "1'", "1 OR 1=1", "0) UNION SELECT 1 --", "9" * 400, "361", "-0.1e3", "null", "\0", "None"],
)  # fmt: skip
def test_what_is_no_place_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        check(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("DEC", "90.0001"), ("DEC", "-91"), ("RA", "-1"), ("SR", "-1")])
def test_what_is_off_the_sphere_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name} has to be"):
        check(**{name: value})


@pytest.mark.parametrize("value", ["0", "4", "-1", "1.0", "all", "2;3"])
def test_verb_is_one_of_three(value: str) -> None:
    with pytest.raises(InvalidRequestError, match="VERB"):
        check(VERB=value)


def test_the_same_parameter_with_two_values_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="RA was sent twice"):
        cone.check([*SENT.items(), ("ra", "57")])


@given(st.floats(0, 360), st.floats(-90, 90))
def test_every_place_that_python_writes_is_read_exactly(ra: float, dec: float) -> None:
    asked = check(RA=repr(ra), DEC=repr(dec))
    assert (asked.ra, asked.dec) == (ra, dec)


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    for name in cone.NAMES:
        with suppress(InvalidRequestError, TooLargeError):
            check(**{name: text})
