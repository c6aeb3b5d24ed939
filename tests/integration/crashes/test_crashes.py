"""SIGKILL to each server and process in the middle of fifty jobs: every job ends, and ends once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest
import requests

from support import wire
from support.archive import Archive
from support.askers import Asker, nobody
from support.cluster import get
from support.processes import command_line, pids_of_pod
from support.seconds import lasting
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.usefixtures("slow_table")]

JOBS = 50
QUICK = "SELECT COUNT(*) AS n FROM openngc.objects WHERE ra > 1000"
SLOW = lasting(9)
RESULTS = {QUICK: ["n", "0"], SLOW: ["n", *"123456789"]}
SERVERS = {"appdb": "postgres", "datadb": "postgres", "broker": "beam", "cache": "redis"}
"""Pod → what the command lines of its server's processes contain."""


@pytest.fixture
def asker(archive: Archive) -> Iterator[Asker]:
    with nobody(archive) as found:
        yield found


def server(archive: Archive, name: str) -> list[int]:
    """Ids of the processes of one of SERVERS."""
    pod = get("pod", name, "-n", archive.application.services.namespace)
    pids = [pid for pid in pids_of_pod(pod["metadata"]["uid"]) if SERVERS[name] in command_line(pid)]
    assert pids, f"{name} does not run"
    return pids


def kill(archive: Archive, victim: str) -> None:
    """End a process of the archive, or a server's, as the kernel does when memory is short; the cluster, or we, start
    it again."""
    if victim in SERVERS:
        for pid in server(archive, victim):
            with contextlib.suppress(ProcessLookupError):  # it ended with its parent
                os.kill(pid, signal.SIGKILL)
    else:
        archive.processes[victim].kill()
        archive.start(*archive.processes[victim].words)


def phase(asker: Asker, job: str) -> str | None:
    """None while the archive cannot say."""
    try:
        answer = asker.get(f"{job}/phase")
    except requests.RequestException:
        return None
    assert answer.status_code in (200, 503), answer.text
    return answer.text if answer.status_code == 200 else None


def ended(asker: Asker, job: str) -> str | None:
    return found if (found := phase(asker, job)) in ("COMPLETED", "ERROR") else None


def told(asker: Asker, job: str) -> tuple[str, str, str]:
    """Phase, end and reason, as the job's document says them."""
    return asker.said(job, "phase"), asker.said(job, "endTime"), asker.said(job, "errorSummary/{*}message")


def count(archive: Archive, statement: str) -> int:
    with archive.application.data("almagest_job") as data:
        row = data.execute(statement).fetchone()
    return int(row[0]) if row else 0


def queries(archive: Archive) -> int:
    return count(
        archive,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'job-%' AND state <> 'idle'",
    )


def orphans(archive: Archive, jobs: dict[str, str]) -> set[str]:
    """Result tables of those of these jobs that have no result."""
    with archive.application.data() as data:
        names = {name for (name,) in data.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'job%'")}
    return {job for job, last in jobs.items() if last != "COMPLETED" and f"job_{job.rpartition('/')[2]}" in names}


@pytest.mark.parametrize("victim", ["worker-short", "serve", "scheduler", *SERVERS])
def test_every_job_ends_once_whatever_is_killed(archive: Archive, asker: Asker, victim: str) -> None:
    # The second takes many seconds, so that something runs when the victim dies.
    asked = {asker.submit(query, PHASE="RUN", FORMAT="csv"): query for query in (QUICK, SLOW)}
    asker.until([*asked][1], "EXECUTING", within=90)
    asked |= {asker.submit(QUICK, PHASE="RUN", FORMAT="csv"): QUICK for _ in range(JOBS - 2)}
    eventually("its query to run", lambda: queries(archive), within=60)
    kill(archive, victim)
    last = {job: eventually(f"{job} to end", partial(ended, asker, job), within=300) for job in asked}
    first = {job: told(asker, job) for job in asked}
    assert all(reason for outcome, _, reason in first.values() if outcome == "ERROR")
    eventually("no query to run", lambda: queries(archive) == 0)
    for job, query in asked.items():
        result = asker.get(f"{job}/results/result")
        if last[job] == "ERROR":
            assert result.status_code == 404
        elif victim == "datadb" and result.status_code == 410:
            assert "lost when the data database restarted" in wire.status(result.content)[1]
        elif told(asker, job)[0] == "COMPLETED":
            assert result.text.split() == RESULTS[query]
    if victim != "datadb":
        assert {job: told(asker, job) for job in asked} == first
        assert list(last.values()).count("ERROR") <= 1
    eventually("no table to be left", lambda: not orphans(archive, last), within=150)


def test_a_result_that_a_crash_emptied_is_an_error_with_its_reason(archive: Archive, asker: Asker) -> None:
    job = asker.done("SELECT TOP 10 hip FROM hipparcos.main")
    kill(archive, "datadb")
    eventually("the data database to be back", lambda: count(archive, "SELECT 1"), within=120)
    assert asker.until(job, "ERROR", within=180) == "ERROR"
    assert "lost when the data database restarted" in wire.status(asker.get(f"{job}/error").content)[1]


def test_a_broker_that_takes_nothing_holds_nobody_up(archive: Archive, asker: Asker) -> None:
    """As when it is out of memory or disk: it is there, and reads no more."""
    asker.done(QUICK)
    frozen = server(archive, "broker")
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        job = asker.submit(QUICK, PHASE="RUN", FORMAT="csv")
        assert phase(asker, job) == "QUEUED"
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert asker.until(job, "COMPLETED", "ERROR", within=180) == "COMPLETED"
