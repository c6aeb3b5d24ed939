"""Simple Cone Search as clients use it, and as attackers do."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import pyvo
import requests
from astropy.coordinates import SkyCoord

from support import catalogues, wire
from support.archive import Archive

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

PLEIADES = SkyCoord(56.75, 24.12, unit="deg")
HERE = {"RA": "56.75", "DEC": "24.12"}


def cone(archive: Archive, table: str = "gaiadr3.bright", **parameters: str) -> requests.Response:
    """The answer around the Pleiades. None of these may be a mistake of the server's."""
    answer = requests.get(f"{archive.url}/conesearch/{table}", params=HERE | parameters, timeout=60)
    assert answer.status_code < 500, answer.text
    return answer


def near(rows: catalogues.Rows, degrees: float) -> catalogues.Rows:
    found: catalogues.Rows = rows[SkyCoord(rows["ra"], rows["dec"], unit="deg").separation(PLEIADES).deg < degrees]
    return found


def error(answer: requests.Response) -> str:
    """The message where a client of 1.03 looks for it."""
    first = ET.fromstring(answer.content)[0]
    assert (first.tag, first.get("name")) == (f"{wire.VOTABLE}INFO", "Error"), answer.text
    assert wire.status(answer.content)[0] == "ERROR"
    return first.get("value", "")


def ucds(answer: requests.Response) -> list[str]:
    return [field.get("ucd", "") for field in ET.fromstring(answer.content).iter(f"{wire.VOTABLE}FIELD")]


def test_pyvo_finds_what_numpy_finds(archive: Archive) -> None:
    found = pyvo.dal.SCSService(f"{archive.url}/conesearch/gaiadr3.bright?").search(PLEIADES, 0.5)
    expected = near(catalogues.gaia(), 0.5)
    assert len(expected) > 20
    assert {int(record.id) for record in found} == set(expected["source_id"])
    assert all(record.pos.separation(PLEIADES).deg < 0.5 for record in found)


def test_stilts_finds_what_numpy_finds(archive: Archive, tmp_path: Path) -> None:
    url, rows = f"{archive.url}/conesearch/hipparcos.main?", tmp_path / "rows.csv"
    command = ["stilts", "cone", f"serviceurl={url}", "lon=56.75", "lat=24.12", "radius=1", f"out={rows}", "ofmt=csv"]
    subprocess.run(command, check=True, timeout=120)
    found = {int(row["hip"]) for row in wire.csv_rows(rows.read_text())}
    assert found == set(near(catalogues.hipparcos(), 1.0)["hip"])


def test_stilts_shows_why_a_search_was_refused(archive: Archive) -> None:
    url = f"{archive.url}/conesearch/hipparcos.main?"
    command = ["stilts", "cone", f"serviceurl={url}", "lon=56.75", "lat=24.12", "radius=500", "out=-"]
    outcome = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert "SR has to be a number of decimal degrees from 0 to 90" in outcome.stderr


def test_the_pole_and_the_meridian_are_no_edges(archive: Archive) -> None:
    for ra, dec in ((0.0, 89.9), (359.99, 0.0)):
        answer = cone(archive, RA=str(ra), DEC=str(dec), SR="1", VERB="1")
        rows = catalogues.gaia()
        inside = SkyCoord(rows["ra"], rows["dec"], unit="deg").separation(SkyCoord(ra, dec, unit="deg")).deg < 1
        assert {int(key) for key in wire.table(answer.content)["source_id"]} == set(rows["source_id"][inside])


def test_verb_chooses_columns(archive: Archive) -> None:
    fields = [len(ucds(cone(archive, "hipparcos.main", SR="0.1", VERB=verb))) for verb in ("1", "2", "3")]
    assert fields == [3, 9, 22]


@pytest.mark.parametrize("table", catalogues.TABLES)
@pytest.mark.parametrize("verb", ["1", "2", "3"])
def test_exactly_one_field_has_each_main_ucd(archive: Archive, table: str, verb: str) -> None:
    oldest = ucds(cone(archive, table, SR="0.1", VERB=verb))
    assert [oldest.count(ucd) for ucd in ("ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN")] == [1, 1, 1]
    later = ucds(cone(archive, table, SR="0.1", VERB=verb, RESPONSEFORMAT="votable"))
    main = ("meta.id;meta.main", "pos.eq.ra;meta.main", "pos.eq.dec;meta.main")
    assert [later.count(ucd) for ucd in main] == [1, 1, 1]


def test_an_answer_without_wishes_is_what_the_oldest_clients_read(archive: Archive) -> None:
    answer = cone(archive, SR="0.1")
    assert answer.headers["Content-Type"] == "text/xml"
    assert b"<TABLEDATA>" in answer.content
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("wanted", "answered"), [("csv", "text/csv"), ("votable", "application/x-votable+xml")])
def test_a_format_may_be_asked_for(archive: Archive, wanted: str, answered: str) -> None:
    assert cone(archive, SR="0.1", RESPONSEFORMAT=wanted).headers["Content-Type"].split(";")[0] == answered


def test_a_radius_of_zero_asks_for_the_columns_alone(archive: Archive) -> None:
    answer = cone(archive, SR="0")
    assert len(wire.table(answer.content)) == 0
    assert len(ucds(answer)) > 3
    assert wire.status(answer.content) == ("OK", "")


def test_an_empty_sky_is_no_error(archive: Archive) -> None:
    answer = cone(archive, SR="1e-9")
    assert (len(wire.table(answer.content)), wire.status(answer.content)[0]) == (0, "OK")


def test_maxrec_cuts_and_says_so(archive: Archive) -> None:
    answer = cone(archive, SR="90", MAXREC="7")
    assert (len(wire.table(answer.content)), wire.status(answer.content)[0]) == (7, "OVERFLOW")


def test_post_works_as_get_does(archive: Archive) -> None:
    posted = requests.post(f"{archive.url}/conesearch/gaiadr3.bright", data=HERE | {"SR": "0.2"}, timeout=30)
    # The two documents differ in the second at which they were asked for.
    assert wire.table(posted.content).pformat() == wire.table(cone(archive, SR="0.2").content).pformat()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [(name, value) for name in ("RA", "DEC", "SR") for value in
     ("", "NaN", "inf", "-Infinity", "1e999", "0x1p3", "12:30:00", "1,2", "[1,2]", "'", "1; DROP TABLE hipparcos.main",
      "1)) OR 1=1 --", "(SELECT 1)", "9" * 10_000, "\x00", "é")]
    + [("VERB", "4"), ("VERB", "x"), ("MAXREC", "-1"), ("MAXREC", "1e3"), ("RESPONSEFORMAT", "docx"), ("SR", "90.1"),
       ("RA", "-1"), ("DEC", "90.1"), ("RA", "9" * 30_000), ("RUNID", "r" * 65)],
)  # fmt: skip
def test_a_user_error_names_the_parameter(archive: Archive, parameter: str, value: str) -> None:
    answer = cone(archive, **({"SR": "0.1"} | {parameter: value}))
    # Clients of 1.03 read no document that HTTP calls a failure.
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml")
    assert parameter in error(answer) or "docx" in error(answer)


def test_a_parameter_with_two_values_is_refused(archive: Archive) -> None:
    sent = [*HERE.items(), ("SR", "1"), ("sr", "2")]
    answer = requests.get(f"{archive.url}/conesearch/gaiadr3.bright", params=sent, timeout=30)
    assert "SR was sent twice" in error(answer)


@pytest.mark.parametrize(
    "name",
    ["nix", "hipparcos.nix", "almagest.loads", "pg_catalog.pg_class", 'hipparcos."main"', "HIPPARCOS.MAIN", "a" * 200,
     "hipparcos.main;", "%00", "' OR 1=1 --"],
)  # fmt: skip
def test_a_table_that_is_not_there_is_not_found(archive: Archive, name: str) -> None:
    answer = cone(archive, name, SR="0.1")
    assert answer.status_code == 404
    assert "there is no table" in error(answer)


def test_capabilities_offer_a_search_that_finds_something(archive: Archive) -> None:
    for table in catalogues.TABLES:
        answer = requests.get(f"{archive.url}/conesearch/{table}/capabilities", timeout=30)
        (service,) = (part for part in ET.fromstring(answer.content) if part.find("maxSR") is not None)
        base = service.findtext("interface/accessURL", "")
        assert base == f"{archive.url}/conesearch/{table}?"
        query = "&".join(f"{part.tag.upper()}={part.text}" for part in service.iterfind("testQuery/*"))
        assert len(wire.table(requests.get(base + query, timeout=30).content)) >= 1


def test_availability_is_that_of_the_archive(archive: Archive) -> None:
    answer = requests.get(f"{archive.url}/conesearch/gaiadr3.bright/availability", timeout=30)
    assert b"<vosi:available>true</vosi:available>" in answer.content


@pytest.mark.parametrize("parameters", [{"SR": "0.2"}, {"SR": "0.2", "VERB": "3"}, {"SR": "0"}, {"SR": "x"}])
def test_votlint_has_nothing_to_say(archive: Archive, tmp_path: Path, parameters: dict[str, str]) -> None:
    document = tmp_path / "answer.vot"
    document.write_bytes(cone(archive, "openngc.objects", **parameters).content)
    outcome = subprocess.run(["stilts", "votlint", document], capture_output=True, text=True, timeout=120, check=False)
    assert outcome.stdout + outcome.stderr == ""
