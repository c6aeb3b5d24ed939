"""When the API server is away, refuses, or the watches have missed something."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from almagest_operator.apply.client import connect
from almagest_operator.apply.engine import Applied, Engine
from almagest_operator.health import Health
from almagest_operator.model.resource import ResourceKey
from almagest_operator.model.text import as_yaml
from almagest_operator.observe.live import Live, project
from almagest_operator.observe.store import Indexes, Key, Store
from almagest_operator.plan import Step, owners
from almagest_operator.sweep import PATIENCE, Sweep
from integration.operator.conftest import DEV, Bench, catalogue, now
from support import faults
from support.faults import Fault
from support.waiting import eventually


def test_the_api_server_going_away_is_survived(running: Bench) -> None:
    assert running.operator is not None
    running.missing.pause()
    running.server.program.stop()
    time.sleep(3)
    since = now()
    running.server.program.start()
    running.server.await_ready()
    running.delete("deployments", "gaia-web")  # before the watches are back: none of them will ever hear of it
    running.missing.resume()
    eventually("the Deployment to be back", lambda: "gaia-web" in running.names("deployments"), within=60)
    running.await_ready()
    assert running.operator.poll() is None, "the same process"
    assert {write.target.split("?")[0].split("/")[-2] for write in running.writes(since)} <= {
        "deployments",
        "gaia",  # …/archives/gaia/status
        running.namespace,  # …/events
    }


def test_an_operator_that_starts_before_the_api_server_waits_for_it(bench: Bench) -> None:
    bench.apply()
    bench.missing.pause()
    bench.server.program.stop()
    try:
        bench.start()
        eventually("the operator to say so", lambda: "waiting for the API server" in bench.log.read_text(), within=30)
    finally:
        bench.server.program.start()
        bench.server.await_ready()
        bench.missing.resume()
    bench.await_ready(within=60)
    assert bench.operator is not None
    assert bench.operator.poll() is None, "the same process"


def test_an_operator_without_rights_ends_and_says_which_it_lacks(bench: Bench) -> None:
    bench.start(KUBECONFIG=str(bench.server.kubeconfig("stranger")))
    assert bench.operator is not None
    assert bench.operator.wait(90) == 1
    bench.operator = None
    assert "almagest-operator: list archives: archives.almagest.science is forbidden" in bench.log.read_text()


def test_what_the_api_server_refuses_is_told_with_its_reason(running: Bench) -> None:
    """An admission policy forbids more than two replicas: a wish that only the server can judge."""
    with _policy(running, "apps", "deployments", "object.spec.replicas <= 2", "no more than two"):
        running.apply(web={"replicas": 3})
        told = running.await_condition("Degraded", "True", "Refused")
        assert "Deployment gaia-web" in told["message"]
        assert "no more than two" in told["message"]
        assert running.get("deployments", "gaia-web")["spec"]["replicas"] == 1
    running.apply()
    running.await_ready()


def test_a_deletion_policy_that_is_refused_is_told_though_the_spec_is_invalid(running: Bench) -> None:
    none = "!has(object.metadata.ownerReferences)"
    with _policy(running, "", "persistentvolumeclaims", none, "claims have no owner"):
        datasets = [{"table": "pg_catalog.stars", "source": "demo:gaia"}]
        running.apply(lifecycle={"deletionPolicy": "Delete"}, datasets=datasets)
        told = running.await_condition("Degraded", "True", "Refused")
        assert "PersistentVolumeClaim gaia-files" in told["message"]
        assert "claims have no owner" in told["message"]
        assert running.condition("Ready")["reason"] == "InvalidSpec"
    running.apply()
    running.await_ready()
    assert running.condition("Degraded")["status"] == "False"


def test_a_volume_made_anew_is_left_to_the_next_pass(bench: Bench) -> None:
    """Between the look at the index and the patch of its owner, a claim was deleted and another of its name made."""
    bench.apply(lifecycle={"deletionPolicy": "Delete"})
    metadata = {"name": "gaia-files", "labels": {"app.kubernetes.io/instance": "gaia"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    path = bench.path("api/v1", "persistentvolumeclaims", "")
    seen = project(bench.server.request("POST", path, claim))
    bench.delete("persistentvolumeclaims", "gaia-files")
    bench.server.request("POST", path, claim)
    step = Step(owners=owners(bench.archive(), {seen.key: seen}))

    async def carry_out() -> Applied:
        async with connect(kubeconfig_path=str(bench.server.kubeconfig("operator"))) as client:
            return await Engine(client).carry_out(step, {seen.key: seen})

    assert asyncio.run(carry_out()) == Applied()
    assert "ownerReferences" not in bench.get("persistentvolumeclaims", "gaia-files")["metadata"]


def test_a_job_that_did_not_succeed_is_replaced_when_it_is_rendered_anew(running: Bench) -> None:
    """The API server refuses to change a Job; one that failed gives way to its successor of the same name."""
    running.missing.outcomes["ingest-hipparcos-main"] = "fail"
    datasets = [*DEV["datasets"], {"table": "hipparcos.main", "source": "demo:hipparcos"}]
    running.apply(datasets=datasets)
    running.await_condition("DatasetsLoaded", "False", "IngestFailed")
    before = _ingest(running, "hipparcos")
    loaded = _ingest(running, "gaiadr3")
    running.missing.outcomes = {}
    running.server.kubectl("apply", "-f", "-", stdin=as_yaml(catalogue("0.3.0", "3")))
    running.apply(datasets=datasets, release="0.3.0")
    running.await_ready()
    after = _ingest(running, "hipparcos")
    assert after["metadata"]["name"] == before["metadata"]["name"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert _ingest(running, "gaiadr3")["metadata"]["uid"] == loaded["metadata"]["uid"], "loaded once is loaded"


def test_a_new_release_leaves_a_running_ingest_to_its_end(bench: Bench) -> None:
    bench.missing.outcomes["ingest-gaiadr3-bright"] = "run"
    bench.apply()
    bench.start()
    bench.await_condition("Progressing", "True", "LoadingDatasets")
    before = _ingest(bench, "gaiadr3")
    bench.server.kubectl("apply", "-f", "-", stdin=as_yaml(catalogue("0.3.0", "3")))
    bench.apply(release="0.3.0")
    eventually("the new release to serve", lambda: bench.archive()["status"].get("release") == "0.3.0", within=30)
    assert _ingest(bench, "gaiadr3")["metadata"]["uid"] == before["metadata"]["uid"]
    assert bench.condition("DatasetsLoaded")["reason"] == "Loading"
    bench.missing.outcomes = {}
    bench.await_ready()
    assert _ingest(bench, "gaiadr3")["metadata"]["uid"] == before["metadata"]["uid"]


def _ingest(bench: Bench, word: str) -> dict[str, Any]:
    (found,) = (job for job in bench.all("jobs") if f"ingest-{word}" in job["metadata"]["name"])
    return found


@pytest.mark.parametrize("unlisted", ["", "configmaps", "ingresses"])
def test_a_sweep_finds_what_the_watch_missed(running: Bench, unlisted: str) -> None:
    """An index with a ghost, an object that it has never heard of, and one whose news never came.

    unlisted: a kind that the API server does not list, which hides nothing about the others.
    """
    key = Key(running.namespace, "gaia")
    seen = [_live(body) for plural in ("deployments", "services") for body in running.all(plural)]
    ghost = Live(ResourceKey("v1", "Service", running.namespace, "gaia-ghost"), "no-such-uid", "1", "gaia", "ghost")
    store = Store(Indexes({}, {}, {key: [*seen, ghost]}, {}, {}, {}))
    marked: list[Key] = []

    async def sweep_twice(kubeconfig: Path) -> Health:
        async with connect(kubeconfig_path=str(kubeconfig)) as client:
            sweep = Sweep(client, store, marked.append, Health(), (running.namespace,))
            await sweep.once(0)
            assert not sweep.health.stalled, "news may be on its way"
            await sweep.once(PATIENCE)
            return sweep.health

    with faults.proxy(running.server) as proxy:
        proxy.choose = lambda _method, path: Fault("500", 500) if path.endswith(f"/{unlisted}") else None
        health = asyncio.run(sweep_twice(proxy.kubeconfig("operator")))
    assert marked == [key]
    assert store.gone == {"no-such-uid"}
    assert "the watch has missed changes" in health.stalled


def test_a_sweep_finds_nothing_where_the_watch_is_sound(running: Bench) -> None:
    records = [record for record in running.records() if record["logger"].endswith("sweep")]
    assert records == []
    assert running.is_healthy()


def _live(body: dict[str, Any]) -> Live:
    kind = "Deployment" if "template" in body["spec"] else "Service"
    return project({**body, "apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind})


@contextmanager
def _policy(bench: Bench, group: str, resource: str, expression: str, message: str) -> Iterator[None]:
    """An admission policy over one kind of object in the bench's namespace."""
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": bench.namespace}}
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": bench.namespace}}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": message}],
    }
    binding = {
        "policyName": bench.namespace,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": namespace},
    }
    kinds = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    objects = [{**head, "kind": kind, "spec": spec} for kind, spec in kinds.items()]
    bench.server.kubectl("apply", "-f", "-", stdin=as_yaml(*objects))
    try:
        time.sleep(2)  # policies take effect when the server's informer has seen them
        yield
    finally:
        bench.server.kubectl("delete", ",".join(kinds), bench.namespace)
