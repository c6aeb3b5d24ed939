"""Coordinates as people write them, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.query.coordinates import coordinates, key
from almagest.query.errors import InvalidRequestError

ORION = (83.822083, -5.391111)


@pytest.mark.parametrize(
    "text",
    [
        "83.822083 -5.391111",
        "83.822083, -5.391111",
        "83.822083;-5.391111",
        "83.822083° −5.391111°",
        "05 35 17.3 -05 23 28",
        "05:35:17.3 -05:23:28",
        "05h35m17.3s -05d23m28s",
        "5h35m17.3s, −5°23′28″",
    ],
)
def test_every_usual_way_is_read(text: str) -> None:
    assert coordinates(text) == pytest.approx(ORION, abs=1e-4)


def test_the_sign_of_a_declination_of_less_than_a_degree_is_kept() -> None:
    assert coordinates("00:00:00 -00:30:00") == pytest.approx((0, -0.5))


@pytest.mark.parametrize(
    "text", ["M 42", "NGC 1976", "HIP 70890", "1 2 3", "5", "", "12 34 56 +1 -2 3", "J2000", "s m h"]
)
def test_names_are_no_coordinates(text: str) -> None:
    assert coordinates(text) is None


@pytest.mark.parametrize("text", ["361 0", "10 91", "10 -91", "25:00:00 00:00:00", "05:61:00 00:00:00"])
def test_what_is_not_on_the_sky_is_told_so(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        coordinates(text)


@given(st.floats(0, 360), st.floats(-90, 90))
def test_degrees_come_back_as_they_were(ra: float, dec: float) -> None:
    assert coordinates(f"{ra:.9f} {dec:+.9f}") == pytest.approx((ra, dec), abs=1e-9)


@given(st.text(max_size=60) | st.text(alphabet="0123456789 .,:+-dhms°'\"", max_size=60))
def test_any_text_is_coordinates_or_none_or_refused(text: str) -> None:
    try:
        found = coordinates(text)
    except InvalidRequestError:
        return
    assert found is None or (0 <= found[0] <= 360 and -90 <= found[1] <= 90)


@pytest.mark.parametrize(
    ("one", "other"), [("M 42", "m042"), ("NGC0224", "ngc 224"), ("2MASX J0042+41", "2masxj0042+41")]
)
def test_names_that_people_write_differently_are_one(one: str, other: str) -> None:
    assert key(one) == key(other)
