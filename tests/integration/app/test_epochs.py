"""Positions say for when they hold, in whatever way they are asked for, and only where that is known."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from support import askers, wire
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BRIGHT = "SELECT TOP 2 ra AS alpha, dec, phot_g_mean_mag FROM gaiadr3.bright"


def epochs(document: bytes) -> list[str | None]:
    """What each frame says."""
    return [frame.get("epoch") for frame in ET.fromstring(document).iter(f"{wire.VOTABLE}COOSYS")]


def test_every_way_to_a_tables_positions_tells_its_epoch(archive: Archive) -> None:
    with askers.nobody(archive) as nobody:
        assert epochs(nobody.sync(BRIGHT, RESPONSEFORMAT="votable").content) == ["J2016.0"]
        assert epochs(nobody.get(f"{nobody.done(BRIGHT)}/results/result").content) == ["J2016.0"]
        cone = nobody.get(f"{archive.url}/conesearch/hipparcos.main", RA="56.75", DEC="24.12", SR="0.5")
        assert epochs(cone.content) == ["J1991.25"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT g.ra, h.pmra FROM gaiadr3.bright AS g JOIN hipparcos.main AS h ON g.source_id = -h.hip", [None]),
        ("SELECT h.ra, g.phot_g_mean_mag FROM gaiadr3.bright AS g JOIN hipparcos.main AS h ON 1 = 0", ["J1991.25"]),
        ("SELECT TOP 1 ra, POINT(ra, dec) AS p FROM hipparcos.main", [None]),
        ("SELECT TOP 1 ivo_epoch_prop_pos(ra, dec, pmra, pmdec, 1991.25, 2026) AS p FROM hipparcos.main", [None]),
        ("SELECT TOP 1 phot_g_mean_mag FROM gaiadr3.bright", []),
    ],
)
def test_an_epoch_is_told_only_where_all_positions_are_of_it(
    archive: Archive, query: str, expected: list[str | None]
) -> None:
    with askers.nobody(archive) as nobody:
        answer = nobody.sync(query, RESPONSEFORMAT="votable")
        assert answer.status_code == 200, answer.text
        assert epochs(answer.content) == expected
