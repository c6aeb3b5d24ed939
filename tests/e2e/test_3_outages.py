"""Servers, Services and pods that go away: pages and queries go on, and the status tells the truth in ten seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from e2e.conftest import Archive
from support.cluster import get, kubectl
from support.processes import command_line, pids_of_pod
from support.visitor import QUERY, Sample, Visitor, lies, visiting
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BESIDE = ("broker", "cache", "mariadb", "wordpress", "scheduler", "worker-short", "worker-long")
"""What pages and synchronous queries do without."""


@pytest.fixture
def visitor(archive: Archive) -> Iterator[Visitor]:
    """At work during the test, after which nothing that the status said may have been a lie."""
    with visiting(archive.site, archive.name, archive.namespace) as found:
        eventually("a visitor to find everything well", lambda: found.last and is_well(found.last), within=120)
        yield found
        eventually("everything to be well again", lambda: found.last and is_well(found.last), within=120)
    assert lies(found.rounds) == []


def is_well(sample: Sample) -> bool:
    return sample.well and sample.ready[0] == "True"


def uninterrupted(samples: list[Sample]) -> list[tuple[str, str]]:
    """The pages and queries that were not answered."""
    return [(sample.page, sample.query) for sample in samples if sample.page or sample.query]


@contextmanager
def frozen(archive: Archive, component: str) -> Iterator[None]:
    """All processes of a component's pod are stopped; its sockets go on accepting connections."""
    selector = f"app.kubernetes.io/instance={archive.name},app.kubernetes.io/component={component}"
    pods = get("pods", "-n", archive.namespace, "-l", selector)["items"]
    pids = [pid for pod in pods for pid in pids_of_pod(pod["metadata"]["uid"]) if "/pause" not in command_line(pid)]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def says(visitor: Visitor, *words: str) -> bool:
    """Whether the status says that the archive is impaired, and by what."""
    last = visitor.last
    return bool(last and last.ready == ("False", "Impaired") and all(word in last.message for word in words))


def test_pages_and_queries_go_on_for_a_minute_without_cache_and_broker_and_wordpress_database(
    archive: Archive, visitor: Visitor
) -> None:
    began = time.monotonic()
    with frozen(archive, "cache"), frozen(archive, "broker"):
        visitor.impaired = True
        eventually("the status to say so", lambda: says(visitor, "gaia-cache", "gaia-broker"), within=10)
        job = requests.post(
            f"{archive.tap}/async", data={**QUERY, "PHASE": "RUN"}, allow_redirects=False, timeout=20
        ).headers["Location"]
        assert "<vosi:note>broker: " in requests.get(f"{archive.tap}/availability", timeout=20).text
        with frozen(archive, "mariadb"):
            eventually("the status to say so", lambda: says(visitor, "gaia-cache", "WordPress"), within=10)
            eventually("a visitor of WordPress to notice", lambda: visitor.last and visitor.last.cms, within=60)
        eventually("the status to say so", lambda: "WordPress" not in visitor.rounds[-1].message, within=20)
        eventually("a minute to pass", lambda: time.monotonic() - began > 60, within=60)
    visitor.impaired = False
    assert uninterrupted(visitor.since(began)) == []
    assert {sample.served[0] for sample in visitor.since(began)} == {"True"}
    eventually("the job to be run", lambda: requests.get(f"{job}/phase", timeout=20).text == "COMPLETED", within=60)


@pytest.mark.parametrize("components", [BESIDE, ("proxy",), ("web",), ("appdb", "datadb")])
def test_services_that_are_deleted_come_back_and_are_followed(
    archive: Archive, visitor: Visitor, components: tuple[str, ...]
) -> None:
    there = {
        one["metadata"]["name"]: one["metadata"]["uid"] for one in get("services", "-n", archive.namespace)["items"]
    }
    names = [name for component in components if (name := f"{archive.name}-{component}") in there]
    began = time.monotonic()
    kubectl("delete", "service", *names, "-n", archive.namespace, "--wait=false")

    def made_anew() -> bool:
        now = {
            one["metadata"]["name"]: one["metadata"]["uid"] for one in get("services", "-n", archive.namespace)["items"]
        }
        return all(now.get(name) not in {None, there[name]} for name in names)

    eventually("other Services", made_anew, within=30)
    eventually("a visitor to find all well", lambda: is_well_after(visitor, began), within=60)
    if components == BESIDE:
        assert uninterrupted(visitor.since(began)) == []


@pytest.mark.parametrize("components", [BESIDE, ("proxy",), ("web",), ("datadb",), ("appdb",)])
def test_pods_that_are_deleted_are_replaced(archive: Archive, visitor: Visitor, components: tuple[str, ...]) -> None:
    began = time.monotonic()
    selector = f"app.kubernetes.io/instance={archive.name},app.kubernetes.io/component in ({','.join(components)})"
    kubectl("delete", "pods", "-n", archive.namespace, "-l", selector, "--wait=false")
    eventually("a visitor to find all well", lambda: is_well_after(visitor, began), within=120)
    if not {"appdb", "datadb"} & set(components):
        assert uninterrupted(visitor.since(began)) == [], "a pod serves until its successor does"


def is_well_after(visitor: Visitor, began: float) -> bool:
    """Whether the newest of the rounds that began after what the test did found everything well."""
    later = visitor.since(began + 3)
    return bool(later and is_well(later[-1]))
