"""Asynchronous jobs: their life by UWS, and that no death of a worker leaves one hanging or running twice."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from functools import partial
from xml.etree import ElementTree as ET

import pytest
import pyvo
import requests

from support import catalogues, wire
from support.application import Application
from support.archive import Archive
from support.seconds import FOR_EVER, lasting
from support.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("slow_table"),
    pytest.mark.timeout(400),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

COUNT = "SELECT COUNT(*) AS n FROM openngc.objects"
UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"


def backends(archive: Archive, job: str) -> int:
    """How many PostgreSQL backends run this job's query."""
    with archive.application.data("almagest_job") as data:
        row = data.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state = 'active'",
            (f"job-{job.rpartition('/')[2]}",),
        ).fetchone()
    return int(row[0]) if row else 0


def result_tables(archive: Archive, job: str) -> int:
    with archive.application.data() as data:
        row = data.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'results' AND tablename = %s",
            (f"job_{job.rpartition('/')[2]}",),
        ).fetchone()
    return int(row[0]) if row else 0


def no_result_table(archive: Archive, job: str) -> bool:
    return result_tables(archive, job) == 0


def running(archive: Archive, adql: str, **parameters: str) -> str:
    """A job whose query PostgreSQL works on."""
    job = archive.submit(adql, PHASE="RUN", **parameters)
    archive.until(job, "EXECUTING")
    eventually("its query to run", lambda: backends(archive, job))
    return job


def watched_to_its_end(archive: Archive, job: str, within: float = 120) -> tuple[str, float]:
    """The last phase and the seconds that it took; asserts all the way that never two queries of the job run."""
    started = time.monotonic()
    while (phase := archive.phase(job)) not in ("COMPLETED", "ERROR", "ABORTED"):
        assert backends(archive, job) <= 1
        assert time.monotonic() - started < within, f"{job} is still {phase}"
        time.sleep(0.2)
    return phase, time.monotonic() - started


def test_pyvo_runs_a_job_from_submission_to_deletion(archive: Archive) -> None:
    with requests.Session() as session:
        job = pyvo.dal.TAPService(archive.tap, session=session).submit_job(COUNT)
        assert job.phase == "PENDING"
        job.run().wait(timeout=60)
        assert job.phase == "COMPLETED"
        assert list(job.fetch_result()["n"]) == [len(catalogues.openngc())]
        url = job.url
        job.delete()
    assert requests.get(url, timeout=30).status_code == 404


def test_a_result_is_served_in_every_format_and_in_its_order(archive: Archive) -> None:
    job = archive.submit("SELECT TOP 20000 hip, ra FROM hipparcos.main ORDER BY ra DESC", PHASE="RUN", FORMAT="csv")
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    csv = requests.get(f"{job}/results/result", timeout=60)
    assert csv.headers["Content-Type"].startswith("text/csv")
    votable = requests.get(f"{job}/results/result", params={"RESPONSEFORMAT": "votable"}, timeout=60)
    expected = sorted(catalogues.hipparcos()["ra"], reverse=True)[:20000]
    assert [float(row["ra"]) for row in wire.csv_rows(csv.text)] == expected
    assert list(wire.table(votable.content)["ra"]) == expected


@pytest.mark.parametrize(("maxrec", "rows", "status"), [("0", 0, "OVERFLOW"), ("7", 7, "OVERFLOW"), ("20", 10, "OK")])
def test_maxrec_holds_for_stored_results(archive: Archive, maxrec: str, rows: int, status: str) -> None:
    job = archive.submit("SELECT TOP 10 hip FROM hipparcos.main", PHASE="RUN", MAXREC=maxrec)
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    document = requests.get(f"{job}/results/result", timeout=30).content
    assert len(wire.table(document)) == rows
    assert wire.status(document)[0] == status


def test_a_bad_query_makes_a_job_that_fails_with_its_reason(archive: Archive) -> None:
    job = archive.submit("SELECT parralax FROM hipparcos.main", PHASE="RUN")
    assert archive.until(job, "COMPLETED", "ERROR") == "ERROR"
    document = ET.fromstring(requests.get(job, timeout=30).content)
    assert "parralax" in (document.findtext(f"{UWS}errorSummary/{UWS}message") or "")
    error = requests.get(f"{job}/error", timeout=30)
    assert error.status_code == 200
    assert wire.status(error.content)[0] == "ERROR"
    assert requests.get(f"{job}/results/result", timeout=30).status_code == 404


def test_parameters_are_replaced_while_pending_and_kept_after(archive: Archive) -> None:
    job = archive.submit("", RUNID="first")
    requests.post(f"{job}/parameters", data={"query": COUNT, "runId": "second"}, timeout=30)
    sent = ET.fromstring(requests.get(f"{job}/parameters", timeout=30).content)
    assert {entry.get("id"): entry.text for entry in sent} == {"LANG": "ADQL", "QUERY": COUNT, "RUNID": "second"}
    requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=30)
    assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
    refused = requests.post(f"{job}/parameters", data={"QUERY": "SELECT 1"}, allow_redirects=False, timeout=30)
    assert refused.status_code == 403
    again = requests.post(f"{job}/phase", data={"PHASE": "RUN"}, allow_redirects=False, timeout=30)
    assert again.status_code == 303
    assert archive.phase(job) == "COMPLETED"


def test_each_resource_answers_as_uws_has_it(archive: Archive) -> None:
    job = archive.submit(COUNT)
    atoms = {"phase": "PENDING", "executionduration": "30", "quote": "", "owner": ""}
    for name, text in atoms.items():
        answer = requests.get(f"{job}/{name}", timeout=30)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["Content-Type"].startswith("text/plain")
    asked = {"destruction": "2099-01-01T00:00:00Z", "executionduration": "99999999"}
    for name, value in asked.items():
        set_to = requests.post(f"{job}/{name}", data={name.upper(): value}, allow_redirects=False, timeout=30)
        assert (set_to.status_code, set_to.headers["Location"]) == (303, job)
    document = ET.fromstring(requests.get(job, timeout=30).content)
    assert document.findtext(f"{UWS}executionDuration") == "3600"
    assert document.findtext(f"{UWS}destruction") == requests.get(f"{job}/destruction", timeout=30).text < "2099"
    bad = requests.post(f"{job}/destruction", data={"DESTRUCTION": "tomorrow"}, timeout=30)
    assert bad.status_code == 400
    assert requests.get(f"{job}/error", timeout=30).status_code == 404
    assert requests.get(f"{job}/nothing", timeout=30).status_code == 404
    listed = requests.get(f"{archive.tap}/async", timeout=30)
    assert job.rpartition("/")[2] not in listed.text
    gone = requests.delete(job, allow_redirects=False, timeout=30)
    assert (gone.status_code, gone.headers["Location"]) == (303, f"{archive.tap}/async")
    assert requests.get(job, timeout=30).status_code == 404


def test_abort_ends_the_query_within_a_second(archive: Archive) -> None:
    job = running(archive, FOR_EVER)
    asked = time.monotonic()
    answer = requests.post(f"{job}/phase", data={"PHASE": "ABORT"}, allow_redirects=False, timeout=30)
    assert answer.status_code == 303
    assert archive.phase(job) == "ABORTED"
    eventually("its backend to be free", lambda: backends(archive, job) == 0, within=5)
    assert time.monotonic() - asked < 2
    assert result_tables(archive, job) == 0


def test_deleting_a_running_job_ends_its_query(archive: Archive) -> None:
    job = running(archive, FOR_EVER)
    requests.post(job, data={"ACTION": "DELETE"}, allow_redirects=False, timeout=30)
    assert requests.get(job, timeout=30).status_code == 404
    eventually("its backend to be free", lambda: backends(archive, job) == 0, within=5)


def test_a_job_finds_nothing_of_the_one_before_it_in_the_workers_session(archive: Archive) -> None:
    def sessions() -> list[tuple[str, int]]:
        """Of the workers: what they are called, and how many locks they hold."""
        with archive.application.data("almagest_job") as data:
            return data.execute(
                "SELECT application_name, count(locktype) FROM pg_stat_activity a"
                " LEFT JOIN pg_locks l ON l.pid = a.pid AND locktype = 'advisory'"
                " WHERE usename = 'almagest_job' AND a.pid <> pg_backend_pid() GROUP BY a.pid, application_name"
            ).fetchall()

    for query in (COUNT, "SELECT 1 / (ra - ra) AS x FROM openngc.objects", COUNT, COUNT):
        archive.until(archive.submit(query, PHASE="RUN"), "COMPLETED", "ERROR")
    eventually("the workers to be idle", lambda: all(session == ("worker", 0) for session in sessions()))
    assert len(sessions()) <= len(archive.processes)


def test_a_job_beyond_its_time_fails_and_says_what_to_do(archive: Archive) -> None:
    job = archive.submit(FOR_EVER)
    requests.post(f"{job}/executionduration", data={"EXECUTIONDURATION": "2"}, timeout=30)
    requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=30)
    assert archive.until(job, "COMPLETED", "ERROR") == "ERROR"
    assert "executionduration, at most 3600 s" in requests.get(f"{job}/error", timeout=30).text


def test_wait_returns_when_the_phase_changes(archive: Archive) -> None:
    job = archive.submit(COUNT)
    asked = time.monotonic()
    requests.get(job, params={"WAIT": "1"}, timeout=30)
    assert 0.9 < time.monotonic() - asked < 5
    asked = time.monotonic()
    requests.get(job, params={"WAIT": "20", "PHASE": "QUEUED"}, timeout=30)
    assert time.monotonic() - asked < 5


def test_a_job_whose_message_was_lost_is_run(archive: Archive) -> None:
    job = archive.submit(COUNT)
    with archive.application.app() as rows:
        rows.execute(
            "UPDATE query_job SET phase = 'QUEUED', queued_at = now() WHERE id = %s", (job.rpartition("/")[2],)
        )
    assert archive.until(job, "COMPLETED", "ERROR", within=60) == "COMPLETED"


def test_expired_and_deleted_jobs_go_with_their_results(archive: Archive) -> None:
    expired, deleted = (archive.submit(COUNT, PHASE="RUN") for _ in range(2))
    for job in (expired, deleted):
        assert archive.until(job, "COMPLETED", "ERROR") == "COMPLETED"
        assert result_tables(archive, job) == 1
    with archive.application.app() as rows:
        rows.execute("UPDATE query_job SET destruction_at = now() WHERE id = %s", (expired.rpartition("/")[2],))
    requests.delete(deleted, allow_redirects=False, timeout=30)
    for job in (expired, deleted):
        assert requests.get(job, timeout=30).status_code == 404
        eventually("its result table to go", partial(no_result_table, archive, job), within=150)


@pytest.fixture
def unordered(archive: Archive) -> Iterator[Archive]:
    """An archive without its scheduler: no message tells its workers to sweep."""
    archive.processes["scheduler"].kill()
    yield archive
    archive.start("scheduler")


def test_a_worker_that_is_never_idle_sweeps_between_jobs(unordered: Archive) -> None:
    """In a busy queue the message that tells it to comes too late."""
    deleted = unordered.submit(COUNT, PHASE="RUN")
    assert unordered.until(deleted, "COMPLETED", "ERROR") == "COMPLETED"
    requests.delete(deleted, allow_redirects=False, timeout=30)

    def gone_after_one_more() -> bool:
        assert unordered.until(unordered.submit(COUNT, PHASE="RUN"), "COMPLETED", "ERROR") == "COMPLETED"
        return no_result_table(unordered, deleted)

    eventually("a result table to go", gone_after_one_more, within=60)


def make_sweep_due(application: Application) -> None:
    with application.app() as rows:
        rows.execute("UPDATE query_sweep SET begun_at = now() - interval '1 minute'")


def test_of_all_workers_that_would_sweep_one_does(unordered: Archive) -> None:
    make_sweep_due(unordered.application)
    code = (
        "from concurrent.futures import ThreadPoolExecutor; from almagest.query.uws import sweep\n"
        "with ThreadPoolExecutor(4) as workers: print(sum(workers.map(lambda _: sweep.begin(), range(20))))"
    )
    done = unordered.application.run("shell", "-v", "0", "-c", code)
    assert (done.code, done.out.split()) == (0, ["1"]), done.err


@pytest.mark.parametrize("away", ["APPDB", "DATADB"])
def test_a_sweep_waits_for_a_database_that_is_away(unordered: Archive, away: str) -> None:
    make_sweep_due(unordered.application)
    application = Application(unordered.application.services, {f"ALMAGEST_{away}_PORT": "1"})
    done = application.run("shell", "-v", "0", "-c", "from almagest.query.uws import tasks; tasks.drop_orphans()")
    assert done.code == 0, done.err
    assert "the next one goes on" in done.out + done.err


def test_a_killed_worker_child_loses_no_job(archive: Archive) -> None:
    job = running(archive, lasting(5), FORMAT="csv")
    for child in archive.worker("short").children():
        os.kill(child, signal.SIGKILL)
    phase, seconds = watched_to_its_end(archive, job)
    assert phase == "COMPLETED"
    assert seconds < 90
    assert requests.get(f"{job}/results/result", timeout=30).text.split() == ["n", *"12345"]


def test_a_killed_worker_loses_no_job(archive: Archive) -> None:
    job = running(archive, lasting(5), FORMAT="csv")
    archive.worker("short").kill()
    archive.start("worker", "short")
    phase, seconds = watched_to_its_end(archive, job)
    assert phase == "COMPLETED"
    assert seconds < 90


def test_a_query_that_loses_its_worker_twice_is_an_error_with_its_reason(archive: Archive) -> None:
    job = running(archive, FOR_EVER)
    for _ in range(2):
        eventually("its query to run", lambda: backends(archive, job), within=60)
        for child in archive.worker("short").children():
            os.kill(child, signal.SIGKILL)
        eventually("its query to end", lambda: backends(archive, job) == 0, within=20)
    assert archive.until(job, "ERROR", within=60) == "ERROR"
    assert "the worker that ran this query was lost, 2 times" in requests.get(f"{job}/error", timeout=30).text


@pytest.mark.parametrize("job", ["x", "0", str(uuid.uuid4()), str(uuid.uuid4()).upper(), "..%2f..", "' OR 1=1--"])
def test_a_job_that_is_not_there_is_404(archive: Archive, job: str) -> None:
    for path in ("", "/phase", "/results/result", "/error"):
        assert requests.get(f"{archive.tap}/async/{job}{path}", timeout=30).status_code == 404
    assert requests.delete(f"{archive.tap}/async/{job}", timeout=30).status_code == 404
