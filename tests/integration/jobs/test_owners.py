"""Whose a job is: lists, addresses and tables of one asker, closed to every other."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import requests

from support import catalogues, wire
from support.archive import Archive
from support.askers import UWS, Asker, browser, nobody, user
from support.seconds import FOR_EVER, lasting
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400), pytest.mark.usefixtures("slow_table")]

COUNT = "SELECT COUNT(*) AS n FROM openngc.objects"
BRIGHT = "SELECT hip, ra, dec FROM hipparcos.main WHERE hip < 100"


@pytest.fixture(scope="module")
def ada(archive: Archive) -> Iterator[Asker]:
    with user(archive, "ada") as asker:
        yield asker


@pytest.fixture(scope="module")
def ben(archive: Archive) -> Iterator[Asker]:
    with user(archive, "ben") as asker:
        yield asker


@pytest.fixture
def anyone(archive: Archive) -> Iterator[Asker]:
    with nobody(archive) as asker:
        yield asker


def tables_of(archive: Archive, job: str) -> list[str]:
    """Schemas that hold a result table of this job."""
    with archive.application.data() as data:
        rows = data.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = %s", (f"job_{job.rpartition('/')[2]}",)
        ).fetchall()
    return [schema for (schema,) in rows]


def expire(archive: Archive, job: str) -> None:
    """Let the job's destruction time come, and be noticed by whoever looks first."""
    with archive.application.app() as rows:
        rows.execute("UPDATE query_job SET destruction_at = now() WHERE id = %s", (job.rpartition("/")[2],))


def test_a_list_has_the_callers_own_jobs_newest_first(ada: Asker, ben: Asker, anyone: Asker) -> None:
    jobs = [ada.submit(COUNT, RUNID=f"run {number}") for number in range(3)]
    assert [job for job in ada.listed() if job in jobs] == jobs[::-1]
    assert not set(jobs) & set(ben.listed())
    assert anyone.listed() == []
    assert ada.said(jobs[0], "ownerId") == ada.get(f"{jobs[0]}/owner").text == "ada"


def test_filters_of_a_list_are_combined_with_and(ada: Asker) -> None:
    done = ada.done(COUNT)
    pending = [ada.submit(COUNT) for _ in range(2)]
    aborted = ada.submit(COUNT)
    ada.post(f"{aborted}/phase", PHASE="ABORT")
    created = ada.said(done, "creationTime")
    assert ada.listed(PHASE=["PENDING", "ABORTED"], AFTER=created) == [aborted, *pending[::-1]]
    assert ada.listed(phase="PENDING", AFTER=created, LAST="1") == [pending[1]]
    assert ada.listed(LAST="1") == [aborted]
    assert ada.listed(PHASE="HELD") == []
    assert ada.listed(AFTER="2999-01-01") == []


def test_a_filter_by_time_takes_every_zone_that_a_time_can_have(ada: Asker) -> None:
    job = ada.submit(COUNT)
    for zone in ("+23:59", "+16:00", "-16:00", "-23:59"):
        assert job in ada.listed(AFTER=f"2020-01-01T00:00:00{zone}")


@pytest.mark.parametrize("wrong", [{"PHASE": "LIMBO"}, {"AFTER": "yesterday"}, {"LAST": "0"}, {"LAST": "-1"}])
def test_a_filter_that_cannot_be_read_is_a_user_error(ada: Asker, wrong: dict[str, str]) -> None:
    answer = ada.get(f"{ada.archive.tap}/async", **wrong)
    assert answer.status_code == 400
    assert wire.status(answer.content)[0] == "ERROR"


def test_a_users_job_does_not_exist_for_others(ada: Asker, ben: Asker, anyone: Asker) -> None:
    job = ada.done(COUNT)
    for other in (ben, anyone):
        for path in ("", "/phase", "/parameters", "/results", "/results/result", "/error", "/owner", "/quote"):
            assert other.get(f"{job}{path}").status_code == 404
        for path, sent in {
            "": {"ACTION": "DELETE"},
            "/phase": {"PHASE": "ABORT"},
            "/parameters": {"QUERY": "SELECT 1"},
            "/destruction": {"DESTRUCTION": "2000-01-01"},
            "/executionduration": {"EXECUTIONDURATION": "1"},
        }.items():
            assert other.post(f"{job}{path}", **sent).status_code == 404
        assert other.session.delete(job, allow_redirects=False, timeout=30).status_code == 404
    assert ada.get(f"{job}/phase").text == "COMPLETED"


def test_visitors_are_told_apart_by_their_cookies(archive: Archive, anyone: Asker) -> None:
    with browser(archive) as first, browser(archive) as second:
        jobs = [asker.done(COUNT) for asker in (first, second)]
        assert [asker.listed() for asker in (first, second)] == [[jobs[0]], [jobs[1]]]
        own, other = (f"tap_user.{first.info(job, 'table').partition('.')[2]}" for job in jobs)
        assert first.sync(f"SELECT n FROM {own}").status_code == 200
        assert first.sync(f"SELECT n FROM {other}").status_code == 400
        assert anyone.sync(f"SELECT n FROM {own}").status_code == 400
    # Who was given the address has the job, as with every anonymous one.
    assert anyone.get(f"{jobs[0]}/results/result").status_code == 200
    assert jobs[0] not in anyone.listed()


@pytest.mark.parametrize("forge", [lambda _: "A" * 43, lambda own: own[:43], lambda own: "A" * 43 + own[43:]])
def test_a_cookie_that_the_archive_did_not_make_is_none(archive: Archive, forge: Callable[[str], str]) -> None:
    with browser(archive) as asker:
        job = asker.done(COUNT)
        own = asker.cookie
        assert asker.listed() == [job]
        made_up = {"almagest_visitor": forge(own)}
        listed = requests.get(f"{archive.tap}/async", cookies=made_up, timeout=30)
        assert "jobref" not in listed.text
        data = {"LANG": "ADQL", "QUERY": COUNT}
        headers = {"Sec-Fetch-Site": "same-origin"}
        url = f"{archive.tap}/async"
        created = requests.post(url, data=data, headers=headers, cookies=made_up, timeout=30, allow_redirects=False)
        assert created.status_code == 303
        assert str(created.cookies["almagest_visitor"]).partition(":")[0] not in (own[:43], "A" * 43)


def test_a_result_can_be_queried_and_joined_by_its_owner_only(archive: Archive, ada: Asker, ben: Asker) -> None:
    job = ada.done(BRIGHT, TABLE_NAME="Nearby_Stars")
    assert ada.info(job, "table") == "tap_user.nearby_stars"
    assert tables_of(archive, job) != ["results"]
    joined = (
        "SELECT t.hip, m.ra FROM tap_user.nearby_stars AS t JOIN hipparcos.main AS m ON t.hip = m.hip ORDER BY t.hip"
    )
    expected = sorted(int(hip) for hip in catalogues.hipparcos()["hip"] if hip < 100)
    assert [int(row["hip"]) for row in wire.csv_rows(ada.sync(joined).text)] == expected
    stored = ada.get(f"{ada.done(joined)}/results/result", RESPONSEFORMAT="csv").text
    assert [int(row["hip"]) for row in wire.csv_rows(stored)] == expected
    for refused in (ben.sync(joined), ben.sync("SELECT * FROM tap_user.nearby_stars")):
        assert refused.status_code == 400
        assert "nearby_stars" in wire.status(refused.content)[1]


def test_a_table_keeps_what_its_columns_mean(ada: Asker) -> None:
    ada.done("SELECT ra, ra AS ctid, dec AS ra, 'x' AS label FROM hipparcos.main WHERE hip = 1", TABLE_NAME="odd")
    table = wire.table(ada.sync("SELECT * FROM tap_user.odd", RESPONSEFORMAT="votable").content)
    assert table.colnames == ["ra", "c2", "ra_2", "label"]
    assert str(table["ra"].unit) == "deg"


def test_a_table_without_a_name_is_called_after_its_job(ada: Asker) -> None:
    job = ada.done(COUNT)
    name = f"tap_user.job_{job.rpartition('/')[2][:8]}"
    assert ada.info(job, "table") == name
    assert wire.csv_rows(ada.sync(f"SELECT n FROM {name}").text) == [{"n": str(len(catalogues.openngc()))}]


def test_two_results_never_have_one_name(ada: Asker, ben: Asker) -> None:
    first = ada.submit(COUNT, TABLE_NAME="taken")
    refused = ada.create(COUNT, TABLE_NAME="TAKEN")
    assert refused.status_code == 400
    assert first.rpartition("/")[2] in wire.status(refused.content)[1]
    ben.submit(COUNT, TABLE_NAME="taken")
    second = ada.submit(COUNT)
    assert ada.post(f"{second}/parameters", TABLE_NAME="taken").status_code == 400
    ada.session.delete(first, allow_redirects=False, timeout=30)
    assert ada.post(f"{second}/parameters", TABLE_NAME="taken").status_code == 303
    assert ada.create(COUNT, TABLE_NAME="drop table x").status_code == 400


def test_a_renamed_result_is_found_under_its_new_name_only(archive: Archive, ada: Asker) -> None:
    job = ada.done(COUNT, TABLE_NAME="before")
    code = (
        "from almagest.query.tables import jobtables; from almagest.query.models import Job;"
        f" jobtables.rename(Job.objects.get(pk='{job.rpartition('/')[2]}'), 'After')"
    )
    renamed = archive.application.run("shell", "-v", "0", "-c", code)
    assert renamed.code == 0, renamed.err
    assert ada.sync("SELECT n FROM tap_user.after").status_code == 200
    assert ada.sync("SELECT n FROM tap_user.before").status_code == 400


def test_of_an_expired_users_job_the_record_stays(archive: Archive, ada: Asker) -> None:
    job = ada.done(COUNT, RUNID="kept", TABLE_NAME="short_lived")
    expire(archive, job)
    assert ada.get(f"{job}/phase").text == "ARCHIVED"
    assert ada.get(f"{job}/results/result").status_code == 404
    parameters = {
        entry.get("id"): entry.text for entry in ada.document(job).iterfind(f"{UWS}parameters/{UWS}parameter")
    }
    assert parameters["QUERY"] == COUNT
    assert ada.document(job).find(f"{UWS}results/{UWS}result") is None
    assert job not in ada.listed()
    assert ada.listed(PHASE="ARCHIVED") == [job]
    assert ada.sync("SELECT n FROM tap_user.short_lived").status_code == 400
    assert ada.post(f"{job}/phase", PHASE="RUN").status_code == 403
    eventually("its result table to go", lambda: tables_of(archive, job) == [], within=150)
    assert ada.post(job, ACTION="DELETE").status_code == 303
    assert ada.get(job).status_code == 404


def test_of_an_expired_anonymous_job_nothing_stays(archive: Archive, anyone: Asker) -> None:
    job = anyone.done(COUNT)
    expire(archive, job)
    assert anyone.get(job).status_code == 404


def test_a_deleted_job_is_gone_at_once_and_its_table_soon(archive: Archive, ada: Asker) -> None:
    job = ada.done(COUNT, TABLE_NAME="doomed")
    assert len(tables_of(archive, job)) == 1
    gone = ada.session.delete(job, allow_redirects=False, timeout=30)
    assert (gone.status_code, gone.headers["Location"]) == (303, f"{archive.tap}/async")
    assert ada.get(job).status_code == 404
    assert ada.sync("SELECT n FROM tap_user.doomed").status_code == 400
    eventually("its result table to go", lambda: tables_of(archive, job) == [], within=150)


def test_turns_are_taken_by_owners_not_by_jobs(ada: Asker, ben: Asker) -> None:
    many = [ada.submit(lasting(2), PHASE="RUN") for _ in range(5)]
    one = ben.submit(COUNT, PHASE="RUN")
    assert ben.until(one, "COMPLETED", "ERROR", within=120) == "COMPLETED"
    for job in many:
        assert ada.until(job, "COMPLETED", "ERROR", within=180) == "COMPLETED"
    assert ben.started(one) < ada.started(many[2])


def test_one_owner_never_holds_all_workers_of_a_queue(archive: Archive, ada: Asker, ben: Asker) -> None:
    archive.application.console.must("quota", "user", "--executing", "1")
    archive.start("worker", "long", name="worker-long-2")
    jobs = []
    try:
        for asker in (ada, ada, ben):
            job = asker.submit(FOR_EVER)
            asker.post(f"{job}/executionduration", EXECUTIONDURATION="600")
            asker.post(f"{job}/phase", PHASE="RUN")
            jobs.append((asker, job))
        ada.until(jobs[0][1], "EXECUTING", within=90)
        ben.until(jobs[2][1], "EXECUTING", within=90)
        held = time.monotonic() + 3
        while time.monotonic() < held:
            assert ada.get(f"{jobs[1][1]}/phase").text == "QUEUED"
        ada.post(f"{jobs[0][1]}/phase", PHASE="ABORT")
        ada.until(jobs[1][1], "EXECUTING", within=90)
    finally:
        for asker, job in jobs:
            asker.session.delete(job, allow_redirects=False, timeout=30)
        archive.processes.pop("worker-long-2").kill()
        archive.application.console.must("quota", "user")


def test_many_jobs_are_deleted_at_once_but_not_any_number(ada: Asker) -> None:
    names = [ada.submit(f"SELECT {number} FROM openngc.objects").rpartition("/")[2] for number in range(3)]
    there = ada.post(f"{ada.archive.tap}/deletejobs", JOB_IDS=",".join([*names, *names]))
    assert there.status_code == 200, there.text
    assert [ada.get(f"{ada.archive.tap}/async/{name}").status_code for name in names] == [404] * 3
    refused = ada.post(f"{ada.archive.tap}/deletejobs", JOB_IDS=",".join(str(uuid.uuid4()) for _ in range(501)))
    assert refused.status_code == 413
