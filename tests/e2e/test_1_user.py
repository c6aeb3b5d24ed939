"""What people get from `make up`: a site, a TAP service with right answers, and a cluster that says how it is."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
import pyvo
from astropy.coordinates import SkyCoord

from e2e.conftest import Archive, make
from support import catalogues
from support.cluster import get, kubectl

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

OUTPUT = Path(__file__).resolve().parents[1] / "output"
PLEIADES = SkyCoord(56.75, 24.12, unit="deg")
CONE = "SELECT source_id, ra, dec FROM gaiadr3.bright WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1.0))"
JOIN = """SELECT h.hip, g.source_id FROM hipparcos.main AS h JOIN gaiadr3.bright AS g
ON DISTANCE(POINT(h.ra, h.dec), POINT(g.ra, g.dec)) < 0.001
WHERE 1 = CONTAINS(POINT(h.ra, h.dec), CIRCLE(56.75, 24.12, 2.0))"""


def around_the_pleiades(rows: catalogues.Rows, radius: float) -> catalogues.Rows:
    """The rows within that many degrees."""
    near: catalogues.Rows = rows[SkyCoord(rows["ra"], rows["dec"], unit="deg").separation(PLEIADES).deg <= radius]
    return near


def chromium(*options: str) -> str:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,1600", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_up_ends_with_the_urls_and_a_table_of_the_pleiades(archive: Archive) -> None:
    assert archive.site in archive.output
    assert archive.tap in archive.output
    alcyone_and_her_sisters = re.findall(r"^\s+-?\d+\s+5[67]\.\d+\s+2[345]\.\d+", archive.output, re.MULTILINE)
    assert len(alcyone_and_her_sisters) == 9


def test_up_again_changes_nothing(archive: Archive) -> None:
    before = get("pods", "-A")["items"]
    again = make("up", timeout=600)
    after = get("pods", "-A")["items"]
    assert {pod["metadata"]["uid"] for pod in before} == {pod["metadata"]["uid"] for pod in after}
    assert ", 0 changed" in again


def test_kubectl_shows_ready_reason_release_and_url(archive: Archive) -> None:
    header, row = kubectl("get", "archives", "-A").splitlines()
    for column in ("NAMESPACE", "NAME", "READY", "REASON", "RELEASE", "URL", "AGE"):
        assert column in header.split()
    assert row.split()[:3] == ["gaia-dev", "gaia", "True"]
    assert archive.site in row


def test_status_as_json_has_what_others_build_on(archive: Archive) -> None:
    status = archive.status()
    assert status["ready"] is True
    assert status["release"]
    assert {"type", "status", "reason", "message"} <= status["conditions"][0].keys()


def test_val_judges_the_tables_from_outside(archive: Archive) -> None:
    def val(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["almagest", "val", archive.name, "-n", archive.namespace, "--context", "almagest", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    every, wrong = val("--json"), val("hipparcos.nothing")
    assert every.returncode == 0, every.stderr
    assert [remark for remark in json.loads(every.stdout) if remark["severity"] == "error"] == []
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no table 'hipparcos.nothing'; there are gaiadr3.bright, " in wrong.stderr


def test_every_row_of_the_catalogues_is_there(archive: Archive) -> None:
    service = pyvo.dal.TAPService(archive.tap)
    counts = {t: service.search(f"SELECT COUNT(*) AS n FROM {t}")["n"][0] for t in catalogues.TABLES}
    assert counts == {table: len(read()) for table, read in catalogues.TABLES.items()}


def test_cone_search_through_pyvo_returns_what_python_finds_in_the_catalogue(archive: Archive) -> None:
    result = pyvo.dal.TAPService(archive.tap).search(CONE)
    near = around_the_pleiades(catalogues.gaia(), 1.0)
    assert set(result["source_id"]) == set(near["source_id"])
    assert len(near) > 50


def test_cone_search_through_stilts_returns_the_same_rows(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "cone.csv"
    command = ["stilts", "tapquery", "sync=true", f"tapurl={archive.tap}", f"adql={CONE}", f"out={out}", "ofmt=csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",")[0] for line in out.read_text().splitlines()[1:]]
    assert {int(source) for source in rows} == set(pyvo.dal.TAPService(archive.tap).search(CONE)["source_id"])


def test_join_by_position_returns_what_python_matches(archive: Archive) -> None:
    result = pyvo.dal.TAPService(archive.tap).search(JOIN)
    bright, hipparcos = around_the_pleiades(catalogues.gaia(), 2.1), around_the_pleiades(catalogues.hipparcos(), 2.0)
    sky = SkyCoord(bright["ra"], bright["dec"], unit="deg")
    expected = {
        (star["hip"], source)
        for star in hipparcos
        for source in bright["source_id"][sky.separation(SkyCoord(star["ra"], star["dec"], unit="deg")).deg < 0.001]
    }
    assert set(zip(result["hip"], result["source_id"], strict=True)) == expected
    assert len(expected) > 20


def test_asynchronous_job_ends_completed_with_the_same_rows(archive: Archive) -> None:
    result = pyvo.dal.TAPService(archive.tap).run_async(CONE)
    assert set(result["source_id"]) == set(pyvo.dal.TAPService(archive.tap).search(CONE)["source_id"])


def test_wrong_column_is_an_error_that_names_it(archive: Archive) -> None:
    with pytest.raises(pyvo.dal.DALQueryError, match="parralax"):
        pyvo.dal.TAPService(archive.tap).search("SELECT parralax FROM hipparcos.main")


def test_home_page_shows_the_archive_in_a_browser(archive: Archive) -> None:
    OUTPUT.mkdir(exist_ok=True)
    picture = OUTPUT / "home.png"
    chromium(f"--screenshot={picture}", archive.site)
    page = chromium("--dump-dom", archive.site)
    assert picture.stat().st_size > 30_000
    for text in ("gaiadr3.bright", "hipparcos.main", "openngc.objects", "482,176", archive.tap):
        assert text in page


def test_wordpress_answers_behind_the_same_host_name(archive: Archive) -> None:
    with urllib.request.urlopen(f"{archive.site.rstrip('/')}/cms/", timeout=60) as response:
        body = response.read().decode()
    assert response.status == 200
    assert "wp-" in body
    assert f"{archive.site.rstrip('/')}/cms/" in body
