"""SIGKILL anything at any time: jobs, data and reconciliation come out right."""

from __future__ import annotations

import json
import urllib.request

import pytest
import pyvo

from e2e.conftest import Archive, make
from host import processes
from support import catalogues
from support.cluster import get, kubectl
from support.processes import kill_in_pods
from support.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

PAIRS = """SELECT COUNT(*) AS n FROM (SELECT TOP 16000 ra FROM gaiadr3.bright) AS a,
(SELECT TOP 16000 dec FROM gaiadr3.bright) AS b WHERE SIN(RADIANS(a.ra)) + SIN(RADIANS(b.dec)) < 3"""


def generation_ready(archive: Archive) -> bool:
    live = get("archive", archive.name, "-n", archive.namespace)
    ready = next(c for c in live["status"]["conditions"] if c["type"] == "Ready")
    observed = live["status"]["observedGeneration"] == live["metadata"]["generation"]
    return bool(observed and ready["status"] == "True")


def retitle(archive: Archive, title: str) -> None:
    patch = json.dumps({"spec": {"site": {"title": title}}})
    kubectl("patch", "archive", archive.name, "-n", archive.namespace, "--type=merge", "-p", patch)


def home(archive: Archive) -> str:
    with urllib.request.urlopen(archive.site, timeout=30) as response:
        text: str = response.read().decode()
    return text


def test_operator_killed_in_the_middle_of_a_reconcile_finishes_it(archive: Archive) -> None:
    title = get("archive", archive.name, "-n", archive.namespace)["spec"]["site"]["title"]

    def configured(wanted: str) -> bool:
        maps = get("configmaps", "-n", archive.namespace, "-l", f"app.kubernetes.io/instance={archive.name}")
        return wanted in json.dumps(maps, ensure_ascii=False)

    retitle(archive, "Killed in the middle")
    eventually("the reconcile's first write", lambda: configured("Killed in the middle"), within=30, every=0.02)
    kill_in_pods("almagest-system", "app.kubernetes.io/instance=almagest-operator", "almagest-operator")
    eventually("the archive to be ready", lambda: generation_ready(archive), within=240)
    eventually("the new title", lambda: "Killed in the middle" in home(archive), within=60)
    retitle(archive, title)
    eventually("the archive to be ready", lambda: generation_ready(archive), within=240)
    eventually("the old title", lambda: title in home(archive), within=60)


def test_child_deleted_by_hand_is_healed(archive: Archive) -> None:
    kubectl("delete", "deployment", f"{archive.name}-web", "-n", archive.namespace)
    eventually(
        "another Deployment",
        lambda: get("deployment", f"{archive.name}-web", "-n", archive.namespace)["status"].get("availableReplicas"),
        within=120,
    )
    eventually("the archive to be ready", lambda: generation_ready(archive), within=120)


def test_child_edited_by_hand_is_healed(archive: Archive) -> None:
    service = ["service", f"{archive.name}-datadb", "-n", archive.namespace]
    kubectl("patch", *service, "--type=merge", "-p", '{"spec": {"selector": {"app.kubernetes.io/component": "x"}}}')

    def healed() -> bool:
        return bool(get(*service)["spec"]["selector"]["app.kubernetes.io/component"] == "datadb")

    eventually("the selector to be as desired", healed, within=15)


def test_worker_killed_during_a_query_leaves_no_job_executing(archive: Archive) -> None:
    job = pyvo.dal.TAPService(archive.tap).submit_job(PAIRS)
    job.run()
    eventually("the job to execute", lambda: job.phase == "EXECUTING", within=60, every=0.1)
    kill_in_pods(
        archive.namespace, f"app.kubernetes.io/instance={archive.name},app.kubernetes.io/name=worker", "worker"
    )
    eventually("the job to end", lambda: job.phase in {"COMPLETED", "ERROR"}, within=240)
    if job.phase == "COMPLETED":
        assert job.fetch_result()["n"][0] == 16000 * 16000
    still = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename = 'almagest_job'"
    eventually("no orphan query", lambda: archive.psql(still) == "0", within=60)
    job.delete()


def test_every_process_of_the_node_killed_and_brought_back_with_no_row_lost(archive: Archive) -> None:
    job = pyvo.dal.TAPService(archive.tap).run_sync("SELECT COUNT(*) AS n FROM gaiadr3.bright")
    assert job["n"][0] == len(catalogues.gaia())
    assert processes.kill_everything() > 20
    make("up", timeout=900)
    eventually("the archive to be ready", lambda: generation_ready(archive), within=300)
    service = pyvo.dal.TAPService(archive.tap)
    counts = {table: service.search(f"SELECT COUNT(*) AS n FROM {table}")["n"][0] for table in catalogues.TABLES}
    assert counts == {table: len(read()) for table, read in catalogues.TABLES.items()}


def test_deleted_archive_keeps_its_volumes_and_comes_back_with_its_rows(archive: Archive) -> None:
    claims = {claim["metadata"]["uid"] for claim in get("pvc", "-n", archive.namespace)["items"]}
    kubectl("delete", "archive", archive.name, "-n", archive.namespace)

    def gone() -> bool:
        kinds = "deployments,statefulsets,services,configmaps,jobs,pods,networkpolicies,serviceaccounts"
        left = get(kinds, "-n", archive.namespace, "-l", f"app.kubernetes.io/instance={archive.name}")["items"]
        return not left

    eventually("everything but the volumes to be gone", gone, within=180)
    assert {claim["metadata"]["uid"] for claim in get("pvc", "-n", archive.namespace)["items"]} == claims
    make("up", timeout=900)
    count = pyvo.dal.TAPService(archive.tap).search("SELECT COUNT(*) AS n FROM gaiadr3.bright")["n"][0]
    assert count == len(catalogues.gaia())
