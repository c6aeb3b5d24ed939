"""Attacks on TAP. Each is answered with the client's own mistake, quickly, and changes nothing."""

from __future__ import annotations

import re
import time

import psycopg
import pytest
import requests

from support import wire
from support.application import Application
from support.archive import Archive
from support.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

FROM = "FROM hipparcos.main"

REFUSED = [
    # More than one statement, or none that reads.
    f"SELECT hip {FROM}; DROP TABLE hipparcos.main",
    "DROP TABLE hipparcos.main",
    "DELETE FROM hipparcos.main",
    "UPDATE hipparcos.main SET ra = 0",
    "INSERT INTO hipparcos.main (hip) VALUES (1)",
    "CREATE TABLE results.mine AS SELECT 1",
    f"SELECT hip INTO results.mine {FROM}",
    f"COPY (SELECT hip {FROM}) TO '/tmp/x'",
    "COPY hipparcos.main FROM PROGRAM 'id'",
    "DO $$ BEGIN PERFORM pg_sleep(9); END $$",
    "SET ROLE almagest",
    "RESET ALL",
    "SHOW data_directory",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE p AS SELECT 1",
    "LOCK TABLE hipparcos.main",
    "GRANT ALL ON hipparcos.main TO PUBLIC",
    f"WITH gone AS (DELETE {FROM} RETURNING hip) SELECT hip FROM gone",
    # Functions that sleep, read files, change settings, run SQL, or talk about the server.
    f"SELECT pg_sleep(9) {FROM}",
    f"SELECT hip {FROM} WHERE pg_sleep(9) IS NULL",
    f"SELECT pg_read_file('/etc/passwd') {FROM}",
    f"SELECT pg_ls_dir('/') {FROM}",
    f"SELECT lo_import('/etc/passwd') {FROM}",
    f"SELECT set_config('statement_timeout', '0', false) {FROM}",
    f"SELECT current_setting('data_directory') {FROM}",
    f"SELECT query_to_xml('SELECT 1', true, true, '') {FROM}",
    f"SELECT dblink('host=127.0.0.1', 'SELECT 1') {FROM}",
    f"SELECT pg_terminate_backend(1) {FROM}",
    f"SELECT pg_advisory_lock(1) {FROM}",
    f"SELECT version() {FROM}",
    f"SELECT inet_server_addr() {FROM}",
    f"SELECT pg_catalog.pg_sleep(9) {FROM}",
    f'SELECT "pg_sleep"(9) {FROM}',
    f"SELECT repeat('x', 1000000000) {FROM}",
    f"SELECT string_agg(repeat('x', 1000000), '') {FROM}",
    f"SELECT public.ivo_string_agg_step('a', 'b', 'c') {FROM}",
    f"SELECT current_user {FROM}",
    f"SELECT CURRENT_CATALOG {FROM}",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT * FROM pg_read_file('/etc/passwd')",
    # Tables that are nobody's.
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM almagest.loads",
    "SELECT * FROM query_job",
    "SELECT * FROM public.spatial_ref_sys",
    f"SELECT hip {FROM} UNION ALL SELECT loaded_at FROM almagest.loads",
    f"SELECT (SELECT rolpassword FROM pg_authid) {FROM}",
    f"SELECT ctid {FROM}",
    f"SELECT xmin, tableoid {FROM}",
    f"SELECT main {FROM}",
    # Syntax of PostgreSQL that is not ADQL's.
    f"SELECT hip::text {FROM}",
    f"SELECT $1 {FROM}",
    f"SELECT E'\\x41' {FROM}",
    f"SELECT U&'\\0041' {FROM}",
    f"SELECT $$x$$ {FROM}",
    f"SELECT hip {FROM} FOR UPDATE",
    f"SELECT (hipparcos.main).* {FROM}",
    f"SELECT hip {FROM} WHERE hip = ANY(ARRAY[1])",
    f"SELECT 1; SELECT 2 {FROM}",
    f'SELECT hip {FROM} WHERE "hip""; DROP TABLE x --" = 1',
    f"SELECT hip {FROM} WHERE hip = 1 /* */; --",
]


@pytest.fixture(scope="module", autouse=True)
def unharmed(archive: Archive) -> None:
    """The archive answers before the attacks; every test asks again afterwards."""
    assert archive.query(f"SELECT COUNT(*) AS n {FROM}").status_code == 200


def assert_refused(answer: requests.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text[:500]
    value, text = wire.status(answer.content)
    assert value == "ERROR"
    assert text
    assert not re.search("Traceback|psycopg|/work/|sqlglot", answer.text)


@pytest.mark.parametrize("adql", REFUSED)
def test_what_adql_does_not_have_never_reaches_the_database(archive: Archive, adql: str) -> None:
    started = time.monotonic()
    assert_refused(archive.query(adql))
    assert time.monotonic() - started < 5


def test_text_without_end_is_not_gathered(archive: Archive) -> None:
    few = archive.query(
        f"SELECT ivo_string_agg(CAST(hip AS VARCHAR), ' ') AS x {FROM} WHERE hip < 4", RESPONSEFORMAT="csv"
    )
    assert wire.csv_rows(few.text) == [{"x": "1 2 3"}]
    answer = archive.query(f"SELECT hip / 1000, ivo_string_agg(CAST(hip AS VARCHAR), ' ') {FROM} GROUP BY 1")
    assert answer.status_code == 200
    answer = archive.query(f"SELECT ivo_string_agg(CAST(hip AS VARCHAR), ' ') {FROM}")
    assert_refused(answer)
    assert "ivo_string_agg gathers at most 65,536 bytes in a group" in answer.text


def test_a_hundred_sorts_share_the_memory_of_a_few(application: Application, archive: Archive) -> None:
    """Each of them is small enough for memory, all of them are not: what they put on disk instead is counted."""
    counted = ", ".join(f"COUNT(DISTINCT hip + {number}) AS c{number}" for number in range(120))
    written = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"
    with application.data("almagest") as data:
        before = data.execute(written).fetchone()
        answer = archive.query(f"SELECT {counted} {FROM}")
        assert answer.status_code == 200, answer.text[:500]
        assert list(wire.table(answer.content)["c119"]) == [117955]
        eventually("the sorts to be on disk", lambda: data.execute(written).fetchone() != before)


@pytest.mark.parametrize(
    "text",
    [
        "'",
        "''; DROP TABLE hipparcos.main; --",
        "\\'; SELECT 1 --",
        "%s %(x)s %%",
        "${x}",
        "\u2019 OR 1=1",
        "é\U0001f52d",
    ],
)
def test_a_literal_stays_a_literal(archive: Archive, text: str) -> None:
    quoted = text.replace("'", "''")
    for response_format in ("csv", "votable"):
        answer = archive.query(f"SELECT TOP 1 '{quoted}' AS said {FROM}", RESPONSEFORMAT=response_format)
        assert answer.status_code == 200, answer.text
        if response_format == "csv":
            answer.encoding = "utf-8"
            assert [row["said"] for row in wire.csv_rows(answer.text)] == [text]


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b", "<script>", "x" * 60, "sélection", "a%sb"])
def test_an_identifier_stays_an_identifier(archive: Archive, name: str) -> None:
    quoted = name.replace('"', '""')
    answer = archive.query(f'SELECT TOP 1 hip AS "{quoted}" {FROM}')
    assert answer.status_code == 200, answer.text
    assert len(wire.table(answer.content)) == 1
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("RESPONSEFORMAT", "csv\r\nSet-Cookie: a=b"),
        ("RESPONSEFORMAT", "../../etc/passwd"),
        ("RESPONSEFORMAT", "x" * 100_000),
        ("MAXREC", "1 UNION SELECT 1"),
        ("MAXREC", "-1"),
        ("MAXREC", "NaN"),
        ("MAXREC", "9" * 10_000),
        ("RUNID", "r" * 65),
        ("RUNID", "a\0b"),
        ("LANG", "ADQL'; --"),
        ("LANG", "MySQL"),
        ("UPLOAD", "t,file:///etc/passwd"),
        ("UPLOAD", "t,http://169.254.169.254/latest/meta-data"),
        ("QUERY", "SELECT '\0' FROM hipparcos.main"),
        ("QUERY", "(" * 5000 + "1" + ")" * 5000),
        ("QUERY", f"SELECT hip {FROM} WHERE " + " AND ".join(["hip > 0"] * 100_000)),
        ("QUERY", "SELECT " + "-" * 200_001 + f"hip {FROM}"),
        ("QUERY", "S" * 1_500_000),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_hostile_parameter_is_refused_quickly(archive: Archive, parameter: str, value: str) -> None:
    data = {"LANG": "ADQL", "QUERY": f"SELECT TOP 1 hip {FROM}", parameter: value}
    started = time.monotonic()
    answer = requests.post(f"{archive.tap}/sync", data=data, timeout=60)
    assert_refused(answer)
    assert "Set-Cookie" not in answer.headers
    assert time.monotonic() - started < 5


def test_a_run_id_that_looks_like_a_log_line_is_only_text(archive: Archive) -> None:
    answer = archive.query(f"SELECT TOP 1 hip {FROM}", RUNID='x\n{"level": "error"}')
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body", [b"\xff\xfe%zz=&&&", b"QUERY=" + b"%00" * 100, b"=" * 10_000, b"&".join([b"a=b"] * 5000)]
)
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_body_that_is_no_form_is_refused(archive: Archive, body: bytes, content_type: str) -> None:
    answer = requests.post(f"{archive.tap}/sync", data=body, headers={"Content-Type": content_type}, timeout=30)
    assert_refused(answer)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain; charset=utf-8"}])
def test_an_address_of_too_many_parameters_is_refused(archive: Archive, headers: dict[str, str]) -> None:
    for path in ("/sync", "/async", "/tables"):
        answer = requests.get(f"{archive.tap}{path}?{'&' * 1000}", headers=headers, timeout=30)
        assert answer.status_code == 413
        assert wire.status(answer.content)[0] == "ERROR"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain; x*=foo''bar", "text/plain; charset*=utf-8''a%00b", "text/plain; charset=hex", ";;="],
)
def test_a_content_type_that_is_none_is_as_one_that_was_not_sent(archive: Archive, content_type: str) -> None:
    parameters = {"LANG": "ADQL", "QUERY": f"SELECT TOP 1 hip {FROM}"}
    answer = requests.get(f"{archive.tap}/sync", parameters, headers={"Content-Type": content_type}, timeout=30)
    assert len(wire.table(answer.content)) == 1


@pytest.mark.parametrize("charset", ["hex", "idna", "utf-16"])
def test_a_form_in_no_charset_is_refused(archive: Archive, charset: str) -> None:
    for form in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = b'--x\r\nContent-Disposition: form-data; name="QUERY"\r\n\r\nx\r\n--x--\r\n'
        headers = {"Content-Type": f"{form}; charset={charset}"}
        assert_refused(requests.post(f"{archive.tap}/sync", data=body, headers=headers, timeout=30))
        login = requests.post(f"{archive.url}/auth/login", data=body, headers=headers, timeout=30)
        assert login.status_code in (400, 401), login.text


def test_a_huge_body_is_refused(archive: Archive) -> None:
    answer = requests.post(f"{archive.tap}/sync", data={"LANG": "ADQL", "QUERY": "x" * 20_000_000}, timeout=60)
    assert_refused(answer)
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_not_allowed(archive: Archive, method: str) -> None:
    assert requests.request(method, f"{archive.tap}/sync", timeout=30).status_code == 405


@pytest.mark.parametrize("name", ["gaiadr3.bright' OR '1'='1", "../../etc/passwd", "%00", "x" * 1000, "<b>"])
def test_a_table_name_in_an_address_is_only_looked_up(archive: Archive, name: str) -> None:
    answer = requests.get(f"{archive.tap}/tables/{name}", timeout=30)
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_a_stranger_finds_no_job(archive: Archive) -> None:
    archive.submit(f"SELECT hip {FROM}", RUNID="secret-run")
    for parameters in ({}, {"PHASE": "PENDING"}, {"LAST": "100"}, {"AFTER": "2000-01-01T00:00:00Z"}):
        listed = requests.get(f"{archive.tap}/async", params=parameters, timeout=30)
        assert listed.status_code == 200
        assert "jobref" not in listed.text


def test_a_job_cannot_be_made_to_read_another_result(archive: Archive) -> None:
    job = archive.submit(f"SELECT TOP 1 hip {FROM}", PHASE="RUN")
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    table = f'results."job_{job.rpartition("/")[2]}"'
    assert_refused(archive.query(f"SELECT * FROM {table}"))
    thief = archive.submit(f"SELECT * FROM {table}", PHASE="RUN")
    assert archive.until(thief, "COMPLETED", "ERROR") == "ERROR"


@pytest.mark.parametrize("role", ["almagest_query", "almagest_job", "almagest_public", "almagest_guest"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM hipparcos.main",
        "CREATE TABLE public.mine (x int)",
        "CREATE TABLE hipparcos.mine (x int)",
        "SELECT * FROM almagest.loads",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SET ROLE almagest",
        "SET ROLE postgres",
        "ALTER ROLE almagest_query SUPERUSER",
        "CREATE EXTENSION dblink",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'almagest'",
    ],
)
def test_the_roles_hold_even_without_the_translator(
    application: Application, archive: Archive, role: str, statement: str
) -> None:
    """The database is the boundary: whatever SQL might slip through, even `SET`, these roles may not do it."""
    with application.data("almagest"), application.data(role) as data:
        data.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.Error) as refused:
            data.execute(statement)
    assert refused.value.sqlstate == "42501"


def test_after_all_this_the_archive_still_answers(archive: Archive) -> None:
    answer = archive.query(f"SELECT COUNT(*) AS n {FROM}")
    assert list(wire.table(answer.content)["n"]) == [117955]
