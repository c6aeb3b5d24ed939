"""Tables that clients bring along, through a whole archive of processes."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import numpy as np
import pytest
import pyvo
import requests
from astropy.table import Table

from support import catalogues, wire
from support.archive import Archive

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

MINE = (
    '<VOTABLE version="1.4"><RESOURCE><TABLE>'
    '<FIELD name="id" datatype="int"/><FIELD name="name" datatype="char" arraysize="*"/>'
    "<DATA><TABLEDATA><TR><TD>1</TD><TD>one</TD></TR><TR><TD>2</TD><TD>zw\u00f6lf</TD></TR></TABLEDATA></DATA>"
    "</TABLE></RESOURCE></VOTABLE>"
).encode()
ALL = "SELECT * FROM TAP_UPLOAD.mine ORDER BY id"
ROWS = [(1, "one"), (2, "zw\u00f6lf")]


def send(url: str, query: str, upload: str = "mine,param:t", data: bytes = MINE, **more: str) -> requests.Response:
    fields = {"LANG": "ADQL", "QUERY": query, "UPLOAD": upload, **more}
    return requests.post(url, data=fields, files={"t": ("t.vot", data)}, timeout=100, allow_redirects=False)


def rows(answer: requests.Response) -> list[tuple[object, ...]]:
    assert answer.status_code == 200, answer.text
    return [
        tuple(value.item() if hasattr(value, "item") else value for value in row) for row in wire.table(answer.content)
    ]


def test_an_uploaded_table_is_queried_in_the_same_request(archive: Archive) -> None:
    assert rows(send(f"{archive.tap}/sync", ALL)) == ROWS


def test_an_upload_is_known_to_its_own_query_only(archive: Archive) -> None:
    send(f"{archive.tap}/sync", ALL)
    refused = archive.query(ALL)
    assert refused.status_code == 400
    assert "TAP_UPLOAD.mine" in wire.status(refused.content)[1]


def test_several_uploads_come_joined_and_repeated(archive: Archive) -> None:
    query = (
        "SELECT a.id AS x, b.id AS y, c.id AS z FROM TAP_UPLOAD.a, TAP_UPLOAD.b, tap_upload.C"
        " WHERE a.id = b.id AND b.id = c.id"
    )
    fields = [("LANG", "ADQL"), ("QUERY", query), ("UPLOAD", "a,param:t;b,param:u"), ("UPLOAD", "C,param:t")]
    files = {"t": ("t", MINE), "u": ("u", MINE)}
    answer = requests.post(f"{archive.tap}/sync", data=fields, files=files, timeout=60)
    assert sorted(rows(answer)) == [(1, 1, 1), (2, 2, 2)]


def test_a_thousand_positions_find_their_stars(archive: Archive) -> None:
    stars = catalogues.gaia()[::100][:1000]
    table = Table({"n": np.arange(len(stars)), "ra": stars["ra"], "dec": stars["dec"]})
    with requests.Session() as session:
        service = pyvo.dal.TAPService(archive.tap, session=session)
        query = (
            "SELECT u.n, g.source_id FROM TAP_UPLOAD.stars AS u JOIN gaiadr3.bright AS g"
            " ON 1 = CONTAINS(POINT(g.ra, g.dec), CIRCLE(u.ra, u.dec, 0.0001))"
        )
        for found in (
            service.run_sync(query, uploads={"stars": table}),
            service.run_async(query, uploads={"stars": table}),
        ):
            pairs = dict(zip(found["n"].tolist(), found["source_id"].tolist(), strict=True))
            assert [pairs[n] for n in range(len(stars))] == stars["source_id"].tolist()


def test_shapes_and_arrays_can_be_queried_and_come_back(archive: Archive) -> None:
    fields = (
        '<FIELD name="place" datatype="double" arraysize="2" xtype="point"/>'
        '<FIELD name="area" datatype="double" arraysize="3" xtype="circle"/>'
        '<FIELD name="edge" datatype="double" arraysize="*" xtype="polygon"/>'
        '<FIELD name="grid" datatype="short" arraysize="2x2"/>'
        '<FIELD name="we&quot;ird; DROP TABLE x" datatype="char" arraysize="*" xtype="timestamp"/>'
    )
    row = "<TD>10 20</TD><TD>10 20 1</TD><TD>0 0 40 0 10 60</TD><TD>1 2 3 4</TD><TD>2000-01-01T00:00:00</TD>"
    table = f"<TABLE>{fields}<DATA><TABLEDATA><TR>{row}</TR></TABLEDATA></DATA></TABLE>"
    data = f"<VOTABLE><RESOURCE>{table}</RESOURCE></VOTABLE>"
    answer = send(
        f"{archive.tap}/sync",
        'SELECT CONTAINS(place, area) AS c, CONTAINS(place, edge) AS e, "we""ird; DROP TABLE x",'
        " grid, place, area, edge FROM TAP_UPLOAD.mine",
        data=data.encode(),
    )
    assert answer.status_code == 200, answer.text
    found = wire.table(answer.content)[0]
    assert (int(found[0]), int(found[1]), found[2]) == (1, 1, "2000-01-01T00:00:00")
    assert np.ravel(found[3]).tolist() == [1, 2, 3, 4]
    assert np.allclose(found[4], [10, 20])
    assert np.allclose(found[5], [10, 20, 1])
    assert np.allclose(found[6], [0, 0, 40, 0, 10, 60])


def one_field(field: str, *cells: str) -> bytes:
    rows = "".join(f"<TR><TD>{cell}</TD></TR>" for cell in cells)
    table = f"<TABLE><FIELD {field}/><DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE>"
    return f'<!DOCTYPE VOTABLE SYSTEM "http://127.0.0.1:1/VOTable.dtd"><VOTABLE><RESOURCE>{table}</RESOURCE></VOTABLE>'.encode()


CIRCLE = 'name="area" datatype="double" arraysize="3" xtype="circle"'
EDGE = 'name="edge" datatype="double" arraysize="*" xtype="polygon"'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (one_field(CIRCLE, "1 2 3", "10 20 120"), ("row 2, column 'area'", "10 20 120")),
        # A bow tie, which only the database knows.
        (one_field(EDGE, *["0 0 1 0 1 1"] * 700, "0 0 2 2 2 0 0 2"), ("row 701, column 'edge'", "is no polygon")),
        (
            one_field('name="x" datatype="int"').replace(b"<!DOC", b'<?xml version="1.0" encoding="UTF-7"?><!DOC'),
            ("UTF-7",),
        ),
    ],
)
@pytest.mark.parametrize("path", ["sync", "async"])
def test_what_is_no_table_of_shapes_is_said_with_its_row(
    archive: Archive, data: bytes, words: tuple[str, ...], path: str
) -> None:
    answer = send(f"{archive.tap}/{path}", "SELECT * FROM TAP_UPLOAD.mine", data=data)
    assert (answer.status_code, wire.status(answer.content)[0]) == (400, "ERROR")
    assert all(word in wire.status(answer.content)[1] for word in words), answer.text


def test_flags_and_complex_numbers_of_pyvo_come_back(archive: Archive) -> None:
    """pyvo sends what astropy writes, where a boolean is a bit."""
    table = Table({"n": [1, 2, 3], "flag": [True, False, True], "wave": [1 + 2j, -0.5j, 3e300]})
    with requests.Session() as session:
        service = pyvo.dal.TAPService(archive.tap, session=session)
        query = "SELECT n, flag, wave FROM TAP_UPLOAD.mine ORDER BY n"
        for run in (service.run_sync, service.run_async):
            found = run(query, uploads={"mine": table}).to_table()
            assert found["flag"].tolist() == [True, False, True]
            assert found["wave"].tolist() == [1 + 2j, -0.5j, 3e300]


def test_identifiers_of_19_digits_join_from_csv(archive: Archive) -> None:
    stars = catalogues.gaia()["source_id"]
    some = [int(number) for number in stars[stars > 10**18][:50]]
    data = "source_id\n" + "".join(f"{number}\n" for number in some)
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine AS m JOIN gaiadr3.bright AS g ON m.source_id = g.source_id"
    assert rows(send(f"{archive.tap}/sync", query, data=data.encode())) == [(50,)]


def test_a_job_brings_its_tables_along(archive: Archive) -> None:
    answer = send(f"{archive.tap}/async", ALL, PHASE="RUN")
    assert answer.status_code == 303, answer.text
    job = answer.headers["Location"]
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    assert rows(requests.get(f"{job}/results/result", timeout=30)) == ROWS


def test_a_waiting_job_takes_more_tables_and_other_ones(archive: Archive) -> None:
    job = archive.submit("SELECT a.id, b.id AS other FROM TAP_UPLOAD.a JOIN TAP_UPLOAD.b ON a.id = b.id")
    other = MINE.replace(b"<TD>1</TD>", b"<TD>7</TD>")
    for upload, data in (("a,param:t", other), ("b,param:t", other), ("a,param:t", MINE)):
        answer = requests.post(f"{job}/parameters", data={"UPLOAD": upload}, files={"t": data}, timeout=30)
        assert answer.status_code == 200, answer.text
    requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=30)
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    assert rows(requests.get(f"{job}/results/result", timeout=30)) == [(2, 2)]
    late = requests.post(f"{job}/parameters", data={"UPLOAD": "a,param:t"}, files={"t": MINE}, timeout=30)
    assert late.status_code == 403


def test_a_job_with_a_broken_table_is_never_made(archive: Archive) -> None:
    answer = send(f"{archive.tap}/async", ALL, data=b"<VOTABLE>", PHASE="RUN")
    assert answer.status_code == 400
    assert wire.status(answer.content)[0] == "ERROR"


def test_a_job_whose_table_cannot_be_described_is_never_made(archive: Archive) -> None:
    """Whatever fails after the job was made."""
    with archive.application.app() as rows:
        rows.execute("ALTER TABLE query_job ADD CONSTRAINT never CHECK (uploads = '[]') NOT VALID")
        before = rows.execute("SELECT count(*) FROM query_job").fetchone()
        try:
            assert send(f"{archive.tap}/async", ALL).status_code == 500
        finally:
            rows.execute("ALTER TABLE query_job DROP CONSTRAINT never")
        assert rows.execute("SELECT count(*) FROM query_job").fetchone() == before


@pytest.mark.parametrize(
    ("upload", "data", "status", "words"),
    [
        ("mine,param:missing", MINE, 400, "missing"),
        ("mine", MINE, 400, "name,uri"),
        ("1st,param:t", MINE, 400, "'1st' is no name"),
        ('a"b,param:t', MINE, 400, "is no name"),
        ("mine,param:t;MINE,param:t", MINE, 400, "twice"),
        (";".join(f"t{number},param:t" for number in range(11)), MINE, 413, "11 tables"),
        ("mine,file:///etc/passwd", MINE, 400, "http"),
        ("mine,ftp://example.org/x", MINE, 400, "http"),
        ("mine,http://169.254.169.254/latest/meta-data", MINE, 400, "public internet"),
        ("mine,http://127.0.0.1/", MINE, 400, "public internet"),
        ("mine,http://kubernetes.default.svc/", MINE, 400, "http"),
        (
            "mine,param:t",
            MINE.replace(b"<DATA>", b'<DATA><FITS><STREAM href="file:///etc/passwd"/></FITS>'),
            400,
            "FITS",
        ),
        ("mine,param:t", MINE.replace(b"<VOTABLE", b'<!DOCTYPE x [<!ENTITY a "b">]><VOTABLE'), 400, "DOCTYPE"),
        ("mine,param:t", MINE.replace(b"<FIELD ", b'<FIELD arraysize="9000000000" ', 1), 413, "more than"),
        (
            "mine,param:t",
            MINE.replace(b"<DATA>", b'<FIELD name="x" datatype="int"/>' * 1000 + b"<DATA>"),
            413,
            "columns",
        ),
    ],
)
def test_what_is_wrong_with_an_upload_is_said_in_words(
    archive: Archive, upload: str, data: bytes, status: int, words: str
) -> None:
    answer = send(f"{archive.tap}/sync", ALL, upload, data)
    assert (answer.status_code, wire.status(answer.content)[0]) == (status, "ERROR")
    assert words in wire.status(answer.content)[1]


STIL = "<<<--------------MULTIPART-BOUNDARY------->>>"


def head(archive: Archive, path: str) -> bytes:
    """The head of a request as STIL writes it: chunks, and no Content-Length."""
    address = urlsplit(archive.tap)
    return (
        f"POST {address.path}{path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        f'Content-Type: multipart/form-data; boundary="{STIL}"\r\nTransfer-Encoding: chunked\r\n\r\n'
    ).encode()


def chunked(archive: Archive, path: str, body: bytes, size: int = 1000) -> tuple[int, bytes]:
    address = urlsplit(archive.tap)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(head(archive, path))
        # A body that is refused is read no further.
        with suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
        connection.settimeout(60)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    headers, _, content = answer.partition(b"\r\n\r\n")
    return int(headers.split()[1]), content


def multipart(boundary: str, *parts: tuple[str, bytes]) -> bytes:
    body = b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
    return body + f"--{boundary}--\r\n".encode()


def text_part(name: str, value: str) -> tuple[str, bytes]:
    head = f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain; charset=UTF-8'
    return head, value.encode()


def file_part(name: str, content: bytes, media_type: str = "application/x-votable+xml") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: {media_type}', content


def test_a_chunked_body_without_a_length_is_read(archive: Archive) -> None:
    body = multipart(
        STIL,
        *(
            text_part(*field)
            for field in (("LANG", "ADQL"), ("QUERY", ALL), ("UPLOAD", "mine,param:up"), ("FORMAT", "csv"))
        ),
        file_part("up", MINE, "None"),
    )
    status, content = chunked(archive, "/sync", body)
    assert status == 200, content
    assert "2,zw\u00f6lf".encode() in content


def test_a_multipart_body_without_a_file_is_a_form(archive: Archive) -> None:
    query = "SELECT TOP 1 hip FROM hipparcos.main"
    body = multipart(STIL, text_part("LANG", "ADQL"), text_part("QUERY", query), text_part("RESPONSEFORMAT", "csv"))
    status, content = chunked(archive, "/sync", body)
    assert status == 200, content


def test_a_part_without_a_file_name_is_a_table_too(archive: Archive) -> None:
    fields = (("LANG", "ADQL"), ("QUERY", ALL), ("UPLOAD", "mine,param:up"), ("up", MINE.decode()))
    status, content = chunked(archive, "/sync", multipart(STIL, *(text_part(*field) for field in fields)))
    assert status == 200, content


@pytest.mark.parametrize(
    "body",
    [
        multipart(STIL, *(text_part(f"f{number}", "x") for number in range(1500))),
        multipart(STIL, *(file_part(f"f{number}", b"x") for number in range(300))),
        multipart(STIL, text_part("QUERY", "x" * 5_000_000)),
        multipart(STIL, ('Content-Disposition: form-data; name="' + "x" * 100_000 + '"', b"x")),
        multipart(STIL, ("X: y\r\n" * 5000 + 'Content-Disposition: form-data; name="x"', b"x")),
        multipart(STIL, ('Content-Disposition: form-data; name="x"\r\nContent-Transfer-Encoding: base64', b"!!!")),
        multipart(STIL, ('Content-Disposition: form-data; name="\xff\0"; filename="../../etc/passwd"', b"x")),
        multipart(STIL, text_part("QUERY", "SELECT 1"))[:60],
        b"\0" * 10_000,
        b"",
    ],
)
def test_bodies_of_every_kind_are_refused_and_never_break_anything(archive: Archive, body: bytes) -> None:
    status, content = chunked(archive, "/sync", body)
    assert status in (400, 413), content[:500]


@pytest.mark.parametrize(
    "start", [b"zz\r\n", b"1000\r\nabc", b"-5\r\nabc\r\n", b"5\r\nabc", b"ffffffffffffffffff\r\nabc"]
)
def test_a_body_that_breaks_off_leaves_everything_answering(archive: Archive, start: bytes) -> None:
    address = urlsplit(archive.tap)
    for _ in range(10):
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall(head(archive, "/sync") + start)
    assert rows(send(f"{archive.tap}/sync", ALL)) == ROWS


def test_a_body_larger_than_allowed_is_refused(archive: Archive) -> None:
    """Also without a length, where only reading shows it."""
    part = ('Content-Disposition: form-data; name="mine"; filename="mine"', bytes(104 * 2**20 + 1))
    status, content = chunked(archive, "/sync", multipart(STIL, part), size=2**20)
    assert (status, wire.status(content)[0]) == (413, "ERROR")


@contextmanager
def server(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A web server of this test's own; its answers by path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "Cookie" not in self.headers
            assert "Authorization" not in self.headers
            status, headers, body = answers[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def test_a_table_is_fetched_from_where_the_archive_may_go(archive: Archive) -> None:
    answers = {
        "/t.vot": (200, {"Content-Type": "application/x-votable+xml"}, MINE),
        "/moved": (302, {"Location": "/t.vot"}, b""),
        "/inside": (302, {"Location": "http://169.254.169.254/latest"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
        "/round": (302, {"Location": "/round"}, b""),
        "/gone": (404, {}, b"no"),
    }
    with archive.application.serving(ALMAGEST_UPLOAD_NETWORKS="127.0.0.0/8") as url, server(answers) as there:
        for path in ("/t.vot", "/moved"):
            fields = {"LANG": "ADQL", "QUERY": ALL, "UPLOAD": f"mine,{there}{path}"}
            assert rows(requests.post(f"{url}/tap/sync", data=fields, timeout=60)) == ROWS
        for path, words in (
            ("/inside", "public internet"),
            ("/file", "http"),
            ("/round", "redirects more"),
            ("/gone", "404"),
        ):
            fields = {"LANG": "ADQL", "QUERY": ALL, "UPLOAD": f"mine,{there}{path}"}
            refused = requests.post(f"{url}/tap/sync", data=fields, timeout=60)
            assert (refused.status_code, wire.status(refused.content)[0]) == (400, "ERROR")
            assert words in wire.status(refused.content)[1]
