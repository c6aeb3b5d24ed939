"""TAP as clients use it: right rows, right documents, from a whole archive of processes."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import pyvo
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord

from support import catalogues, wire
from support.archive import Archive
from support.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

PLEIADES = SkyCoord(56.75, 24.12, unit="deg")
CONE = "SELECT source_id, ra, dec FROM gaiadr3.bright WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1.0))"


@pytest.fixture(scope="module")
def service(archive: Archive) -> Iterator[pyvo.dal.TAPService]:
    with requests.Session() as session:
        yield pyvo.dal.TAPService(archive.tap, session=session)


def near_pleiades(rows: catalogues.Rows, degrees: float) -> catalogues.Rows:
    near: catalogues.Rows = rows[SkyCoord(rows["ra"], rows["dec"], unit="deg").separation(PLEIADES).deg < degrees]
    return near


def test_a_cone_search_finds_what_numpy_finds(service: pyvo.dal.TAPService) -> None:
    found = service.search(CONE)
    expected = near_pleiades(catalogues.gaia(), 1.0)
    assert len(expected) > 50
    assert sorted(found["source_id"]) == sorted(expected["source_id"])
    assert found.getdesc("ra").unit == u.deg


def test_a_positional_join_finds_what_astropy_finds(service: pyvo.dal.TAPService) -> None:
    found = service.run_sync(
        "SELECT h.hip, g.source_id FROM hipparcos.main AS h JOIN gaiadr3.bright AS g"
        " ON 1 = CONTAINS(POINT(g.ra, g.dec), CIRCLE(h.ra, h.dec, 0.001))"
        " WHERE 1 = CONTAINS(POINT(h.ra, h.dec), CIRCLE(56.75, 24.12, 5.0))"
    )
    hip, gaia = near_pleiades(catalogues.hipparcos(), 5.0), near_pleiades(catalogues.gaia(), 5.1)
    places = [SkyCoord(rows["ra"], rows["dec"], unit="deg") for rows in (hip, gaia)]
    left, right = np.nonzero(places[0][:, None].separation(places[1][None, :]).deg < 0.001)
    expected = set(zip(hip["hip"][left], gaia["source_id"][right], strict=True))
    assert len(expected) > 20
    assert set(zip(found["hip"], found["source_id"], strict=True)) == expected


def test_group_by_counts_what_numpy_counts(service: pyvo.dal.TAPService) -> None:
    found = service.search(
        "SELECT FLOOR(phot_g_mean_mag) AS bin, COUNT(*) AS n, MAX(ra) AS last FROM gaiadr3.bright"
        " WHERE phot_g_mean_mag IS NOT NULL GROUP BY FLOOR(phot_g_mean_mag) ORDER BY bin"
    )
    rows = catalogues.gaia()
    rows = rows[np.isfinite(rows["g"])]
    bins, counts = np.unique(np.floor(rows["g"]), return_counts=True)
    assert list(found["bin"]) == list(bins)
    assert list(found["n"]) == list(counts)
    assert list(found["last"]) == [rows["ra"][np.floor(rows["g"]) == value].max() for value in bins]


def test_the_whole_table_comes_complete_and_exact(archive: Archive) -> None:
    answer = archive.query("SELECT source_id, ra, dec FROM gaiadr3.bright ORDER BY source_id")
    found = wire.table(answer.content)
    expected = np.sort(catalogues.gaia(), order="source_id")
    for column in ("source_id", "ra", "dec"):
        assert np.array_equal(np.asarray(found[column]), expected[column])
    assert wire.status(answer.content) == ("OK", "")


def test_csv_says_the_same_as_votable(archive: Archive) -> None:
    query = "SELECT TOP 100 source_id, ra, dec FROM gaiadr3.bright ORDER BY source_id"
    answer = archive.query(query, RESPONSEFORMAT="csv")
    assert answer.headers["Content-Type"].split(";")[0] == "text/csv"
    votable = wire.table(archive.query(query).content)
    assert [(int(row["source_id"]), float(row["ra"]), float(row["dec"])) for row in wire.csv_rows(answer.text)] == [
        tuple(row) for row in votable
    ]


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        ("", "application/x-votable+xml"),
        ("votable", "application/x-votable+xml"),
        ("text/xml", "text/xml"),
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
        ("fits", "application/fits"),
        ("image/fits", "image/fits"),
        ("parquet", "application/vnd.apache.parquet"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("json", "application/json"),
        ("html", "text/html"),
    ],
)
def test_content_type_is_the_one_asked_for(archive: Archive, wanted: str, answered: str) -> None:
    answer = archive.query("SELECT TOP 1 hip FROM hipparcos.main", RESPONSEFORMAT=wanted)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == answered


WIDE = f"SELECT TOP 1 {', '.join(f'hip AS c{number}' for number in range(1000))} FROM hipparcos.main"


def test_a_table_that_fits_cannot_hold_is_refused_before_its_query_runs(archive: Archive) -> None:
    refusal = "a table in FITS has at most 999 columns, and this one has 1,000; choose another format"
    # It would run for a minute.
    slow = f"{WIDE} AS a, gaiadr3.bright AS b, gaiadr3.bright AS c ORDER BY c0".replace("hip AS", "a.hip AS")
    answer = archive.query(slow, RESPONSEFORMAT="fits")
    assert answer.status_code == 413
    assert refusal in wire.status(answer.content)[1]
    job = archive.submit(slow, RESPONSEFORMAT="fits", PHASE="RUN")
    assert archive.until(job, "COMPLETED", "ERROR", within=20) == "ERROR"
    assert refusal in requests.get(f"{job}/error", timeout=60).text


def test_a_result_that_fits_cannot_hold_is_refused_in_fits_alone(archive: Archive) -> None:
    job = archive.submit(WIDE, PHASE="RUN")
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    result = f"{job}/results/result"
    for ask in (requests.get, requests.head):
        assert ask(result, params={"RESPONSEFORMAT": "fits"}, timeout=60).status_code == 413
    assert len(wire.table(requests.get(result, timeout=60).content).dtype) == 1000


def test_nothing_is_compressed_unless_the_format_says_so(archive: Archive) -> None:
    plain, packed = (
        archive.query("SELECT TOP 9 hip FROM hipparcos.main", RESPONSEFORMAT=name) for name in ("csv", "csv_gzip")
    )
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content


def test_an_answer_says_where_its_data_come_from(archive: Archive) -> None:
    told = archive.query("SELECT TOP 1 hip FROM hipparcos.main").text
    for name in ("publisher", "server_software", "request_date", "contact", "creator", "rights"):
        assert f'<INFO name="{name}" value="' in told


def test_a_finished_result_is_fetched_in_parts(archive: Archive) -> None:
    job = archive.submit("SELECT hip, ra FROM hipparcos.main", PHASE="RUN")
    archive.until(job, "COMPLETED")
    for name in ("votable", "csv"):
        url = f"{job}/results/result?RESPONSEFORMAT={name}"
        whole = requests.get(url, timeout=60)
        part = requests.get(url, headers={"Range": "bytes=500000-", "If-Range": whole.headers["ETag"]}, timeout=60)
        assert part.status_code == 206
        assert part.content == whole.content[500_000:]
        assert part.headers["Content-Range"] == f"bytes 500000-{len(whole.content) - 1}/{len(whole.content)}"
        held = requests.get(url, headers={"If-None-Match": whole.headers["ETag"]}, timeout=60)
        assert (held.status_code, held.content) == (304, b"")
    head = requests.head(f"{job}/results/result", timeout=60)
    assert int(head.headers["Content-Length"]) == len(requests.get(f"{job}/results/result", timeout=60).content)


@pytest.mark.parametrize(
    ("maxrec", "rows", "status"), [(0, 0, "OVERFLOW"), (3, 3, "OVERFLOW"), (5, 5, "OK"), (9, 5, "OK")]
)
def test_maxrec_cuts_and_says_so(archive: Archive, maxrec: int, rows: int, status: str) -> None:
    answer = archive.query("SELECT TOP 5 hip, ra FROM hipparcos.main", MAXREC=str(maxrec))
    found = wire.table(answer.content)
    assert (len(found), found.colnames) == (rows, ["hip", "ra"])
    assert wire.status(answer.content)[0] == status


def test_get_and_multipart_work_as_post_does(archive: Archive) -> None:
    query = {"lang": "ADQL", "Query": "SELECT COUNT(*) AS n FROM openngc.objects", "REQUEST": "doQuery", "DUMMY": "1"}
    got = requests.get(f"{archive.tap}/sync", params=query, timeout=30)
    posted = requests.post(
        f"{archive.tap}/sync", files={key: (None, value) for key, value in query.items()}, timeout=30
    )
    for answer in (got, posted):
        assert list(wire.table(answer.content)["n"]) == [len(catalogues.openngc())]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"QUERY": "SELECT parralax FROM hipparcos.main"}, "line 1, column 8: .*parralax"),
        ({"QUERY": "SELECT hip FROM hipparcos.mian"}, "line 1, column 17: .*mian"),
        ({"QUERY": "SELEC hip"}, "line 1"),
        ({"QUERY": ""}, "QUERY is missing"),
        ({"LANG": "OOBLECK"}, "unknown query language"),
        ({"MAXREC": "many"}, "MAXREC has to be"),
        ({"RESPONSEFORMAT": "docx"}, "no format 'docx'"),
        ({"QUERY": "SELECT 1 / (hip - hip) FROM hipparcos.main"}, "division by zero"),
        ({"UPLOAD": "mine,http://127.0.0.1/"}, "not on the public internet"),
    ],
)
def test_a_user_error_is_a_document_with_its_reason(archive: Archive, changed: dict[str, str], message: str) -> None:
    data = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 hip FROM hipparcos.main", **changed}
    answer = requests.post(f"{archive.tap}/sync", data=data, timeout=30)
    assert answer.status_code == 400
    assert "xml" in answer.headers["Content-Type"]
    value, text = wire.status(answer.content)
    assert value == "ERROR"
    assert re.search(message, text), text
    assert b"<TABLE" not in answer.content


def test_pyvo_reads_tables_with_their_columns(service: pyvo.dal.TAPService) -> None:
    assert set(service.tables.keys()) >= catalogues.TABLES.keys()
    columns = {column.name: column for column in service.tables["gaiadr3.bright"].columns}
    assert columns["ra"].unit == "deg"
    assert columns["ra"].ucd == "pos.eq.ra;meta.main"


@pytest.mark.parametrize(
    ("path", "root"), [("availability", "availability"), ("capabilities", "capabilities"), ("tables", "tableset")]
)
def test_what_the_service_says_about_itself_is_open_to_all(archive: Archive, path: str, root: str) -> None:
    answer = requests.get(f"{archive.tap}/{path}", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert ET.fromstring(answer.content).tag.rpartition("}")[2] == root
    assert requests.head(f"{archive.tap}/{path}", timeout=30).status_code == 200
    assert requests.post(f"{archive.tap}/{path}", timeout=30).status_code == 405
    assert requests.options(f"{archive.tap}/{path}", timeout=30).status_code == 204


def test_available_only_while_queries_are_answered(archive: Archive) -> None:
    document = requests.get(f"{archive.tap}/availability", timeout=30).text
    assert "<vosi:available>true</vosi:available>" in document


def test_an_unknown_table_is_404(archive: Archive) -> None:
    assert requests.get(f"{archive.tap}/tables/gaiadr3.bright", timeout=30).status_code == 200
    assert requests.get(f"{archive.tap}/tables/gaiadr3.dim", timeout=30).status_code == 404


def test_capabilities_name_the_address_that_users_type(archive: Archive) -> None:
    root = ET.fromstring(requests.get(f"{archive.tap}/capabilities", timeout=30).content)
    tap = root.find("capability[@standardID='ivo://ivoa.net/std/TAP']")
    assert tap is not None
    assert tap.findtext("interface/accessURL") == archive.tap


@pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed (apt install stilts)")
@pytest.mark.parametrize("mode", [["sync=true"], ["sync=false", "poll=500"]])
def test_stilts_gets_the_rows(archive: Archive, mode: list[str]) -> None:
    query = "SELECT hip, ra, dec FROM hipparcos.main WHERE hip < 20"
    command = ["stilts", "tapquery", f"tapurl={archive.tap}", f"adql={query}", "ofmt=csv", *mode]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = catalogues.hipparcos()
    assert sorted(int(row["hip"]) for row in wire.csv_rows(done.stdout)) == sorted(rows["hip"][rows["hip"] < 20])


def test_a_client_that_leaves_ends_its_query(archive: Archive) -> None:
    body = b"LANG=ADQL&FORMAT=csv&QUERY=SELECT+*+FROM+gaiadr3.bright"
    host, port = archive.url.removeprefix("http://").split(":")
    head = (
        f"POST /tap/sync HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()

    def running() -> int:
        with archive.application.data("almagest_query") as data:
            (count,) = data.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'almagest_query' AND application_name = 'sync'"
                " AND state <> 'idle'"
            ).fetchone() or (0,)
        return int(count)

    with socket.create_connection((host, int(port))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(head + body)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        eventually("the query to wait for its reader", running)
    eventually("the query to end", lambda: running() == 0, within=10)
