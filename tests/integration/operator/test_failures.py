"""One object that the API server does not take, for whatever reason, neither holds up nor hides the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from almagest_operator.apply.client import connect
from almagest_operator.apply.engine import Applied, Engine, Failure
from almagest_operator.desired import Desired, build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.observe.kinds import CHILDREN, Kind, kind_of
from almagest_operator.plan import Step
from integration.operator.conftest import Bench, now
from support import faults
from support.archives import release
from support.faults import CUT, GARBAGE, HANG, STATUSES, Fault, Proxy
from support.waiting import eventually

EVERYTHING = {
    "environment": "production",
    "site": {"hostname": "gaia.example.org"},
    "exposure": {"type": "Ingress"},
    "web": {"replicas": 2},
}
SLOW = [kind for kind in CHILDREN if kind.kind in {"Secret", "Deployment"}]
"""Kinds whose writes are let hang until the client gives up, which takes its time."""

PASSING = {"404", "409", "429", "500", "502", "503", "504", "cut", "hang", "garbage"}


@pytest.fixture
def proxy(bench: Bench) -> Iterator[Proxy]:
    with faults.proxy(bench.server) as found:
        yield found


def rendered(bench: Bench) -> Desired:
    """Everything that an archive with all kinds of objects is made of."""
    bench.apply(**EVERYTHING)
    return build(Archive.parse(bench.archive()), release(), Facts())


def carry_out(proxy: Proxy, step: Step) -> Applied:
    async def work() -> Applied:
        async with connect(kubeconfig_path=str(proxy.kubeconfig("operator"))) as client:
            return await Engine(replace(client, timeout=8.0)).carry_out(step, {})

    return asyncio.run(work())


def some_of(found: Desired, kind: Kind) -> Step:
    """Two objects of a kind, where there are two, and one of every other kind."""
    secrets = found.secrets[: 2 if kind.kind == "Secret" else 1]
    resources = [
        resource
        for other in CHILDREN
        for resource in [r for r in found.resources if r.kind == other.kind][: 2 if other == kind else 1]
    ]
    return Step(secrets=secrets, resources=tuple(resources))


def ailing(kind: Kind, fault: Fault) -> faults.Choice:
    """Every write of a kind meets the fault."""

    def choose(method: str, path: str) -> Fault | None:
        return fault if method != "GET" and f"/{kind.plural}" in path else None

    return choose


@pytest.mark.parametrize("fault", [*STATUSES, CUT, HANG, GARBAGE], ids=str)
def test_whatever_is_answered_for_a_kind_all_else_is_applied_and_the_failure_is_told(
    bench: Bench, proxy: Proxy, fault: Fault
) -> None:
    found = rendered(bench)
    for kind in CHILDREN if fault is not HANG else SLOW:
        proxy.choose, step = ailing(kind, fault), some_of(found, kind)
        wanted = {secret.key for secret in step.secrets} | {resource.key for resource in step.resources}
        assert {kind_of(key) for key in wanted} == set(CHILDREN)
        applied = carry_out(proxy, step)
        failed = {failure.key for failure in applied.failures}
        assert failed == {key for key in wanted if kind_of(key) == kind}, (kind.plural, applied.failures)
        assert {live.key for live in applied.written} == wanted - failed, kind.plural
        assert applied.failures == sorted(applied.failures)
        for failure in applied.failures:
            _is_told(failure, fault)


def _is_told(failure: Failure, fault: Fault) -> None:
    assert failure.passing == (fault.name in PASSING)
    assert "\n" not in failure.reason
    assert ("made up: " in failure.reason) == bool(fault.status), failure.reason
    assert str(failure).startswith(f"{failure.key.kind} {failure.key.name}: ")


@pytest.mark.parametrize("fault", [*STATUSES, CUT, HANG, GARBAGE], ids=str)
def test_what_cannot_be_deleted_or_owned_is_told_beside_the_rest(bench: Bench, proxy: Proxy, fault: Fault) -> None:
    found = rendered(bench)
    first = carry_out(proxy, Step(secrets=found.secrets, resources=found.resources))
    written = {live.key: live for live in first.written}
    victim = next(live for key, live in written.items() if key.kind == "NetworkPolicy")
    other = next(live for key, live in written.items() if key.kind == "PodDisruptionBudget")
    claim = next(live for key, live in written.items() if key.kind == "PersistentVolumeClaim")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "uid": "00000000-0000-4000-8000-000000000001"}
    metadata = {"name": claim.key.name, "namespace": bench.namespace, "uid": claim.uid, "ownerReferences": [owner]}
    patch = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}
    ailing_names = {victim.key.name, claim.key.name}
    proxy.choose = lambda _method, path: fault if ailing_names & set(path.split("/")) else None
    applied = carry_out(proxy, Step(owners=(patch,), prune=(victim, other)))
    # An object that is gone needs neither owner nor deletion; one that is another by now is not the one to be deleted.
    owned, deleted = fault.name != "404", fault.name not in {"404", "409"}
    expected = [*([claim.key] if owned else []), *([victim.key] if deleted else [])]
    assert [failure.key for failure in applied.failures] == sorted(expected)
    assert other in applied.deleted


def _faulty(bench: Bench, proxy: Proxy, kind: str, name: str, fault: Fault) -> None:
    path = bench.path(*{"Deployment": ("apis/apps/v1", "deployments"), "Service": ("api/v1", "services")}[kind], name)
    proxy.choose = lambda method, asked: fault if method == "PATCH" and asked == path else None


@pytest.mark.parametrize("fault", [Fault("500", 500), Fault("409", 409), Fault("403", 403)], ids=str)
def test_a_running_operator_says_what_it_cannot_write_goes_on_and_recovers(
    bench: Bench, proxy: Proxy, fault: Fault
) -> None:
    bench.apply()
    bench.start(KUBECONFIG=str(proxy.kubeconfig("operator")))
    bench.await_ready()
    _faulty(bench, proxy, "Deployment", "gaia-web", fault)
    bench.apply(web={"replicas": 2}, queues=[{"name": "short", "timeout": "30s", "workers": 2}])
    reason = "Refused" if fault.status == 403 else "WriteFailed"
    told = bench.await_condition("Degraded", "True", reason, within=10)
    assert told["message"].startswith("Deployment gaia-web: made up: ")
    assert bench.condition("Ready")["status"] == "False"
    assert bench.condition("Ready")["message"].startswith("Deployment gaia-web: made up: ")
    worker = bench.get("deployments", "gaia-worker-short")
    assert worker["spec"]["replicas"] == 2, "the rest was applied in the same pass"
    proxy.choose = faults.none
    if fault.status == 403:  # what is refused is tried again after a change, or in a minute
        bench.apply(web={"replicas": 3}, queues=[{"name": "short", "timeout": "30s", "workers": 2}])
    bench.await_ready(within=60)
    assert bench.condition("Degraded")["status"] == "False"


def test_what_keeps_failing_is_tried_ever_more_rarely(bench: Bench, proxy: Proxy) -> None:
    """Of a message that is another each time, too, which makes each report an event that asks for another pass."""
    bench.apply()
    bench.start(KUBECONFIG=str(proxy.kubeconfig("operator")))
    bench.await_ready()
    _faulty(bench, proxy, "Deployment", "gaia-web", Fault("500", 500))
    began = now()
    bench.apply(web={"replicas": 2})
    bench.await_condition("Degraded", "True", "WriteFailed", within=10)
    since = now()
    eventually("six tries", lambda: len(proxy.met) >= 6, within=60)
    assert len(proxy.met) <= 12 + (now() - began).total_seconds(), "no busy loop"
    assert len([write for write in bench.writes(since) if "/status" in write.target]) <= 3
