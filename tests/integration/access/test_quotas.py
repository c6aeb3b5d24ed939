"""What one owner may have: refused with a reason, and never more on the disk than allowed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import wire
from support.archive import Archive
from support.askers import Asker, browser, nobody, user
from support.seconds import FOR_EVER

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300), pytest.mark.usefixtures("slow_table")]

COUNT = "SELECT COUNT(*) AS n FROM openngc.objects"
POSITIONS = "SELECT TOP 20000 hip, ra, dec FROM hipparcos.main"


@pytest.fixture
def cyd(archive: Archive) -> Iterator[Asker]:
    """A user without jobs and without a quota of his own."""
    with user(archive, "cyd", "team") as asker:
        yield asker
        for job in asker.listed():
            asker.session.delete(job, allow_redirects=False, timeout=30)
    quota(archive, "user", "cyd")
    quota(archive, "group", "team")


@pytest.fixture(scope="module", autouse=True)
def team(archive: Archive) -> None:
    archive.application.console.must("group", "add", "team")


def quota(archive: Archive, *words: str) -> str:
    return archive.application.console.must("quota", *words)


def stored(archive: Archive, job: str) -> int:
    """Result tables of this job."""
    with archive.application.data() as data:
        row = data.execute(
            "SELECT count(*) FROM pg_tables WHERE tablename = %s", (f"job_{job.rpartition('/')[2]}",)
        ).fetchone()
    return int(row[0]) if row else 0


def test_a_result_says_what_it_takes(cyd: Asker) -> None:
    job = cyd.done(POSITIONS)
    assert int(cyd.info(job, "rows")) == 20_000
    assert 20_000 * 24 < int(cyd.info(job, "bytes")) < 20_000 * 100


def test_jobs_beyond_those_allowed_at_once_are_refused(archive: Archive, cyd: Asker) -> None:
    quota(archive, "user", "cyd", "--active", "1")
    running = cyd.submit(FOR_EVER, PHASE="RUN")
    before = cyd.listed()
    refused = cyd.create(COUNT, PHASE="RUN")
    assert refused.status_code == 403
    assert "abort or delete one" in wire.status(refused.content)[1]
    assert cyd.listed() == before
    waiting = cyd.submit(COUNT)
    assert cyd.post(f"{waiting}/phase", PHASE="RUN").status_code == 403
    assert cyd.get(f"{waiting}/phase").text == "PENDING"
    cyd.post(f"{running}/phase", PHASE="ABORT")
    assert cyd.post(f"{waiting}/phase", PHASE="RUN").status_code == 303
    assert cyd.until(waiting, "COMPLETED", "ERROR") == "COMPLETED"


def test_jobs_that_are_never_started_are_refused_beyond_those_allowed(archive: Archive, cyd: Asker) -> None:
    quota(archive, "user", "cyd", "--pending", "2")
    first, _ = cyd.submit(COUNT), cyd.submit(COUNT)
    before = cyd.listed()
    refused = cyd.create(COUNT)
    assert refused.status_code == 403
    assert "2 jobs were created and never started" in wire.status(refused.content)[1]
    assert cyd.listed() == before
    assert cyd.done(COUNT), "a job that is started with its creation is never PENDING"
    assert cyd.post(f"{first}/phase", PHASE="RUN").status_code == 303
    assert cyd.create(COUNT).status_code == 303


def test_a_result_that_is_too_large_fails_and_leaves_nothing(archive: Archive, cyd: Asker) -> None:
    quota(archive, "user", "cyd", "--bytes", "300KiB")
    job = cyd.submit(POSITIONS, PHASE="RUN")
    assert cyd.until(job, "COMPLETED", "ERROR") == "ERROR"
    assert "would pass the 300 KiB" in wire.status(cyd.get(f"{job}/error").content)[1]
    assert stored(archive, job) == 0
    assert cyd.done(COUNT)


def test_rows_are_counted_too(archive: Archive, cyd: Asker) -> None:
    quota(archive, "user", "cyd", "--rows", "100")
    assert cyd.done("SELECT TOP 100 hip FROM hipparcos.main")
    refused = cyd.create(COUNT)
    assert refused.status_code == 403
    assert "100 of the 100 rows" in wire.status(refused.content)[1]


def test_rows_of_tables_that_are_kept_are_counted_too(archive: Archive, cyd: Asker) -> None:
    quota(archive, "user", "cyd", "--rows", "100")
    table = f"{archive.tap}/tables/tap_user.kept"
    for nrows, status in ((101, 403), (100, 201)):
        data = "n\n" + "".join(f"{number}\n" for number in range(nrows))
        answer = cyd.session.put(table, data=data, headers={"Content-Type": "text/csv"}, timeout=60)
        assert answer.status_code == status, answer.text
    assert cyd.session.delete(table, timeout=60).status_code == 204


def test_a_huge_result_is_stopped_while_it_is_written(archive: Archive, cyd: Asker) -> None:
    """Without that it would write gigabytes, up to the limit of its time."""
    quota(archive, "user", "cyd", "--bytes", "5MiB")
    job = cyd.submit("SELECT a.*, b.* FROM openngc.objects a CROSS JOIN openngc.objects b", MAXREC="10000000")
    cyd.post(f"{job}/executionduration", EXECUTIONDURATION="3600")
    cyd.post(f"{job}/phase", PHASE="RUN")
    assert cyd.until(job, "COMPLETED", "ERROR") == "ERROR"
    assert "would pass the 5 MiB" in wire.status(cyd.get(f"{job}/error").content)[1]
    assert stored(archive, job) == 0


def test_who_has_filled_his_room_is_told_what_to_delete(archive: Archive, cyd: Asker) -> None:
    job = cyd.done(POSITIONS)
    quota(archive, "user", "cyd", "--bytes", "100KiB")
    refused = cyd.create(COUNT)
    assert refused.status_code == 403
    assert job.rpartition("/")[2] in wire.status(refused.content)[1]
    cyd.session.delete(job, allow_redirects=False, timeout=30)
    assert cyd.create(COUNT).status_code == 303


def test_a_group_gives_more_and_a_quota_of_ones_own_decides(archive: Archive, cyd: Asker) -> None:
    cyd.done(POSITIONS)
    quota(archive, "user", "--bytes", "100KiB")
    try:
        assert cyd.create(COUNT).status_code == 403
        quota(archive, "group", "team", "--bytes", "1GiB")
        assert cyd.create(COUNT).status_code == 303
        quota(archive, "user", "cyd", "--bytes", "1KiB")
        assert cyd.create(COUNT).status_code == 403
        told = quota(archive)
    finally:
        quota(archive, "user")
    assert "group team" in told
    assert "1 GiB" in told


@pytest.fixture
def visitors(archive: Archive) -> Iterator[tuple[Asker, Asker]]:
    """Two browsers, whose jobs are the only ones of visitors; no quota of theirs is left when the test is over."""
    with archive.application.app() as rows:
        rows.execute("DELETE FROM query_job WHERE user_id IS NULL AND owner <> ''")
    with browser(archive) as first, browser(archive) as second:
        yield first, second
        for asker in (first, second):
            for job in asker.listed():
                asker.session.delete(job, allow_redirects=False, timeout=30)
    quota(archive, "guests")


def test_visitors_keep_within_one_allowance_together(archive: Archive, visitors: tuple[Asker, Asker]) -> None:
    first, second = visitors
    job = first.done(POSITIONS)
    quota(archive, "guests", "--bytes", "100KiB")
    refused = second.create(COUNT)
    assert refused.status_code == 403
    told = wire.status(refused.content)[1]
    assert "results of all visitors together take" in told
    assert job.rpartition("/")[2] not in told
    first.session.delete(job, allow_redirects=False, timeout=30)
    assert second.done(COUNT)


def test_a_visitors_result_may_not_pass_what_all_have_together(archive: Archive, visitors: tuple[Asker, Asker]) -> None:
    quota(archive, "guests", "--bytes", "300KiB")
    job = visitors[0].submit(POSITIONS, PHASE="RUN")
    assert visitors[0].until(job, "COMPLETED", "ERROR") == "ERROR"
    assert "results of all visitors together may" in wire.status(visitors[0].get(f"{job}/error").content)[1]
    assert stored(archive, job) == 0


def test_jobs_of_visitors_are_counted_together(archive: Archive, visitors: tuple[Asker, Asker]) -> None:
    first, second = visitors
    quota(archive, "guests", "--active", "1", "--pending", "1")
    running, pending = first.submit(FOR_EVER, PHASE="RUN"), first.submit(COUNT)
    for start in ({"PHASE": "RUN"}, {}):
        refused = second.create(COUNT, **start)
        assert refused.status_code == 403
        assert "1 jobs of all visitors together" in wire.status(refused.content)[1]
    for job in (running, pending):
        first.session.delete(job, allow_redirects=False, timeout=30)
    assert second.done(COUNT)


def test_all_visitors_together_leave_workers_to_others(archive: Archive, visitors: tuple[Asker, Asker]) -> None:
    first, second = visitors
    quota(archive, "guests", "--executing", "1")
    archive.start("worker", "short", name="worker-short-2")
    try:
        running = first.submit(FOR_EVER, PHASE="RUN")
        first.until(running, "EXECUTING")
        waiting = second.submit(COUNT, PHASE="RUN")
        with nobody(archive) as asker:
            asker.done(COUNT)
        assert second.get(f"{waiting}/phase").text == "QUEUED"
        first.post(f"{running}/phase", PHASE="ABORT")
        assert second.until(waiting, "COMPLETED", "ERROR") == "COMPLETED"
    finally:
        archive.processes.pop("worker-short-2").kill()


def test_of_what_has_ended_the_newest_of_nobodys_and_of_visitors_stay(
    archive: Archive, cyd: Asker, visitors: tuple[Asker, Asker]
) -> None:
    """Of each phase by itself, so no failure displaces a result; and of each visitor's first, so no one all others'."""
    wrong = "SELECT nothing FROM nowhere"
    with nobody(archive) as asker:
        askers = (*visitors, asker, cyd)
        ended = [[each.submit(query, PHASE="RUN") for query in (COUNT, wrong, wrong, wrong)] for each in askers]
        for each, jobs in zip(askers, ended, strict=True):
            for job in jobs:
                each.until(job, "COMPLETED", "ERROR")
        waiting = asker.submit(COUNT)
        code = (
            "from almagest.query import limits; from almagest.query.uws import recovery;"
            " limits.ENDED_JOBS = dict.fromkeys(limits.ENDED_JOBS, 2);"
            " limits.ENDED_JOBS_OF_VISITOR = 1; recovery.trim()"
        )
        done = archive.application.run("shell", "-v", "0", "-c", code)
        assert done.code == 0, done.err
        assert asker.get(waiting).status_code == 200
        found = [[each.get(job).status_code == 200 for job in jobs] for each, jobs in zip(askers, ended, strict=True)]
    assert [(has_result, sum(failures)) for has_result, *failures in found] == [
        (True, 1),
        (True, 1),
        (True, 2),
        (True, 3),
    ]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["user", "noone-at-all", "--active", "1"], 1, "there is no user 'noone-at-all'"),
        (["group", "strangers", "--active", "1"], 1, "there is no group 'strangers'"),
        (["guest", "someone", "--active", "1"], 1, "a quota of guest takes no name"),
        (["guests", "someone", "--active", "1"], 1, "a quota of guests takes no name"),
        (["user", "--bytes", "much"], 1, "'much' is no size"),
        (["user", "--active", "-1"], 2, "--active"),
    ],
)
def test_a_wrong_quota_is_refused_in_one_line(archive: Archive, words: list[str], code: int, error: str) -> None:
    done = archive.application.run("quota", *words)
    assert done.code == code
    assert error in done.err
    assert "Traceback" not in done.err
