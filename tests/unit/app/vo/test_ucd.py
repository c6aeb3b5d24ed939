"""What UCDs mean."""

from __future__ import annotations

import pytest

from almagest.vo.ucd import meaning


@pytest.mark.parametrize(
    ("ucd", "said"),
    [
        ("phot.mag", "Photometric magnitude"),
        ("PHOT.MAG;meta.main", "Photometric magnitude; Main value of something"),
        ("pos.eq.ra ; nonsense", "Right ascension in equatorial coordinates"),
        ("", ""),
        ("<b>", ""),
    ],
)
def test_each_word_is_explained(ucd: str, said: str) -> None:
    assert meaning(ucd) == said
