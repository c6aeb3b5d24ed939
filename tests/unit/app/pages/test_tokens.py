"""The design's colours: whatever is written on something can be read, light and dark (WCAG 2.2 §1.4.3, §1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import almagest.pages

SHEETS = Path(almagest.pages.__file__).parent / "static/pages"
TOKENS = (SHEETS / "tokens.css").read_text()
LIGHT, DARK, _ = re.split(r"@media", TOKENS)
GROUNDS = ("paper", "card", "sunken")
TEXTS = ("ink", "quiet", "link", "accent-text", "info", "good", "warn", "bad")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((state, f"{state}-ground") for state in ("info", "good", "warn", "bad")),
    *((text, "selected") for text in ("ink", "quiet", "link")),
    *(("accent-ink", ground) for ground in ("accent", "accent-strong")),
    ("night-ink", "night"),
]


def values(*sheets: str) -> dict[str, str]:
    """Name → colour; what a later sheet says counts."""
    return {name: value for sheet in sheets for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet)}


SCHEMES = {"light": values(LIGHT), "dark": values(LIGHT, DARK)}


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definitions)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(scheme: str, text: str, ground: str) -> None:
    colours = SCHEMES[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("edge", ["edge", "focus"])
def test_what_can_be_used_has_an_outline_that_can_be_seen(scheme: str, ground: str, edge: str) -> None:
    assert contrast(SCHEMES[scheme][edge], SCHEMES[scheme][ground]) >= 3


def test_the_pages_have_no_colour_of_their_own() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", (SHEETS / "site.css").read_text(), flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)", sheet) == []


def test_every_token_that_is_used_is_there() -> None:
    used = set(re.findall(r"var\(--([a-z0-9-]+)", (SHEETS / "site.css").read_text()))
    assert used <= set(re.findall(r"--([a-z0-9-]+):", LIGHT))
