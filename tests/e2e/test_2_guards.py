"""What a neighbour, a careless user and an idle day must not do to an archive."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from almagest_operator.model.text import as_yaml
from e2e.conftest import Archive
from support.audit import OPERATOR, writes
from support.cluster import KubectlError, apply, get, kubectl, namespace, release_images, restricted_pod
from support.footprint import measure, report
from support.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

STORES = {"appdb": 5432, "datadb": 5432, "broker": 5672, "cache": 6379, "mariadb": 3306}
PROBE = """
import json, socket, sys
answers = {}
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
        answers[target] = "open"
    except OSError as error:
        answers[target] = type(error).__name__
print(json.dumps(answers))
"""


def connect(where: str, targets: list[str]) -> dict[str, str]:
    """From a pod of no archive in that namespace, try each host:port; `open` or the error's name."""
    name = f"neighbour-{time.monotonic_ns()}"
    command = ("/opt/almagest/bin/python", "-c", PROBE, *targets)
    apply(restricted_pod(where, name, release_images()["app"], 10001, *command))
    try:
        eventually(
            "the probe to end", lambda: get("pod", name, "-n", where)["status"]["phase"] == "Succeeded", within=90
        )
        answers: dict[str, str] = json.loads(kubectl("logs", name, "-n", where))
        return answers
    finally:
        kubectl("delete", "pod", name, "-n", where, "--wait=false")


def addresses(archive: Archive) -> dict[str, str]:
    """Component → pod address and port: past every Service, straight to the socket."""
    pods = get("pods", "-n", archive.namespace, "-l", f"app.kubernetes.io/instance={archive.name}")["items"]
    found = {}
    for pod in pods:
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component in STORES:
            found[component] = f"{pod['status']['podIP']}:{STORES[component]}"
    assert found.keys() == STORES.keys()
    return found


def test_stranger_reaches_no_database_broker_or_cache(archive: Archive) -> None:
    stores = addresses(archive)
    services = [f"{archive.name}-{name}.{archive.namespace}.svc:{port}" for name, port in STORES.items()]
    door = f"{archive.name}-proxy.{archive.namespace}.svc:8080"
    with namespace(f"almagest-test-stranger-{time.monotonic_ns() % 100000}") as elsewhere:
        answers = connect(elsewhere, [door, *stores.values(), *services])
    assert answers.pop(door) == "open", "the probe itself must work, or its refusals prove nothing"
    assert [target for target, answer in answers.items() if answer == "open"] == []


def test_unrelated_pod_in_the_same_namespace_reaches_none_either(archive: Archive) -> None:
    answers = connect(archive.namespace, list(addresses(archive).values()))
    assert [target for target, answer in answers.items() if answer == "open"] == []


def test_every_pod_passes_the_restricted_level(archive: Archive) -> None:
    labels = get("namespace", archive.namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    privileged = {"name": "x", "image": "x", "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [privileged]}}
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        apply({**pod, "metadata": {"name": "privileged", "namespace": archive.namespace}})


def test_invalid_archive_is_refused_with_field_and_reason(archive: Archive) -> None:
    manifest = get("archive", archive.name, "-n", archive.namespace)
    spec = manifest["spec"]
    spec["queues"] = [{"name": "Not A Name", "timeout": "30s"}]
    broken = {
        "apiVersion": manifest["apiVersion"],
        "kind": "Archive",
        "metadata": {"name": "broken", "namespace": archive.namespace},
        "spec": spec,
    }
    with pytest.raises(KubectlError, match=r"spec\.queues\[0\]\.name"):
        kubectl("apply", "-f", "-", stdin=as_yaml(broken))


def test_archive_of_an_unknown_release_is_not_ready_and_changes_nothing(archive: Archive) -> None:
    before = {pod["metadata"]["uid"] for pod in get("pods", "-n", archive.namespace)["items"]}
    release = get("archive", archive.name, "-n", archive.namespace)["spec"]["release"]
    patch(archive, {"release": "99.0.0"})
    try:
        reason = eventually("InvalidSpec", lambda: ready_reason(archive) == "InvalidSpec", within=30)
        assert reason
    finally:
        patch(archive, {"release": release})
    eventually("the archive to be ready again", lambda: archive.status()["ready"], within=120)
    assert {pod["metadata"]["uid"] for pod in get("pods", "-n", archive.namespace)["items"]} == before


def test_steady_state_and_restart_of_the_operator_write_nothing(archive: Archive) -> None:
    assert writes(OPERATOR, datetime(2000, 1, 1, tzinfo=UTC)), "the audit log must know the operator's writes"
    began = datetime.now(UTC)
    gone = kubectl("delete", "pod", "-n", "almagest-system", "-l", "app.kubernetes.io/instance=almagest-operator")
    assert "deleted" in gone
    kubectl("rollout", "status", "deployment/almagest-operator", "-n", "almagest-system", "--timeout=120s")
    time.sleep(60)  # nothing to poll for: the claim is that nothing happens
    assert writes(OPERATOR, began) == []


def patch(archive: Archive, spec: dict[str, object]) -> None:
    where = ["-n", archive.namespace, "--type=merge", "-p", json.dumps({"spec": spec})]
    kubectl("patch", "archive", archive.name, *where)


def ready_reason(archive: Archive) -> str:
    conditions = get("archive", archive.name, "-n", archive.namespace)["status"]["conditions"]
    return next(str(c["reason"]) for c in conditions if c["type"] == "Ready")


def test_idle_archive_and_cluster_stay_below_4_gb(archive: Archive) -> None:
    used = measure()
    assert any(name.startswith("node/kube") for name in used), "the node's own processes must be counted too"
    assert used.total() < 4e9, report(used)
