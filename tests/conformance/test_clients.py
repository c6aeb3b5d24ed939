"""The VO's clients against a deployed archive: each does everything that it can."""

from __future__ import annotations

import gc
import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pyvo
import requests
from astropy.table import Table
from astroquery.utils.tap import TapPlus

from support import catalogues, wire
from support.archive import Archive
from support.stilts import run
from support.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # These clients leave sockets and files open, which the garbage collector has to find before the next test.
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

QUERY = "SELECT hip, ra, dec FROM hipparcos.main WHERE hip < 100"
JOIN = "SELECT h.hip, m.note FROM hipparcos.main AS h JOIN TAP_UPLOAD.mine AS m ON h.hip = m.hip"
MINE = Table({"hip": [7, 1, -1], "note": ["seven", "one", "none"]})
SLOW = "SELECT COUNT(*) AS n FROM gaiadr3.bright AS a, gaiadr3.bright AS b WHERE a.ra + b.ra < 0"


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    MINE.write(tmp_path / "mine.xml", format="votable")
    return tmp_path / "mine.xml"


def expected() -> list[int]:
    rows = catalogues.hipparcos()
    return sorted(int(hip) for hip in rows["hip"][rows["hip"] < 100])


@pytest.fixture(scope="module")
def service(archive: Archive) -> Iterator[pyvo.dal.TAPService]:
    with requests.Session() as session:
        yield pyvo.dal.TAPService(archive.tap, session=session)


def test_pyvo_reads_capabilities_tables_and_examples(service: pyvo.dal.TAPService) -> None:
    assert service.capabilities
    assert service.maxrec == 1_000_000
    assert {*catalogues.TABLES, "tap_schema.tables"} <= set(service.tables.keys())
    assert [column.name for column in service.tables["tap_schema.key_columns"].columns] == [
        "key_id",
        "from_column",
        "target_column",
    ]
    assert len(service.examples) >= 6


def test_pyvo_queries_at_once(service: pyvo.dal.TAPService) -> None:
    assert sorted(service.run_sync(QUERY)["hip"]) == expected()


def test_pyvo_queries_in_a_job_and_deletes_it(service: pyvo.dal.TAPService) -> None:
    job = service.submit_job(QUERY, maxrec=50)
    job.run().wait(phases=["COMPLETED", "ERROR"], timeout=60)
    job.raise_if_error()
    assert len(job.fetch_result()) == 50
    url = job.url
    job.delete()
    assert requests.get(url, timeout=30).status_code == 404


def test_pyvo_ends_a_job(service: pyvo.dal.TAPService) -> None:
    job = service.submit_job(SLOW)
    job.run()
    eventually("the job to execute", lambda: job.phase == "EXECUTING")
    job.abort()
    assert job.phase == "ABORTED"
    job.delete()


def test_pyvo_says_why_a_job_failed(service: pyvo.dal.TAPService) -> None:
    job = service.submit_job("SELECT parralax FROM hipparcos.main")
    job.run().wait(phases=["COMPLETED", "ERROR"], timeout=60)
    with pytest.raises(pyvo.dal.DALQueryError, match="parralax"):
        job.raise_if_error()
    job.delete()


def test_pyvo_takes_a_table_along(service: pyvo.dal.TAPService) -> None:
    assert sorted(service.run_sync(JOIN, uploads={"mine": MINE})["hip"]) == [1, 7]
    job = service.submit_job(JOIN, uploads={"mine": MINE})
    job.run().wait(phases=["COMPLETED", "ERROR"], timeout=60)
    assert sorted(job.fetch_result()["hip"]) == [1, 7]
    job.delete()


@pytest.fixture
def tapplus(archive: Archive) -> TapPlus:
    return TapPlus(url=archive.tap, verbose=False)


def test_astroquery_reads_tables(tapplus: TapPlus) -> None:
    tables = {table.get_qualified_name(): table for table in tapplus.load_tables()}
    found = {column.name: column for column in tables["hipparcos.main"].columns}
    assert (found["ra"].unit, found["ra"].data_type) == ("deg", "double")


def test_astroquery_queries_at_once(tapplus: TapPlus) -> None:
    assert sorted(tapplus.launch_job(QUERY, dump_to_file=False).get_results()["hip"]) == expected()


@pytest.mark.parametrize("form", ["votable", "votable_plain", "csv"])
def test_astroquery_queries_in_a_job_and_deletes_it(tapplus: TapPlus, archive: Archive, form: str) -> None:
    job = tapplus.launch_job_async(QUERY, output_format=form)
    assert sorted(job.get_results()["hip"]) == expected()
    tapplus.remove_jobs([job.jobid])
    assert requests.get(f"{archive.tap}/async/{job.jobid}", timeout=30).status_code == 404


def test_astroquery_ends_a_job(tapplus: TapPlus) -> None:
    job = tapplus.launch_job_async(SLOW, autorun=False)
    # It wants 200 where UWS 1.1 §2.2.3 says 303, and complains of what it has done.
    with pytest.raises(requests.exceptions.HTTPError):
        job.abort()
    assert job.get_phase(update=True) == "ABORTED"


def test_astroquery_says_why_a_query_failed(tapplus: TapPlus) -> None:
    with pytest.raises(requests.exceptions.HTTPError, match="parralax"):
        tapplus.launch_job("SELECT parralax FROM hipparcos.main")


def test_astroquery_takes_a_table_along(tapplus: TapPlus, mine: Path) -> None:
    along = {"upload_resource": str(mine), "upload_table_name": "mine"}
    assert sorted(tapplus.launch_job(JOIN, **along).get_results()["hip"]) == [1, 7]
    assert sorted(tapplus.launch_job_async(JOIN, **along).get_results()["hip"]) == [1, 7]


@pytest.mark.parametrize("mode", [["sync=true"], ["sync=false", "poll=200", "delete=finished"]])
@pytest.mark.parametrize("form", ["TABLEDATA", "BINARY", "BINARY2"])
def test_stilts_takes_a_table_along(archive: Archive, mine: Path, mode: list[str], form: str) -> None:
    table = ["nupload=1", f"upload1={mine}", "upname1=mine", f"upvotformat={form}"]
    done = run("tapquery", f"tapurl={archive.tap}", f"adql={JOIN}", "ofmt=csv", *table, *mode)
    assert done.returncode == 0, done.stderr
    assert sorted(int(row["hip"]) for row in wire.csv_rows(done.stdout)) == [1, 7]


@pytest.mark.parametrize("mode", [["sync=true"], ["sync=false", "poll=200", "delete=finished"]])
def test_stilts_queries_at_once_and_in_a_job(archive: Archive, mode: list[str]) -> None:
    done = run("tapquery", f"tapurl={archive.tap}", f"adql={QUERY}", "ofmt=csv", *mode)
    assert done.returncode == 0, done.stderr
    assert sorted(int(row["hip"]) for row in wire.csv_rows(done.stdout)) == expected()


def test_stilts_takes_up_a_job_that_somebody_began(archive: Archive) -> None:
    job = archive.submit(QUERY, PHASE="RUN")
    done = run("tapresume", f"joburl={job}", "ofmt=csv", "poll=200", "delete=finished")
    assert done.returncode == 0, done.stderr
    assert sorted(int(row["hip"]) for row in wire.csv_rows(done.stdout)) == expected()
    assert requests.get(job, timeout=30).status_code == 404


def test_stilts_says_why_a_query_failed(archive: Archive) -> None:
    done = run("tapquery", f"tapurl={archive.tap}", "adql=SELECT parralax FROM hipparcos.main", "sync=true")
    assert done.returncode != 0
    assert "parralax" in done.stderr


def chunked(archive: Archive, path: str, fields: dict[str, str], file: bytes = b"") -> http.client.HTTPResponse:
    """POST a form as TOPCAT does: multipart, with this odd boundary, in chunks and without a Content-Length. file: goes
    along as the part `mine`."""
    boundary = "<<<--------------MULTIPART-BOUNDARY------->>>"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: text/plain; charset=UTF-8\r\n\r\n{value}\r\n".encode()
        for name, value in fields.items()
    ]
    if file:
        head = 'Content-Disposition: form-data; name="mine"; filename="mine"\r\nContent-Type: application/x-votable+xml'
        pieces = [file[start : start + 100] for start in range(0, len(file), 100)]
        parts += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), *pieces, b"\r\n"]
    address = urlsplit(archive.tap)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    headers = {"Content-Type": f'multipart/form-data; boundary="{boundary}"', "Transfer-Encoding": "chunked"}
    body = [*parts, f"--{boundary}--\r\n".encode()]
    connection.request("POST", f"{address.path}{path}", iter(body), headers, encode_chunked=True)
    return connection.getresponse()


def test_a_form_in_chunks_of_unknown_length_is_read(archive: Archive) -> None:
    with chunked(archive, "/sync", {"LANG": "ADQL", "QUERY": QUERY}) as answer:
        assert answer.status == 200
        assert sorted(wire.table(answer.read())["hip"]) == expected()
    with chunked(archive, "/async", {"LANG": "ADQL", "QUERY": QUERY, "PHASE": "RUN"}) as answer:
        assert answer.status == 303
        job = answer.getheader("Location")
    assert job
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"


def test_a_file_in_chunks_of_unknown_length_is_taken_along(archive: Archive, mine: Path) -> None:
    fields = {"LANG": "ADQL", "QUERY": JOIN, "UPLOAD": "mine,param:mine"}
    with chunked(archive, "/sync", fields, mine.read_bytes()) as answer:
        assert answer.status == 200
        assert sorted(wire.table(answer.read())["hip"]) == [1, 7]
