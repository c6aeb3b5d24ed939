"""The operator's promises, each kept against a real API server."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from integration.operator.conftest import Bench
from support.apiserver import Manifest, Refused
from support.archives import merge
from support.waiting import eventually


def now() -> datetime:
    return datetime.now(UTC)


def test_an_archive_becomes_ready(bench: Bench) -> None:
    bench.start()
    bench.apply()
    bench.await_ready()
    status = bench.archive()["status"]
    assert status["release"] == "0.1.0"
    port = bench.get("services", "gaia-proxy")["spec"]["ports"][0]["nodePort"]
    assert status["endpoints"] == {"site": f"http://192.0.2.7:{port}", "tap": f"http://192.0.2.7:{port}/tap"}


def test_an_archive_costs_one_write_an_object(bench: Bench) -> None:
    """A Secret costs two: its values, and its labels under the manager that owns them."""
    bench.apply()
    since = now()
    bench.start()
    bench.await_ready()
    targets = Counter(write.target.split("?")[0] for write in bench.writes(since) if write.verb == "patch")
    status = targets.pop(bench.path() + "/status")
    assert set(targets.values()) == {1}, [target for target, count in targets.items() if count > 1]
    assert status <= 20


def test_conditions_are_unknown_before_anything_is_done(bench: Bench) -> None:
    bench.apply()
    bench.missing.outcomes |= {"datadb": "hold", "appdb": "hold"}
    since = now()
    bench.start()
    bench.await_condition("Progressing", "True", "StartingDataServices")
    first = bench.writes(since)[0]
    assert first.target.split("?")[0].endswith("/archives/gaia/status")


def test_stages_wait_for_one_another(bench: Bench) -> None:
    bench.apply()
    bench.missing.outcomes["datadb"] = "hold"
    bench.start()
    bench.await_condition("Progressing", "True", "StartingDataServices")
    assert not bench.names("jobs")
    bench.missing.outcomes = {"migrate": "hold"}
    bench.await_condition("Progressing", "True", "Migrating")
    assert "gaia-web" not in bench.names("deployments")
    bench.missing.outcomes = {"web": "hold", "ingest-gaiadr3-bright": "hold"}
    bench.await_condition("Progressing", "True", "StartingWorkloads")
    assert bench.condition("Migrated")["status"] == "True"
    bench.missing.outcomes = {"ingest-gaiadr3-bright": "hold"}
    bench.await_condition("Progressing", "True", "LoadingDatasets")
    assert bench.condition("WebReady")["status"] == "True"
    assert bench.condition("DatasetsLoaded")["message"] == "0 of 1 data sets are loaded"
    bench.missing.outcomes = {}
    bench.await_ready()


def test_what_one_part_lacks_holds_up_no_other(bench: Bench) -> None:
    bench.apply()
    bench.missing.outcomes = {"mariadb": "hold", "cache": "hold"}
    bench.start()
    eventually("the site to be there", lambda: bench.condition("WebReady")["status"] == "True", within=30)
    eventually("workers to be there", lambda: bench.condition("WorkerShortReady")["status"] == "True", within=10)
    assert "gaia-wordpress" not in bench.names("deployments")
    bench.missing.outcomes = {}
    bench.await_ready()


def test_ready_means_served(running: Bench) -> None:
    running.missing.served = False
    running.await_condition("Ready", "False", "NotServed", within=10)
    assert running.condition("Served")["status"] == "False"
    running.missing.served = True
    running.await_ready(within=10)
    running.missing.away = {"cache": "no answer within 1 s: wrong passwords are not counted"}
    found = running.await_condition("Ready", "False", "Impaired", within=10)
    assert "cache: no answer within 1 s: wrong passwords are not counted" in found["message"]
    assert running.condition("Served")["status"] == "True"
    running.missing.away = {}
    running.await_ready(within=10)


def test_steady_state_and_restart_make_no_writes(running: Bench) -> None:
    eventually("the last event to be told", lambda: "Ready" in _reasons(running), within=10)
    time.sleep(1)  # whatever a loop would still write, it would write now
    since = now()
    assert running.stop() == 0
    running.start()
    eventually("the operator to be healthy again", running.is_healthy, within=20)
    time.sleep(8)
    running.edit("archives", "gaia", {"metadata": {"annotations": {"example.org/look": "again"}}})
    time.sleep(4)
    assert running.writes(since) == []


def test_killed_in_the_middle_of_a_rollout_it_goes_on(bench: Bench) -> None:
    """SIGKILL after the first objects of each stage: nothing is remembered, all is found again."""
    bench.apply()
    for made in (
        lambda: bench.names("secrets"),
        lambda: bench.names("services"),
        lambda: bench.names("statefulsets"),
        lambda: bench.names("jobs"),
        lambda: bench.names("deployments") - {"gaia-cache"},
    ):
        bench.start()
        eventually("the next stage to begin", made, within=30, every=0.02)
        bench.kill()
    secrets = {item["metadata"]["name"]: item["data"] for item in bench.all("secrets")}
    bench.start()
    bench.await_ready()
    found = {item["metadata"]["name"]: item["data"] for item in bench.all("secrets")}
    assert secrets.items() <= found.items(), "generated secrets are never overwritten"


@pytest.mark.parametrize(
    ("plural", "name"),
    [
        ("deployments", "gaia-web"),
        ("statefulsets", "gaia-broker"),
        ("services", "gaia-web"),
        ("networkpolicies", "gaia-default-deny"),
        ("serviceaccounts", "gaia-web"),
    ],
)
def test_a_deleted_child_is_made_again(shared: Bench, plural: str, name: str) -> None:
    _is_made_again(shared, plural, name)


def test_deleted_configuration_is_made_again(shared: Bench) -> None:
    _is_made_again(shared, "configmaps", shared.config_map("web"))


def test_nobody_changes_configuration_under_its_readers(shared: Bench) -> None:
    with pytest.raises(Refused, match="immutable"):
        shared.edit("configmaps", shared.config_map("web"), {"data": {"site.json": "{}"}})


def _is_made_again(shared: Bench, plural: str, name: str) -> None:
    before = shared.get(plural, name)["metadata"]["uid"]
    shared.delete(plural, name)
    eventually(f"{name} to be back", lambda: shared.get(plural, name)["metadata"]["uid"] != before, within=5, every=0.1)
    shared.await_ready()


WEB = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "evil:latest"}]}}}}


@pytest.mark.parametrize(
    ("plural", "name", "patch"),
    [
        ("deployments", "gaia-web", {"spec": {"replicas": 7}}),
        ("deployments", "gaia-web", WEB),
        ("deployments", "gaia-web", {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}}),
        ("services", "gaia-web", {"spec": {"selector": {"app.kubernetes.io/component": "other"}}}),
        ("networkpolicies", "gaia-default-deny", {"spec": {"policyTypes": ["Ingress"]}}),
        ("secrets", "gaia-cache", {"metadata": {"labels": {"app.kubernetes.io/part-of": "other"}}}),
        ("deployments", "gaia-web", {"metadata": {"ownerReferences": None}}),
        ("deployments", "gaia-web", {"metadata": {"annotations": {"almagest.science/render-hash": "0"}}}),
    ],
)
def test_drift_is_healed_within_five_seconds(shared: Bench, plural: str, name: str, patch: dict[str, object]) -> None:
    before = wanted(shared.get(plural, name))
    shared.edit(plural, name, patch)
    eventually("the edit to be undone", lambda: wanted(shared.get(plural, name)) == before, within=5, every=0.1)
    shared.await_ready()


def wanted(body: dict[str, object]) -> object:
    """What the operator decides about an object."""
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    kept = {name: metadata.get(name) for name in ("labels", "ownerReferences")}
    rendered = metadata.get("annotations", {}).get("almagest.science/render-hash")
    return kept, rendered, body.get("spec"), body.get("data")


def _reasons(bench: Bench) -> set[str]:
    return {event["reason"] for event in bench.all("events")}


def test_transitions_are_told_once(running: Bench) -> None:
    eventually("the last event to be told", lambda: "Ready" in _reasons(running), within=10)
    told = [(event["reason"], event["note"]) for event in running.all("events")]
    assert len(told) == len(set(told))
    assert {"Ready", "Migrated", "Loaded"} <= {reason for reason, _ in told}
    assert "Pending" not in {reason for reason, _ in told}


def test_failed_migration_keeps_old_release_serving(running: Bench) -> None:
    before = {name: running.get("deployments", name)["metadata"]["generation"] for name in ("gaia-web", "gaia-proxy")}
    catalogue = {**running.server.request("GET", f"{RELEASES}/0.1.0")}
    catalogue["metadata"] = {"name": "0.2.0"}
    catalogue["spec"]["images"]["app"] = f"registry.example.org/almagest/app@sha256:{'2' * 64}"
    running.server.kubectl("delete", "archiverelease", "0.2.0", "--ignore-not-found")
    running.missing.outcomes["migrate"] = "fail"
    running.apply(release="0.2.0")
    told = running.await_condition("Ready", "False", "InvalidSpec")
    assert told["message"].startswith("spec.release: there is no ArchiveRelease '0.2.0'")
    running.server.request("POST", RELEASES, catalogue)
    running.await_condition("Degraded", "True", "MigrationFailed")
    assert running.condition("Migrated")["reason"] == "MigrationFailed"
    status = running.archive()["status"]
    assert status["release"] == "0.1.0"
    assert running.condition("WebReady")["status"] == "True"
    assert {name: running.get("deployments", name)["metadata"]["generation"] for name in before} == before
    running.missing.outcomes = {}
    running.apply()
    running.await_ready()
    assert running.condition("Degraded")["status"] == "False"


RELEASES = "/apis/almagest.science/v1alpha1/archivereleases"


def test_a_failed_job_is_made_anew_by_the_command_that_the_status_names(bench: Bench) -> None:
    bench.missing.outcomes["migrate"] = "fail"
    bench.apply()
    bench.start()
    told = bench.await_condition("Ready", "False", "MigrationFailed")["message"]
    (command,) = re.findall(r"kubectl (delete job \S+ -n \S+), ", told)
    bench.missing.outcomes = {}
    bench.server.kubectl(*command.split())
    bench.await_ready()


def test_what_only_the_operator_can_judge_changes_nothing_that_runs(running: Bench) -> None:
    since = now()
    running.apply(datasets=[{"table": "pg_catalog.stars", "source": "demo:gaia"}])
    told = running.await_condition("Ready", "False", "InvalidSpec")
    assert told["message"].startswith("spec.datasets[0].table: ")
    time.sleep(2)
    targets = {write.target.split("?")[0].rsplit("/", 3)[1] for write in running.writes(since)}
    assert targets <= {"archives", "v1", running.namespace} or all(
        "/archives/gaia/status" in write.target or "/events" in write.target for write in running.writes(since)
    )
    running.apply()
    running.await_ready()


def test_the_old_release_keeps_its_configuration_until_the_new_one_serves(running: Bench) -> None:
    """What pods of the old release read does not change while the new one cannot be migrated to."""
    old = {name: running.get("configmaps", name) for name in running.names("configmaps") if name.startswith("gaia-")}
    read = running.config_map("web")
    running.missing.outcomes["migrate"] = "fail"
    running.apply(site={"title": "Another"}, queues=[{"name": "short", "timeout": "20s"}])
    running.await_condition("Degraded", "True", "MigrationFailed")
    assert running.config_map("web") == read
    assert {name: running.get("configmaps", name) for name in old} == old
    running.missing.outcomes = {}
    job = running.condition("Migrated")["message"].split()[1].rstrip(":")
    running.delete("jobs", job)
    running.await_ready()
    assert running.config_map("web") != read
    eventually("the old one to be gone", lambda: read not in running.names("configmaps"), within=15)


def test_paused_changes_nothing(running: Bench) -> None:
    config = running.config_map("web")
    running.apply(lifecycle={"paused": True})
    running.await_condition("Progressing", "False", "Paused")
    since = now()
    running.delete("configmaps", config)
    running.edit("deployments", "gaia-web", {"spec": {"replicas": 5}})
    time.sleep(3)
    assert all("/status" in write.target or "/events" in write.target for write in running.writes(since))
    assert config not in running.names("configmaps")
    running.apply(lifecycle={"paused": False})
    running.await_ready()
    assert config in running.names("configmaps")


def test_what_the_spec_drops_goes_and_volumes_and_secrets_stay(running: Bench) -> None:
    running.apply(wordpress={"enabled": False})
    eventually("WordPress to be gone", lambda: "gaia-wordpress" not in running.names("deployments"), within=15)
    running.await_ready()
    assert "gaia-mariadb" not in running.names("statefulsets")
    assert {"gaia-uploads", "data-gaia-mariadb-0"} <= running.names("persistentvolumeclaims")
    assert "gaia-mariadb" in running.names("secrets")


def test_a_secret_made_beforehand_is_completed_and_never_overwritten(bench: Bench) -> None:
    bench.server.kubectl(
        "create", "secret", "generic", "gaia-datadb", "-n", bench.namespace, "--from-literal=owner-password=mine"
    )
    bench.apply()
    bench.start()
    bench.await_ready()
    data = bench.get("secrets", "gaia-datadb")["data"]
    assert data["owner-password"] == "bWluZQ=="
    assert set(data) == {"superuser-password", "owner-password", "query-password", "job-password"}


def test_a_rotated_password_restarts_its_readers_and_is_kept(running: Bench) -> None:
    before = running.get("deployments", "gaia-web")["metadata"]["generation"]
    running.edit("secrets", "gaia-cache", {"data": {"password": "bmV3"}})
    eventually(
        "web to be rolled out",
        lambda: running.get("deployments", "gaia-web")["metadata"]["generation"] > before,
        within=10,
    )
    running.await_ready()
    assert running.get("secrets", "gaia-cache")["data"]["password"] == "bmV3"


CLAIM = "data-gaia-datadb-0"


def _size(bench: Bench) -> str:
    size: str = bench.get("persistentvolumeclaims", CLAIM)["spec"]["resources"]["requests"]["storage"]
    return size


def test_a_volume_grows(running: Bench) -> None:
    running.bind(CLAIM)
    running.apply(databases={"data": {"storage": "40Gi"}})
    eventually("the claim to ask for more", lambda: _size(running) == "40Gi", within=10)
    running.await_ready()
    running.bind(CLAIM)
    running.apply(databases={"data": {"storage": "30Gi"}})
    told = running.await_condition("Ready", "False", "Refused")
    assert told["message"].startswith(f"PersistentVolumeClaim {CLAIM}: spec.resources.requests.storage: ")
    assert _size(running) == "40Gi"
    running.apply(databases={"data": {"storage": "40Gi"}})
    running.await_ready()


def test_a_volume_that_cannot_grow_holds_up_nothing_and_the_size_can_be_put_back(bench: Bench) -> None:
    data = {"storage": "20Gi", "storageClassName": "fixed"}
    bench.apply(databases={"data": data})
    bench.start()
    bench.await_ready()
    bench.bind(CLAIM)
    bench.apply(databases={"data": {**data, "storage": "40Gi"}}, web={"replicas": 2})
    told = bench.await_condition("Degraded", "True", "Refused")
    assert told["message"].startswith(f"PersistentVolumeClaim {CLAIM}: ")
    assert "the storageclass that provisions the pvc must support resize" in told["message"]
    eventually("the rest to go on", lambda: bench.get("deployments", "gaia-web")["spec"]["replicas"] == 2, within=10)
    config = bench.config_map("web")
    bench.delete("configmaps", config)
    eventually("what is missing to be healed", lambda: config in bench.names("configmaps"), within=10)
    assert bench.condition("Ready")["reason"] == "Refused"
    bench.apply(databases={"data": data}, web={"replicas": 2})
    bench.await_ready()
    assert _size(bench) == "20Gi"


def test_deletion_leaves_volumes_and_their_secrets_by_default(running: Bench) -> None:
    running.delete("archives", "gaia")
    eventually(
        "all to be collected but volumes",
        lambda: not (running.names("deployments") | running.names("statefulsets") | running.names("jobs")),
        within=30,
    )
    eventually("services and configuration to go", lambda: not (running.names("services") or _ours(running)), within=30)
    assert {"data-gaia-appdb-0", "data-gaia-datadb-0", "gaia-files"} <= running.names("persistentvolumeclaims")
    assert {"gaia-appdb", "gaia-datadb"} <= running.names("secrets")
    kept = running.get("secrets", "gaia-datadb")["data"]
    running.apply()
    running.await_ready()
    assert running.get("secrets", "gaia-datadb")["data"] == kept, "the databases can be opened again"


def _ours(bench: Bench) -> set[str]:
    return {name for name in bench.names("configmaps") if name.startswith("gaia-")}


def _owned(bench: Bench) -> set[str]:
    """What goes when the archive does: volumes, and the Secrets that open them."""
    found = [*bench.all("persistentvolumeclaims"), *bench.all("secrets")]
    owners = {item["metadata"]["name"]: item["metadata"].get("ownerReferences", []) for item in found}
    return {name for name, those in owners.items() if [owner["kind"] for owner in those] == ["Archive"]}


CLAIMS = {"gaia-files", "gaia-uploads", *(f"data-gaia-{name}-0" for name in ("appdb", "broker", "datadb", "mariadb"))}
OPENERS = {"gaia-appdb", "gaia-datadb", "gaia-mariadb", "gaia-wordpress"}
ALWAYS = {"gaia-broker", "gaia-cache", "gaia-django"}
RETAIN, DELETE = {"deletionPolicy": "Retain"}, {"deletionPolicy": "Delete"}


def test_deletion_takes_everything_when_told_so(running: Bench) -> None:
    running.apply(lifecycle=DELETE)
    eventually("the policy to reach volumes", lambda: _owned(running) == CLAIMS | OPENERS | ALWAYS, within=10)
    running.await_ready()
    running.delete("archives", "gaia")
    eventually("volumes to be collected", lambda: not running.names("persistentvolumeclaims"), within=60)
    eventually("secrets to be collected", lambda: not running.names("secrets"), within=60)


@pytest.fixture
def temporary(bench: Bench) -> Bench:
    """A Ready archive that was made to go with all that it has."""
    bench.apply(lifecycle=DELETE)
    bench.start()
    bench.await_ready()
    assert _owned(bench) == CLAIMS | OPENERS | ALWAYS
    return bench


def test_no_volume_goes_with_its_server_while_the_archive_is_there(temporary: Bench) -> None:
    for server in temporary.all("statefulsets"):
        assert server["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    temporary.apply(lifecycle=DELETE, wordpress={"enabled": False})
    eventually("MariaDB to be gone", lambda: "gaia-mariadb" not in temporary.names("statefulsets"), within=15)
    assert _owned(temporary) == CLAIMS | OPENERS | ALWAYS


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"wordpress": {"enabled": False}},
        {"lifecycle": {"paused": True}},
        {"datasets": [{"table": "pg_catalog.stars", "source": "demo:gaia"}]},
    ],
    ids=["serving", "without WordPress", "paused", "invalid"],
)
def test_a_policy_taken_back_is_obeyed_whatever_else_the_spec_says(temporary: Bench, spec: Manifest) -> None:
    temporary.apply(**merge(spec, {"lifecycle": RETAIN}))
    eventually("the policy to reach volumes", lambda: _owned(temporary) == ALWAYS, within=10)
    temporary.apply(**merge(spec, {"lifecycle": DELETE}))
    eventually("and back again", lambda: _owned(temporary) == CLAIMS | OPENERS | ALWAYS, within=10)


def test_a_volume_that_has_a_controller_goes_with_its_archive_too(running: Bench) -> None:
    server = running.get("statefulsets", "gaia-datadb")
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "gaia-datadb", "uid": server["metadata"]["uid"]}
    running.edit("persistentvolumeclaims", CLAIM, {"metadata": {"ownerReferences": [{**owner, "controller": True}]}})
    running.apply(lifecycle=DELETE)
    eventually("it to have both owners", lambda: _owners(running, CLAIM) == ["Archive", "StatefulSet"], within=10)
    running.apply(lifecycle=RETAIN)
    eventually("and one again", lambda: _owners(running, CLAIM) == ["StatefulSet"], within=10)


def _owners(bench: Bench, claim: str) -> list[str]:
    metadata = bench.get("persistentvolumeclaims", claim)["metadata"]
    return sorted(owner["kind"] for owner in metadata.get("ownerReferences", []))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"release": None}, "spec.release: Required value"),
        ({"environment": "staging"}, 'spec.environment: Unsupported value: "staging"'),
        ({"queues": [{"name": "Short!", "timeout": "30s"}]}, "spec.queues[0].name"),
        ({"exposure": {"type": "Ingress"}}, "exposure by Ingress needs a host name"),
        ({"databases": {"app": {"storage": "lots"}}}, "spec.databases.app.storage"),
    ],
)
def test_an_invalid_spec_is_refused_with_field_and_reason(bench: Bench, spec: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match="422") as refused:
        bench.apply(**spec)
    assert said in str(refused.value)


def test_every_log_line_is_json_and_names_its_archive(running: Bench) -> None:
    records = running.records()
    assert records
    reconciled = [record for record in records if "reconcile" in record]
    assert {record["archive"] for record in reconciled} == {f"{running.namespace}/gaia"}
