"""The status as users read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from almagest_operator.apply.engine import Applied, Failure
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.status import ArchiveStatus, Condition, ConditionStatus
from almagest_operator.observe.live import LivePod
from almagest_operator.observe.look import Look
from almagest_operator.observe.store import Key, Observed
from almagest_operator.plan import Step, rest
from almagest_operator.status.conditions import SUMMARY, component_type, merge, no, yes
from almagest_operator.status.events import events, transitions
from almagest_operator.status.summary import first_sight, invalid, status
from support.archives import archive, release
from support.world import FAILED, WAITING, World

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
INVALID = InvalidSpec("spec.release", "there is none", "make one")
DATASETS = {
    "datasets": [
        {"table": "gaiadr3.bright", "source": "demo:gaia"},
        {"table": "hipparcos.main", "source": "demo:hipparcos"},
    ]
}


def told(
    world: World, step: Step | None = None, applied: Applied | None = None, *pods: LivePod, now: datetime = NOW
) -> ArchiveStatus:
    """The status after a pass over `world`."""
    key = Key(world.archive.namespace, world.archive.name)
    observed = Observed(key, children=world.children, pods=pods, look=world.look)
    return status(world.archive, world.desired(), step or world.plan(), applied or Applied(), observed, now)


def condition(found: ArchiveStatus, type_: str) -> Condition:
    return next(condition for condition in found.conditions if condition.type == type_)


def is_so(found: ArchiveStatus, type_: str) -> tuple[str, str]:
    it = condition(found, type_)
    return it.status.value, it.reason


@pytest.fixture
def world() -> World:
    return World(archive=archive(DATASETS))


def test_a_new_archive_knows_nothing_yet() -> None:
    found = first_sight(archive(), NOW)
    assert {c.type: (c.status, c.reason) for c in found.conditions} == dict.fromkeys(
        SUMMARY, (ConditionStatus.UNKNOWN, "Pending")
    )


def test_a_settled_archive_is_ready(world: World) -> None:
    world.run()
    found = told(world)
    assert is_so(found, "Ready") == ("True", "Ready")
    assert is_so(found, "Progressing") == ("False", "Complete")
    assert is_so(found, "Degraded") == ("False", "AsExpected")
    assert is_so(found, "Migrated") == ("True", "Migrated")
    assert condition(found, "DatasetsLoaded").message == "2 of 2 data sets are loaded"
    assert is_so(found, "WorkerShortReady") == ("True", "Ready")
    assert found.observed_generation == 1
    assert found.release == "0.1.0"
    assert [c.name for c in found.components] == sorted(c.name for c in found.components)


NOBODY = Look(application="no answer (ConnectionRefusedError)")


def test_waiting_says_for_what(world: World) -> None:
    world.look = NOBODY
    world.run(datadb=WAITING)
    found = told(world)
    assert is_so(found, "Progressing") == ("True", "StartingDataServices")
    assert "StatefulSet gaia-datadb: 0 of 1 pods are ready" in condition(found, "Ready").message
    assert is_so(found, "WebReady") == ("False", "NotStarted")
    assert found.observed_generation is None
    assert found.release is None


def test_a_pods_trouble_is_told_where_one_looks(world: World) -> None:
    world.look = NOBODY
    world.run(appdb=WAITING, broker=WAITING, cache=WAITING, datadb=WAITING, mariadb=WAITING)
    crash = LivePod(
        "gaia-dev", "gaia-datadb-0", "gaia", "datadb", "gaia-datadb-0: postgres: exit code 1: no space left"
    )
    found = told(world, None, None, crash)
    assert condition(found, "Ready").message.startswith(
        "waiting for databases, broker and cache: "
        "StatefulSet gaia-datadb: 0 of 1 pods are ready (gaia-datadb-0: postgres: exit code 1: no space left); "
    ), "first of the five that are waited for"
    assert condition(found, "Progressing").message == condition(found, "Ready").message
    assert is_so(found, "Degraded") == ("True", "PodsFailing")
    assert condition(found, "Degraded").message == "gaia-datadb-0: postgres: exit code 1: no space left"
    component = next(c for c in found.components if c.name == "datadb")
    assert component.message == "0 of 1 pods are ready (gaia-datadb-0: postgres: exit code 1: no space left)"


def test_an_image_that_a_node_does_not_get_has_a_reason_of_its_own(world: World) -> None:
    world.run(datadb=WAITING, migrate=WAITING)
    crash = LivePod("gaia-dev", "gaia-datadb-0", "gaia", "datadb", "gaia-datadb-0: postgres: exit code 1")
    image = LivePod(
        "gaia-dev", "gaia-datadb-1", "gaia", "datadb", "gaia-datadb-1: postgres: ErrImagePull: no", lacks_image=True
    )
    found = told(world, None, None, crash, image)
    assert is_so(found, "Degraded") == ("True", "ImagesMissing")
    assert condition(found, "Degraded").message == image.trouble


def test_the_trouble_of_a_pod_beside_a_ready_component_is_no_news(world: World) -> None:
    world.run()
    limping = LivePod("gaia-dev", "gaia-web-1", "gaia", "web", "gaia-web-1: web: exit code 1")
    assert is_so(told(world, None, None, limping), "Degraded") == ("False", "AsExpected")


def test_a_failed_migration_keeps_the_release_that_serves(world: World) -> None:
    world.run()
    before = told(world)
    world.archive = archive({**DATASETS, "release": "0.2.0"}).model_copy(update={"status": before})
    world.release = release("0.2.0", "2")
    found = told(world, world.run(migrate=FAILED))
    assert is_so(found, "Ready") == ("False", "MigrationFailed")
    assert is_so(found, "Degraded") == ("True", "MigrationFailed")
    assert is_so(found, "Migrated") == ("False", "MigrationFailed")
    assert is_so(found, "Progressing") == ("False", "MigrationFailed")
    assert is_so(found, "WebReady") == ("True", "Ready")
    assert found.release == "0.1.0"
    (job,) = (live.key.name for live in world.live("Job", "migrate") if live.readiness.failed)
    assert f"kubectl delete job {job} -n gaia-dev" in condition(found, "Ready").message


def test_a_failed_data_set_is_named_and_the_others_are_counted(world: World) -> None:
    world.run(ingest_gaiadr3_bright=FAILED)
    row = LivePod(
        "gaia-dev", "p", "gaia", "ingest-gaiadr3-bright", "p: ingest: exit code 1: row 7: column ra: not a number"
    )
    found = told(world, None, None, row)
    assert is_so(found, "DatasetsLoaded") == ("False", "IngestFailed")
    assert condition(found, "DatasetsLoaded").message.startswith(
        "1 of 2 data sets are loaded; Job gaia-ingest-gaiadr3-"
    )
    assert "row 7: column ra" in condition(found, "DatasetsLoaded").message
    assert is_so(found, "WebReady") == ("True", "Ready")
    assert found.release == "0.1.0", "a data set keeps no release from serving"


def test_a_refused_object_is_told_with_the_servers_reason(world: World) -> None:
    world.run()
    key = world.resource("StatefulSet", "appdb").key
    found = told(world, None, Applied(failures=[Failure(key, "spec: Forbidden: updates are forbidden")]))
    assert condition(found, "Degraded").message == "StatefulSet gaia-appdb: spec: Forbidden: updates are forbidden"


def test_a_write_that_failed_is_told_and_tried_again(world: World) -> None:
    world.run(web=WAITING)
    key = world.resource("Deployment", "web").key
    passing = Failure(key, "etcdserver: request timed out (500)", passing=True)
    found = told(world, None, Applied(failures=[passing]))
    said = "Deployment gaia-web: etcdserver: request timed out (500)"
    assert is_so(found, "Ready") == ("False", "WriteFailed")
    assert is_so(found, "Progressing") == ("True", "WriteFailed")
    assert is_so(found, "Degraded") == ("True", "WriteFailed")
    assert condition(found, "Ready").message == condition(found, "Degraded").message == said
    refusal = Failure(world.resource("StatefulSet", "appdb").key, "spec: Forbidden")
    both = told(world, None, Applied(failures=sorted([passing, refusal])))
    assert is_so(both, "Progressing") == ("False", "Refused")
    assert condition(both, "Ready").message == "StatefulSet gaia-appdb: spec: Forbidden"
    assert condition(both, "Degraded").message == f"{said}; StatefulSet gaia-appdb: spec: Forbidden"


def test_a_generation_is_carried_out_when_every_write_was(world: World) -> None:
    world.run()
    failure = Failure(world.resource("Service", "web").key, "no answer (0)", passing=True)
    found = told(world, None, Applied(failures=[failure]))
    assert is_so(found, "Ready") == ("True", "Ready"), "what is there serves"
    assert is_so(found, "Degraded") == ("True", "WriteFailed")
    assert found.observed_generation is None


def test_a_volume_that_cannot_grow_is_told_and_keeps_no_release_from_serving(world: World) -> None:
    world.run()
    claim = next(key for key in world.children if key.name == "data-gaia-datadb-0")
    world.refused = {claim}
    grown = {**DATASETS, "release": "0.2.0", "databases": {"data": {"storage": "40Gi"}}}
    world.archive, world.release = archive(grown), release("0.2.0", "2")
    step = world.run()
    applying = told(world, step)
    assert is_so(applying, "Progressing") == ("True", "PreparingFoundations")
    found = told(world, step, Applied(failures=[Failure(claim, "the class must support resize")]))
    said = "PersistentVolumeClaim data-gaia-datadb-0: the class must support resize"
    for type_, state in (("Ready", "False"), ("Progressing", "False"), ("Degraded", "True")):
        assert is_so(found, type_) == (state, "Refused")
        assert condition(found, type_).message == said
    assert found.release == "0.2.0"
    assert found.observed_generation is None


def test_ready_means_served(world: World) -> None:
    world.run()
    world.look = Look(application="HTTP 503 (appdb: no answer within 1 s)")
    found = told(world)
    assert is_so(found, "Ready") == ("False", "NotServed")
    assert is_so(found, "Served") == ("False", "NotServed")
    assert is_so(found, "Degraded") == ("True", "NotServed")
    assert "Service gaia-proxy: the application does not answer through it: HTTP 503 (appdb" in (
        condition(found, "Ready").message
    )
    world.look = None
    assert is_so(told(world), "Ready") == ("False", "NotAsked")
    assert is_so(told(world), "Served") == ("Unknown", "NotAsked")


@pytest.mark.parametrize("broken", ["cache", "broker", "mariadb", "wordpress", "worker_short", "scheduler"])
def test_what_is_impaired_is_named_while_the_site_serves(world: World, broken: str) -> None:
    world.run()
    world.archive = world.archive.model_copy(update={"status": told(world)})
    for key, live in world.children.items():
        if live.component == broken.replace("_", "-") and key.kind in {"Deployment", "StatefulSet"}:
            world.change(key, readiness=WAITING)
    found = told(world)
    assert is_so(found, "Ready") == ("False", "Impaired")
    assert is_so(found, "Served") == ("True", "Served")
    assert is_so(found, "Degraded") == ("True", "Impaired")
    assert f"gaia-{broken.replace('_', '-')}: 0 of 1 pods are ready" in condition(found, "Ready").message
    assert found.release == "0.1.0"


def test_what_the_application_does_without_and_wordpress_are_impaired_though_their_pods_are_ready(world: World) -> None:
    world.run()
    world.look = Look(wordpress="HTTP 500", impaired={"cache": "no answer within 1 s"})
    found = told(world)
    assert is_so(found, "Ready") == ("False", "Impaired")
    assert is_so(found, "Served") == ("True", "Served")
    for said in ("WordPress does not answer through it: HTTP 500", "Service gaia-cache: the application says of cache"):
        assert said in condition(found, "Degraded").message


def test_a_roll_out_is_no_impairment(world: World) -> None:
    world.run()
    world.archive = archive({**DATASETS, "site": {"title": "Another"}})
    world.carry_out(world.plan())
    found = told(world)
    assert is_so(found, "Ready") == ("False", "StartingWorkloads")
    assert is_so(found, "Degraded") == ("False", "AsExpected")


def test_paused_is_told(world: World) -> None:
    world.run(web=WAITING)
    assert is_so(told(world, rest(world.plan())), "Progressing") == ("False", "Paused")


def test_an_invalid_spec_leaves_the_rest_of_the_status_as_it_was(world: World) -> None:
    world.run()
    before = told(world)
    found = invalid(before, INVALID, Applied(), 2, LATER)
    assert condition(found, "Ready").message == "spec.release: there is none (make one)"
    assert is_so(found, "WebReady") == ("True", "Ready")
    assert (found.release, found.endpoints, found.components) == (before.release, before.endpoints, before.components)
    assert invalid(found, INVALID, Applied(), 2, LATER) == found


def test_an_owner_that_is_refused_is_told_though_the_spec_is_invalid(world: World) -> None:
    world.run()
    claim = next(key for key in world.children if key.name == "data-gaia-datadb-0")
    refused = Applied(failures=[Failure(claim, "cannot set an ownerRef on a resource you can't delete")])
    for before in (ArchiveStatus(), told(world)):
        found = invalid(before, INVALID, refused, 2, LATER)
        assert is_so(found, "Ready") == ("False", "InvalidSpec")
        assert is_so(found, "Degraded") == ("True", "Refused")
        assert condition(found, "Degraded").message.startswith("PersistentVolumeClaim data-gaia-datadb-0: cannot set")
        assert is_so(invalid(found, INVALID, Applied(), 2, LATER), "Degraded") == ("Unknown", "InvalidSpec"), "granted"
    assert {*SUMMARY} <= {condition.type for condition in invalid(ArchiveStatus(), INVALID, refused, 1, NOW).conditions}


def test_the_same_state_at_another_time_is_the_same_status(world: World) -> None:
    world.run()
    first = told(world)
    world.archive = world.archive.model_copy(update={"status": first})
    assert told(world, now=LATER) == first


def test_the_time_of_transition_moves_with_the_status_alone() -> None:
    first = merge((), [no("Ready", "Migrating", "a")], NOW, 1)
    second = merge(first, [no("Ready", "StartingWorkloads", "b")], LATER, 1)
    third = merge(second, [yes("Ready", "Ready")], LATER, 1)
    assert [c[0].last_transition_time for c in (first, second, third)] == [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05Z",
        "2026-01-02T04:04:05Z",
    ]


def test_component_names_become_condition_types() -> None:
    assert component_type("worker-short") == "WorkerShortReady"


def test_transitions_are_told_and_first_sight_is_not(world: World) -> None:
    world.run()
    first, settled = first_sight(world.archive, NOW), told(world)
    assert transitions(ArchiveStatus(), first) == ()
    assert {c.type for c in transitions(first, settled)} == {"Ready", "Migrated", "DatasetsLoaded"}
    assert transitions(settled, settled) == ()


def test_an_event_told_twice_has_the_same_name(world: World) -> None:
    body = {
        "apiVersion": "almagest.science/v1alpha1",
        "kind": "Archive",
        "metadata": {"name": "gaia", "namespace": "gaia-dev", "uid": "u"},
    }
    changes = merge((), [no("Ready", "MigrationFailed", "x" * 5000)], NOW, 1)
    (first,), (second,) = (list(events(body, changes, "pod", when)) for when in (NOW, LATER))
    assert first["metadata"]["name"] == second["metadata"]["name"]
    assert first["type"] == "Warning"
    assert len(first["note"]) <= 1024
    assert first["regarding"]["name"] == "gaia"
