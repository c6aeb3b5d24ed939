"""Readiness of objects, trouble of pods, and the store that reads its own writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest_operator.model.resource import ResourceKey
from almagest_operator.observe.live import Live, project
from almagest_operator.observe.pods import lacks_image, trouble
from almagest_operator.observe.readiness import State, readiness
from almagest_operator.observe.store import Indexes, Key, NodeSeen, StorageClassSeen, Store, node_seen

Body = dict[str, Any]


def an(
    kind: str, *, generation: int = 2, spec: Body | None = None, status: Body | None = None, **metadata: Any
) -> Body:
    head = {"name": "it", "namespace": "x", "uid": "u", "resourceVersion": "7", "generation": generation, **metadata}
    return {"apiVersion": "v1", "kind": kind, "metadata": head, "spec": spec or {}, "status": status or {}}


FULL = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
STATEFUL = {**FULL, "currentRevision": "r", "updateRevision": "r"}
FAILED_JOB = {
    "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "3 tries"}]
}
DEADLINE = {
    "observedGeneration": 2,
    "conditions": [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "stuck"}
    ],
}


@pytest.mark.parametrize(
    ("body", "state", "reason"),
    [
        (an("ConfigMap"), State.READY, ""),
        (an("ConfigMap", deletionTimestamp="2026-01-01T00:00:00Z"), State.WAITING, "Deleting"),
        (an("Deployment", spec={"replicas": 2}, status=FULL), State.READY, ""),
        (an("Deployment", generation=3, spec={"replicas": 2}, status=FULL), State.WAITING, "RollingOut"),
        (an("Deployment", spec={"replicas": 2}, status={**FULL, "updatedReplicas": 1}), State.WAITING, "RollingOut"),
        (an("Deployment", spec={"replicas": 2}, status={**FULL, "replicas": 3}), State.WAITING, "RollingOut"),
        (
            an("Deployment", spec={"replicas": 2}, status={**FULL, "availableReplicas": 0}),
            State.WAITING,
            "PodsNotReady",
        ),
        (an("Deployment", spec={"replicas": 2}, status=DEADLINE), State.FAILED, "ProgressDeadlineExceeded"),
        (an("Deployment", spec={"replicas": 0}, status={"observedGeneration": 2}), State.READY, ""),
        (an("StatefulSet", spec={"replicas": 2}, status=STATEFUL), State.READY, ""),
        (
            an("StatefulSet", spec={"replicas": 2}, status={**STATEFUL, "readyReplicas": 1}),
            State.WAITING,
            "PodsNotReady",
        ),
        (
            an("StatefulSet", spec={"replicas": 2}, status={**STATEFUL, "updateRevision": "s"}),
            State.WAITING,
            "RollingOut",
        ),
        (an("StatefulSet", spec={"replicas": 1}, status=STATEFUL), State.WAITING, "ScalingDown"),
        (an("StatefulSet", generation=3, spec={"replicas": 2}, status=STATEFUL), State.WAITING, "RollingOut"),
        (an("Job", status={"conditions": [{"type": "Complete", "status": "True"}]}), State.READY, ""),
        (an("Job", status=FAILED_JOB), State.FAILED, "BackoffLimitExceeded"),
        (an("Job", status={"active": 1, "ready": 1, "failed": 1}), State.WAITING, "Running"),
        (an("Job", status={"active": 1, "ready": 0, "failed": 1}), State.WAITING, "Starting"),
        (an("Job"), State.WAITING, "Starting"),
        (an("Job", spec={"suspend": True}), State.WAITING, "Suspended"),
        (an("PersistentVolumeClaim", status={"phase": "Pending"}), State.READY, ""),
        (an("PersistentVolumeClaim", status={"phase": "Lost"}), State.FAILED, "VolumeLost"),
    ],
)
def test_readiness(body: Body, state: State, reason: str) -> None:
    found = readiness(body)
    assert (found.state, found.reason) == (state, reason)
    assert bool(found.message) == (state is not State.READY)


def test_a_job_says_how_often_it_failed() -> None:
    assert "2 attempts failed" in readiness(an("Job", status={"active": 1, "failed": 2})).message


def pod(*containers: Body, init: tuple[Body, ...] = (), **status: Any) -> Body:
    return an("Pod", status={"containerStatuses": list(containers), "initContainerStatuses": list(init), **status})


def test_a_crash_loop_is_told_with_the_last_words_of_the_process() -> None:
    container = {
        "name": "web",
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "no such table:\n  job\n"}},
    }
    assert trouble(pod(container)) == "it: web: CrashLoopBackOff, exit code 1: no such table: job"


def test_an_image_that_cannot_be_pulled_is_told() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x@sha256:1"'}}
    assert trouble(pod({"name": "web", "state": waiting})) == (
        'it: web: ImagePullBackOff: Back-off pulling image "x@sha256:1"'
    )
    assert lacks_image(pod({"name": "web", "state": {"running": {}}}, init=({"name": "install", "state": waiting},)))
    assert not lacks_image(pod({"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}))


def test_killed_for_memory_is_told_by_its_name() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert trouble(pod({"name": "datadb", "state": ended})) == "it: datadb: OOMKilled (137)"


def test_an_unschedulable_pod_is_told() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: memory"}
    assert trouble(pod(conditions=[condition])) == "it: Unschedulable: 0/1 nodes: memory"


def test_an_init_container_comes_first() -> None:
    broken = {"name": "install", "state": {"terminated": {"exitCode": 2}}}
    waiting = {"name": "wordpress", "state": {"waiting": {"reason": "PodInitializing"}}}
    assert trouble(pod(waiting, init=(broken,))) == "it: install: exit code 2"


@pytest.mark.parametrize(
    "body",
    [
        pod({"name": "web", "state": {"running": {}}}),
        pod({"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}),
        pod({"name": "web", "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}}),
        pod(phase="Succeeded"),
    ],
)
def test_a_pod_on_its_way_is_no_trouble(body: Body) -> None:
    assert trouble(body) == ""


def test_no_value_of_a_secret_is_kept() -> None:
    labels = {"app.kubernetes.io/instance": "gaia"}
    secret = {**an("Secret", labels=labels), "data": {"password": "aHVudGVyMg=="}}
    seen = project(secret)
    assert set(seen.fingerprints) == {"password"}
    assert "hunter2" not in repr(seen)
    assert "aHVudGVyMg" not in repr(seen)
    other = project({**secret, "data": {"password": "aHVudGVyMw=="}})
    assert other.fingerprints != seen.fingerprints


KEY = Key("gaia-dev", "gaia")
CHILD = ResourceKey("v1", "ConfigMap", "gaia-dev", "gaia-config")


def child(version: int, uid: str = "u1") -> Live:
    return Live(CHILD, uid, str(version), "gaia", "config")


def archive(version: int = 1, uid: str = "a", **spec: Any) -> Body:
    body = an("Archive", spec={"release": "1", **spec})
    body["metadata"] |= {"name": "gaia", "namespace": "gaia-dev", "uid": uid, "resourceVersion": str(version)}
    return body


def store(*, children: tuple[Live, ...] = (), archives: tuple[Body, ...] = (archive(),), **rest: Any) -> Store:
    indexes = {"releases": {}, "pods": {}, "nodes": {}, "storage_classes": {}, **rest}
    found = {KEY: list(archives)} if archives else {}
    return Store(Indexes(archives=found, children={KEY: list(children)} if children else {}, **indexes))


def test_an_answer_hides_older_news() -> None:
    it = store(children=(child(5),))
    it.remember(KEY, child(8))
    assert it.observe(KEY).children[CHILD].resource_version == "8"


def test_newer_news_hides_an_answer_for_good() -> None:
    it = store(children=(child(9),))
    it.remember(KEY, child(8))
    assert it.observe(KEY).children[CHILD].resource_version == "9"
    it.indexes.children[KEY].clear()  # type: ignore[attr-defined]  # a list, in this test
    assert CHILD not in it.observe(KEY).children


def test_what_was_just_made_is_seen_before_its_event_comes() -> None:
    it = store()
    it.remember(KEY, child(8))
    assert CHILD in it.observe(KEY).children


def test_what_was_made_and_deleted_is_not_seen() -> None:
    it = store()
    it.remember(KEY, child(8))
    it.forget(KEY, "u1")
    assert CHILD not in it.observe(KEY).children


def test_the_deletion_of_a_predecessor_does_not_hide_what_was_just_made() -> None:
    it = store()
    it.remember(KEY, child(8, uid="u2"))
    it.forget(KEY, "u1")
    assert CHILD in it.observe(KEY).children


def test_what_a_sweep_found_gone_is_not_seen() -> None:
    it = store(children=(child(5),))
    it.gone.add("u1")
    assert CHILD not in it.observe(KEY).children


def test_a_status_just_written_is_seen_at_once_and_forgotten_with_the_archive() -> None:
    it = store()
    it.remember_archive(KEY, {**archive(4), "status": {"release": "1"}})
    seen = it.observe(KEY).archive
    assert seen is not None
    assert seen["status"] == {"release": "1"}
    it.indexes.archives.clear()  # type: ignore[attr-defined]  # a dict, in this test
    it.forget(KEY, "a")
    assert it.observe(KEY).archive is None


def test_a_namesake_made_anew_is_the_one_that_is_seen() -> None:
    seen = store(archives=(archive(3, uid="old"), archive(9, uid="new"))).observe(KEY).archive
    assert seen is not None
    assert seen["metadata"]["uid"] == "new"


@dataclass
class Race:
    """A server, a watch that may lag behind it, and the passes of an operator whose answers may lag, too.

    Of one archive and its children; each write gets the next version, each object made anew another uid.
    """

    store: Store = field(default_factory=lambda: store(archives=()))
    there: dict[str, Body] = field(default_factory=dict)
    news: list[tuple[str, str, Body]] = field(default_factory=list)
    answers: list[tuple[str, Body]] = field(default_factory=list)
    clock: int = 0

    def write(self, name: str, *, answered: bool) -> None:
        """Change or make an object, by the operator (`answered`), who makes no archive, or by another hand."""
        self.clock += 1
        before = self.there.get(name)
        if before is None and name == "gaia" and answered:
            return
        kind = "Archive" if name == "gaia" else "ConfigMap"
        head = {"name": name, "namespace": "gaia-dev", "resourceVersion": str(self.clock)}
        head["uid"] = before["metadata"]["uid"] if before else f"u{self.clock}"
        self.there[name] = {"apiVersion": "v1", "kind": kind, "metadata": head, "spec": {"release": "1"}}
        self.news.append(("MODIFIED" if before else "ADDED", name, self.there[name]))
        if answered:
            self.answers.append((name, self.there[name]))

    def delete(self, name: str) -> None:
        if found := self.there.pop(name, None):
            self.news.append(("DELETED", name, found))

    def deliver(self) -> None:
        """One event, as kopf tells it: first to the indexes, then to the store."""
        if not self.news:
            return
        type_, name, body = self.news.pop(0)
        index: Any = self.store.indexes.archives if name == "gaia" else self.store.indexes.children
        uid, found = body["metadata"]["uid"], index.setdefault(KEY, [])
        found[:] = [item for item in found if _uid(item) != uid]
        if type_ == "DELETED":
            self.store.forget(KEY, uid)
        else:
            found.append(body if name == "gaia" else project(body))

    def answer(self) -> None:
        """The oldest answer reaches the operator."""
        if self.answers:
            name, body = self.answers.pop(0)
            self.store.remember_archive(KEY, body) if name == "gaia" else self.store.remember(KEY, project(body))

    def begin(self) -> None:
        """The next pass, once the answers of the one before are all there."""
        while self.answers:
            self.answer()
        self.store.observe(KEY)


def _uid(item: Any) -> str:
    return item.uid if isinstance(item, Live) else str(item["metadata"]["uid"])


NAMES = st.sampled_from(["gaia", "gaia-app", "gaia-web"])
ACTS = st.one_of(
    st.builds(lambda name: lambda race: race.write(name, answered=True), NAMES),
    st.builds(lambda name: lambda race: race.write(name, answered=False), NAMES),
    st.builds(lambda name: lambda race: race.delete(name), NAMES),
    st.just(Race.deliver),
    st.just(Race.answer),
    st.just(Race.begin),
)


@given(acts=st.lists(ACTS, max_size=30))
@settings(max_examples=300)
def test_whatever_the_order_of_news_and_answers_the_truth_is_seen_in_the_end(
    acts: list[Callable[[Race], None]],
) -> None:
    """No ghost of an object whose deletion was told before the answer to a write on it, and none that is missed."""
    race = Race()
    for act in acts:
        act(race)
    while race.news:
        race.deliver()
    race.begin()
    race.write("gaia", answered=False)
    race.deliver()
    found = race.store.observe(KEY)
    seen = {key.name: (live.uid, live.resource_version) for key, live in found.children.items()}
    if found.archive is not None:
        seen["gaia"] = (found.archive["metadata"]["uid"], found.archive["metadata"]["resourceVersion"])
    there = {name: body["metadata"] for name, body in race.there.items()}
    assert seen == {name: (metadata["uid"], metadata["resourceVersion"]) for name, metadata in there.items()}


def test_an_archive_whose_deletion_was_told_before_its_status_was_answered_is_gone() -> None:
    it = store()
    it.observe(KEY)
    it.indexes.archives.clear()  # type: ignore[attr-defined]  # a dict, in this test
    it.forget(KEY, "a")
    it.remember_archive(KEY, archive(4))
    assert it.observe(KEY).archive is None


def test_archives_of_a_release() -> None:
    it = store()
    assert it.archives(release="1") == [KEY]
    assert it.archives(release="2") == []


YOUNG = NodeSeen("2026-02-01T00:00:00Z", "m", "10.0.0.1")


def test_facts() -> None:
    files = replace(child(1), key=CHILD._replace(kind="PersistentVolumeClaim", name="gaia-files"))
    service = replace(child(1), key=CHILD._replace(kind="Service", name="gaia-proxy"), node_port=30080)
    stateful = replace(child(1), key=CHILD._replace(kind="StatefulSet", name="gaia-appdb"), claim="1Gi")
    secret = replace(child(1), key=CHILD._replace(kind="Secret", name="gaia-cache"), fingerprints={"password": "ab"})
    classes = {"slow": [StorageClassSeen("slow", False)], "fast": [StorageClassSeen("fast", True)]}
    facts = (
        store(
            children=(service, stateful, secret, files),
            nodes={"n": [NodeSeen("2026-01-01T00:00:00Z", "n", "10.0.0.2")], "m": [YOUNG]},
            storage_classes=classes,
        )
        .observe(KEY)
        .facts
    )
    assert facts.node_port == 30080
    assert facts.claim_templates == {"gaia-appdb": "1Gi"}
    assert facts.secrets == {"gaia-cache": {"password": "ab"}}
    assert facts.claims == frozenset({"gaia-files"})
    assert (facts.node_address, facts.nodes) == ("10.0.0.2", 2)
    assert facts.storage_classes == frozenset({"slow", "fast"})
    assert facts.default_storage_class == "fast"


def a_node(*addresses: Body, name: str = "n", created: str = "2026-01-01T00:00:00Z") -> Body:
    return {"metadata": {"name": name, "creationTimestamp": created}, "status": {"addresses": list(addresses)}}


def test_a_node_is_reached_from_outside_before_inside() -> None:
    inside, outside = {"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": "192.0.2.1"}
    for addresses, address in (((inside, outside), "192.0.2.1"), ((inside,), "10.0.0.1")):
        seen = node_seen(a_node(*addresses))
        assert seen is not None
        assert seen.address == address
    assert node_seen(a_node()) is None


@given(
    ages=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    joining=st.tuples(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.ip_addresses(v=4)),
)
def test_a_node_that_joins_changes_no_address(ages: list[int], joining: tuple[str, object]) -> None:
    """Whatever its name and address: a NodePort archive carries the address in every pod."""
    nodes = {f"n{i}": [NodeSeen(f"2026-01-0{age}T00:00:00Z", f"n{i}", f"10.0.0.{i}")] for i, age in enumerate(ages)}
    name, address = joining
    more = {**nodes, name: [NodeSeen("2026-02-01T00:00:00Z", name, str(address))]}
    before, after = (store(nodes=found).observe(KEY).facts for found in (nodes, more))
    assert after.node_address == before.node_address
    assert (before.nodes, after.nodes) == (len(nodes), len(nodes) + 1)
