"""The roll-out as a state machine, played against a simulated cluster with the real renderings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from almagest_operator.desired import graph
from almagest_operator.desired.connections import INGESTS_AT_ONCE
from almagest_operator.model.resource import Stage
from almagest_operator.observe.readiness import READY, RUNNING, Readiness, State
from almagest_operator.plan import Step, rest
from support.archives import archive, release
from support.world import FAILED, LIVING, WAITING, World

RUNNING_JOB = Readiness(State.WAITING, RUNNING, "running")
DATASET = {"datasets": [{"table": "gaiadr3.bright", "source": "demo:gaia"}]}


def an(**spec: Any) -> World:
    return World(archive=archive(spec or DATASET))


def test_nothing_is_applied_before_what_it_depends_on() -> None:
    """From nothing to the end: when an object is written, all that its part needs is there and ready."""
    world = an()
    for _ in range(40):
        step = world.plan()
        ready = {live.part for live in world.children.values() if live.readiness.ready and live.key.kind in LIVING}
        there = {live.part for live in world.children.values()}
        for resource in step.resources:
            if resource.stage > Stage.FOUNDATIONS:
                assert set(graph.starts_after(resource.part)) <= ready, resource.key
                assert graph.made_with(resource.part) - {"django"} <= there, resource.key
        world.carry_out(step)
        world.settle()
    assert world.plan().complete


def test_a_settled_archive_is_written_no_more() -> None:
    world = an()
    world.run()
    step = world.plan()
    assert step.complete
    assert not step.writes


def test_every_pass_that_is_not_complete_writes_or_says_what_it_waits_for() -> None:
    world = an()
    while not (step := world.plan()).complete:
        assert step.writes or step.waiting
        assert all(item.readiness.reason and item.readiness.message for item in step.waiting)
        world.carry_out(step)
        if not step.writes:
            world.settle()


def test_the_databases_are_waited_for_before_the_migration() -> None:
    world = an()
    step = world.run(datadb=WAITING)
    assert step.stage is Stage.DATA
    assert [str(item) for item in step.waiting] == ["StatefulSet gaia-datadb: 0 of 1 pods are ready"]
    assert not world.live("Job", "migrate")
    assert {"migrate", "web", "worker-short", "scheduler", "wordpress", "proxy"} <= {i.component for i in step.held}


def dependent(part: str) -> set[str]:
    """The part and all that starts after it, near or far."""
    direct = {"migrate", "ingest", "web", "worker", "scheduler", "wordpress", "proxy"}
    found = {part}
    for _ in direct:
        found |= {other for other in direct if found & set(graph.starts_after(other))}
    return found


@pytest.mark.parametrize("broken", ["appdb", "datadb", "broker", "cache", "mariadb", "wordpress", "web", "scheduler"])
def test_what_ails_one_part_keeps_nothing_else_from_being_installed(broken: str) -> None:
    world = an()
    step = world.run(**{broken: WAITING})
    ready = {live.part for live in world.children.values() if live.key.kind in LIVING and live.readiness.ready}
    assert ready == {r.part for r in world.desired().resources if r.kind in LIVING} - dependent(broken)
    assert {item.part for item in step.waiting} == {broken}


@pytest.mark.parametrize("broken", ["appdb", "datadb", "broker", "cache", "mariadb", "wordpress", "worker"])
def test_what_ails_one_part_keeps_nothing_else_from_being_healed(broken: str) -> None:
    """Of an archive that runs, everything is deleted but what is broken; the migration has been done."""
    world = an()
    world.run()
    for key, live in list(world.children.items()):
        if live.part == broken and key.kind in LIVING:
            world.change(key, readiness=WAITING)
        elif live.part != broken and key.kind not in {"Job", "PersistentVolumeClaim", "Secret"}:
            del world.children[key]
    world.run(**{live.component.replace("-", "_"): WAITING for live in world.children.values() if live.part == broken})
    missing = {r.part for r in world.desired().resources if r.key not in world.children}
    assert missing <= {other for other in dependent(broken) if broken in graph.starts_after(other)}


def test_a_release_serves_when_the_site_is_of_it_though_wordpress_is_broken() -> None:
    world = an(queues=[{"name": "short", "timeout": "30s"}, {"name": "long", "timeout": "1h"}])
    world.run()
    world.change(world.resource("StatefulSet", "mariadb").key, readiness=WAITING)
    world.release = release("0.2.0", "2")
    world.archive = archive({"release": "0.2.0", "queues": [{"name": "short", "timeout": "30s"}]})
    step = world.run(mariadb=WAITING)
    assert step.released
    assert not step.complete
    assert {item.part for item in step.waiting} == {"mariadb"}
    assert not world.live("Deployment", "worker-long"), "what is not wanted any more has gone"


def test_a_policy_that_is_not_wanted_any_more_goes_though_wordpress_is_broken() -> None:
    world = an()
    world.run()
    world.change(world.resource("Deployment", "wordpress").key, readiness=WAITING)
    world.archive = archive({**DATASET, "web": {"fetchUploads": False}})
    world.run(wordpress=WAITING)
    assert "gaia-web-to-internet" in {key.name for key in world.pruned}


def test_failed_migration_keeps_old_release_serving() -> None:
    world = an()
    world.run()
    before = {key: live for key, live in world.children.items() if live.key.kind == "Deployment"}
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    step = world.run(migrate=FAILED)
    assert step.stage is Stage.MIGRATION
    assert [item.component for item in step.failed] == ["migrate"]
    workloads = {key for key in before if world.resource("Deployment", before[key].component).stage is Stage.WORKLOADS}
    assert workloads
    assert all(world.children[key] == before[key] for key in workloads)


def test_a_spec_put_back_after_a_failed_migration_is_complete_again() -> None:
    world = an()
    world.run()
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    world.run(migrate=FAILED)
    world.release, world.archive = release(), archive(DATASET)
    assert world.run().complete
    assert len(world.live("Job", "migrate")) == 1


def test_a_superseded_migration_is_deleted_before_its_successor_has_run() -> None:
    world = an()
    world.run()
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    world.run(migrate=FAILED)
    (failed,) = (live for live in world.live("Job", "migrate") if live.readiness.failed)
    world.release, world.archive = release("0.3.0", "3"), archive({**DATASET, "release": "0.3.0"})
    world.carry_out(world.plan())
    assert failed.key in world.pruned


def test_a_spec_put_back_after_its_successor_migrated_is_migrated_again() -> None:
    """What the successor's Job has done to the databases is not what the old release was made for."""
    world = an()
    world.run()
    (before,) = world.live("Job", "migrate")
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    world.run(web=FAILED)
    world.release, world.archive = release(), archive(DATASET)
    assert world.run().complete
    (after,) = world.live("Job", "migrate")
    assert after.key == before.key
    assert after.uid != before.uid


def test_a_data_set_put_back_is_loaded_again() -> None:
    world = an()
    world.run()
    (before,) = world.live("Job", "ingest-gaiadr3-bright")
    world.archive = archive({"datasets": [{"table": "gaiadr3.bright", "source": "file:bright.parquet"}]})
    world.run(web=FAILED)
    world.archive = archive(DATASET)
    assert world.run().complete
    (after,) = world.live("Job", "ingest-gaiadr3-bright")
    assert after.key == before.key
    assert after.uid != before.uid


def test_ingest_runs_beside_the_workloads_and_blocks_nothing() -> None:
    world = an()
    step = world.run(ingest_gaiadr3_bright=WAITING)
    assert step.stage is Stage.SMOKE
    assert not step.complete
    assert [item.stage for item in step.waiting] == [Stage.INGEST]
    assert all(live.readiness.ready for live in world.live("Deployment", "web"))


def test_a_data_set_that_was_loaded_is_not_loaded_again_by_a_new_release() -> None:
    world = an()
    world.run()
    (loaded,) = world.live("Job", "ingest-gaiadr3-bright")
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    assert world.run().complete
    assert world.live("Job", "ingest-gaiadr3-bright") == [loaded]


def test_data_sets_are_loaded_a_few_at_a_time_and_one_that_failed_keeps_no_other_waiting() -> None:
    tables = [f"a.t{number}" for number in range(10)]
    world = an(datasets=[{"table": table, "source": "demo:gaia"} for table in tables])
    for _ in range(40):
        step = world.plan()
        world.carry_out(step)
        loading = [live for live in world.children.values() if live.part == "ingest" and not live.readiness.ready]
        assert len([live for live in loading if not live.readiness.failed]) <= INGESTS_AT_ONCE
        world.settle(ingest_a_t0=FAILED, ingest_a_t3=FAILED)
    failed = {live.component for live in world.children.values() if live.readiness.failed}
    assert failed == {"ingest-a-t0", "ingest-a-t3"}
    loads = [key for key, live in world.children.items() if key.kind == "Job" and live.part == "ingest"]
    assert len(loads) == len(tables)


def test_a_job_that_did_not_succeed_is_replaced_when_it_is_rendered_anew() -> None:
    world = an()
    world.run(ingest_gaiadr3_bright=FAILED)
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0"})
    assert world.run().complete


@pytest.mark.parametrize("component", ["ingest-gaiadr3-bright", "migrate"])
def test_a_job_that_runs_is_left_to_its_end_whatever_changes_about_its_pod(component: str) -> None:
    """Hours of loading are not lost to a new release, nor a migration to a limit of memory."""
    world = an()
    world.run(**{component.replace("-", "_"): RUNNING_JOB})
    (before,) = world.live("Job", component)
    bigger = {"site": {"title": "Another", "hostname": "gaia.example.org"}}
    if component == "migrate":  # a migration of another release is another Job
        world.archive = archive({**DATASET, **bigger})
    else:
        world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, **bigger, "release": "0.2.0"})
    assert world.resource("Job", component).key == before.key
    assert world.resource("Job", component).render_hash != before.render_hash
    step = world.run(**{component.replace("-", "_"): RUNNING_JOB})
    assert world.live("Job", component) == [before]
    assert [str(item) for item in step.waiting if item.component == component] == [f"Job {before.key.name}: running"]
    world.change(before.key, readiness=FAILED)
    assert world.run().complete, "one that failed is made anew, as the new release has it"
    (after,) = world.live("Job", component)
    assert after.uid != before.uid
    assert after.render_hash == world.resource("Job", component).render_hash


def test_a_claim_that_cannot_take_its_size_holds_up_nothing_else() -> None:
    world = an()
    world.run()
    claim = next(key for key in world.children if key.name == "data-gaia-datadb-0")
    before = world.children[claim]
    world.refused = {claim}
    grown = {**DATASET, "release": "0.2.0", "databases": {"data": {"storage": "40Gi"}}}
    world.release, world.archive = release("0.2.0", "2"), archive(grown)
    step = world.run()
    assert step.stage is Stage.SMOKE
    assert [item.key for item in step.waiting] == [claim]
    assert not step.complete
    assert all(live.readiness.ready for live in world.live("Deployment", "web"))
    del world.children[world.resource("Deployment", "web").key]
    world.run()
    assert world.live("Deployment", "web"), "what is missing is healed"
    world.archive = archive({**DATASET, "release": "0.2.0"})
    assert world.run().complete
    assert world.children[claim] == before


def test_a_claim_that_is_not_there_or_lost_its_volume_is_waited_for() -> None:
    world = an()
    world.run()
    claim = next(key for key in world.children if key.name == "data-gaia-datadb-0")
    world.change(claim, readiness=Readiness(State.FAILED, "VolumeLost", "the volume behind the claim is gone"))
    assert world.plan().stage is Stage.FOUNDATIONS
    world.change(claim, readiness=READY, terminating=True)
    assert world.plan().stage is Stage.FOUNDATIONS
    del world.children[claim]
    step = world.plan()
    assert step.stage is Stage.FOUNDATIONS
    assert {item.part for item in step.waiting} == {"datadb"}


def test_paused_writes_nothing_and_still_sees() -> None:
    world = an()
    world.run(web=WAITING)
    del world.children[world.resource("Deployment", "proxy").key]
    step = rest(world.plan())
    assert not step.writes
    assert step.paused
    assert step.waiting


@pytest.mark.parametrize("kind", ["Deployment", "Service", "NetworkPolicy", "StatefulSet", "ServiceAccount"])
def test_a_deleted_child_is_made_again(kind: str) -> None:
    world = an()
    world.run()
    victim = next(key for key in world.children if key.kind == kind)
    del world.children[victim]
    assert victim in {resource.key for resource in world.plan().resources}
    assert world.run().complete


def test_what_another_hand_changed_is_applied_and_nothing_else() -> None:
    world = an()
    world.run()
    key = world.resource("Deployment", "web").key
    world.change(key, fields='{"f:metadata": {}}')
    step = world.plan()
    assert [resource.key for resource in step.resources] == [key]
    assert step.complete, "healing drift does not make an archive unready"


def test_a_child_being_deleted_is_waited_for_and_not_written() -> None:
    world = an()
    world.run()
    key = world.resource("Deployment", "web").key
    world.change(key, terminating=True)
    step = world.plan()
    assert not step.resources
    assert [item.readiness.reason for item in step.waiting] == ["Deleting"]


def test_what_is_not_wanted_any_more_goes_but_never_a_volume_or_a_secret() -> None:
    world = an(queues=[{"name": "short", "timeout": "30s"}, {"name": "long", "timeout": "1h"}])
    world.run()
    world.archive = archive({"queues": [{"name": "short", "timeout": "30s"}], "wordpress": {"enabled": False}})
    assert world.run().complete
    gone = {key.name for key in world.pruned}
    assert {"gaia-worker-long", "gaia-wordpress", "gaia-mariadb"} <= gone
    assert not {key.kind for key in world.pruned} & {"PersistentVolumeClaim", "Secret"}
    assert any(key.name == "gaia-mariadb" and key.kind == "Secret" for key in world.children)


def test_nothing_that_serves_is_pruned_before_what_replaces_it_is_ready() -> None:
    world = an(queues=[{"name": "short", "timeout": "30s"}, {"name": "long", "timeout": "1h"}])
    world.run()
    world.archive = archive({"queues": [{"name": "slow", "timeout": "2h"}]})
    world.run(worker_slow=WAITING)
    assert world.live("Deployment", "worker-long")
    world.run()
    assert not world.live("Deployment", "worker-long")


def maps(world: World) -> set[str]:
    return {key.name for key in world.children if key.kind == "ConfigMap"}


def test_a_failed_migration_keeps_the_old_configuration_for_the_old_pods() -> None:
    """Also for those that are made again where one dies, and with it for whatever the old release reads."""
    world = an()
    world.run()
    before = {live.key: live.config_maps for live in world.children.values() if live.key.kind == "Deployment"}
    contents = {key: live for key, live in world.children.items() if key.kind == "ConfigMap"}
    queues = [{"name": "other", "timeout": "1h"}]
    world.release, world.archive = release("0.2.0", "2"), archive({**DATASET, "release": "0.2.0", "queues": queues})
    world.run(migrate=FAILED)
    serving = {key: names for key, names in before.items() if key.name != "gaia-cache"}
    assert {key: world.children[key].config_maps for key in serving} == serving
    assert {key: world.children[key] for key in contents} == contents
    world.release, world.archive = release(), archive(DATASET)
    assert world.run().complete
    assert maps(world) == {key.name for key in contents}, "what was made for the release that failed is gone"


def test_old_configuration_goes_when_no_pod_can_come_to_read_it() -> None:
    world = an()
    world.run()
    (old,) = (name for name in maps(world) if name.startswith("gaia-app-"))
    world.archive = archive({**DATASET, "site": {"title": "Another"}})
    world.run(web=WAITING)
    assert old in maps(world), "old pods of web are made again until the new ones are ready"
    assert world.run().complete
    (new,) = (name for name in maps(world) if name.startswith("gaia-app-"))
    assert new != old
    assert world.plan().complete
    assert not world.plan().writes


def test_a_job_that_runs_keeps_its_configuration_and_one_that_is_done_does_not() -> None:
    world = an()
    world.run(ingest_gaiadr3_bright=RUNNING_JOB)
    (old,) = (name for name in maps(world) if name.startswith("gaia-app-"))
    world.archive = archive({**DATASET, "site": {"title": "Another"}})
    world.run(ingest_gaiadr3_bright=RUNNING_JOB)
    assert old in maps(world)
    (job,) = world.live("Job", "ingest-gaiadr3-bright")
    world.change(job.key, readiness=READY)
    assert world.run().complete
    assert old not in maps(world)
    assert world.live("Job", "ingest-gaiadr3-bright"), "done once is done"


def test_a_secret_that_lacks_a_key_gets_it_and_keeps_the_others() -> None:
    world = an()
    world.run()
    secret = next(s for s in world.desired().secrets if s.name == "gaia-datadb")
    kept = dict(world.children[secret.key].fingerprints)
    del kept["job-password"]
    world.change(secret.key, fingerprints={**kept, "query-password": "mine"})
    step = world.plan()
    assert [found.name for found in step.secrets] == ["gaia-datadb"]
    assert step.stage is Stage.SECRETS
    assert world.run().complete
    assert world.children[secret.key].fingerprints["query-password"] == "mine"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world in any state that hands, crashes and controllers can bring it to."""
    specs: list[dict[str, Any]] = [DATASET, {}, {"wordpress": {"enabled": False}}]
    world = World(archive=archive(draw(st.sampled_from(specs))))
    for _ in range(draw(st.integers(0, 9))):
        world.carry_out(world.plan())
        if draw(st.booleans()):
            world.settle()
    for key in sorted(world.children):
        match draw(st.sampled_from(["keep"] * 6 + ["delete", "change", "unready", "terminate"])):
            case "delete":
                del world.children[key]
            case "change":
                world.change(key, fields="{}")
            case "unready" if key.kind in LIVING:
                world.change(key, readiness=draw(st.sampled_from([WAITING, FAILED])))
            case "terminate":
                world.change(key, terminating=True)
    return world


@given(world=worlds())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_from_any_state_the_archive_comes_to_rest_complete_or_with_a_reason(world: World) -> None:
    step = world.plan()
    _is_sound(world, step)
    for key, live in list(world.children.items()):  # deletions end, and people delete Jobs that failed
        if live.terminating or live.readiness.failed:
            del world.children[key]
    assert world.run().complete
    for live in world.children.values():
        if live.key.kind != "Job" or not live.readiness.ready:
            assert set(live.config_maps) <= maps(world)


@given(world=worlds())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_plan_depends_on_nothing_but_its_input(world: World) -> None:
    assert world.plan() == world.plan()
    assert world.plan() == replace(world, children=dict(reversed(world.children.items()))).plan()


def _is_sound(world: World, step: Step) -> None:
    """Invariants of every step."""
    assert step.complete or step.writes or step.waiting
    assert step.waiting or not step.held
    for resource in step.resources:
        live = world.children.get(resource.key)
        assert live is None or not live.terminating
        assert not (resource.kind == "Job" and live is not None and live.readiness == READY)
    assert all(item.readiness.state is not State.READY for item in step.waiting)
    assert {live.key for live in step.prune}.isdisjoint({resource.key for resource in step.resources})
