"""Two replicas, one Lease: one of them works, and the other takes over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from integration.operator.conftest import Bench
from support import faults
from support.waiting import eventually

LEASE = "/apis/coordination.k8s.io/v1/namespaces/almagest-system/leases/almagest-operator"


def holder(bench: Bench) -> str:
    found: str = bench.server.request("GET", LEASE)["spec"].get("holderIdentity", "")
    return found


@pytest.fixture
def pair(bench: Bench) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Two operators, `a` the leader and `b` in waiting."""
    found = []
    for name in ("a", "b"):
        bench.start(OPERATOR_REPLICAS="2", POD_NAME=name, POD_NAMESPACE="almagest-system")
        assert bench.operator is not None
        found.append(bench.operator)
        eventually("a to lead", lambda: holder(bench) == "a", within=30, every=0.1)
    eventually("the follower to be healthy", bench.is_healthy, within=20)
    yield found[0], found[1]
    for process in found:
        process.kill()
        process.wait()
    bench.operator = None
    bench.server.request("DELETE", LEASE)


def test_a_killed_leader_is_replaced(
    bench: Bench, pair: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
) -> None:
    leader, _ = pair
    bench.apply()
    bench.await_ready()
    leader.kill()
    eventually("b to lead", lambda: holder(bench) == "b", within=25, every=0.1)
    bench.delete("deployments", "gaia-web")
    eventually("b to work", lambda: "gaia-web" in bench.names("deployments"), within=15)


def test_a_leader_that_the_api_server_does_not_answer_ends(bench: Bench) -> None:
    """It is the same whether the server is away or takes a request and says nothing."""
    with faults.proxy(bench.server) as proxy:
        bench.start(
            OPERATOR_REPLICAS="2",
            POD_NAME="a",
            POD_NAMESPACE="almagest-system",
            KUBECONFIG=str(proxy.kubeconfig("operator")),
        )
        eventually("a to lead", lambda: holder(bench) == "a", within=30, every=0.1)
        proxy.choose = lambda _method, path: faults.HANG if "/leases" in path else None
        assert bench.operator is not None
        assert bench.operator.wait(25) == 1
        bench.operator = None
    assert "a could not renew the lease" in bench.log.read_text()
    bench.server.request("DELETE", LEASE)


def test_a_leader_that_is_told_to_stop_gives_the_lease_up(
    bench: Bench, pair: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
) -> None:
    leader, _ = pair
    leader.terminate()
    assert leader.wait(15) == 0
    # A lease that nobody gives up runs out by itself, fifteen seconds later.
    eventually("b to lead", lambda: holder(bench) == "b", within=12, every=0.1, patient=False)
