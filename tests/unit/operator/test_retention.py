"""Whose the volumes are, and the Secrets that open them."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.plan import owners, rest
from support.archives import archive, desired, manifest
from support.world import World

UID = manifest()["metadata"]["uid"]
DELETE = {"lifecycle": {"deletionPolicy": "Delete"}}
KEPT = {
    *(f"data-gaia-{name}-0" for name in ("appdb", "broker", "datadb", "mariadb")),
    *(f"gaia-{name}" for name in ("files", "uploads", "appdb", "datadb", "mariadb", "wordpress")),
}


def changed(world: World, spec: dict[str, Any]) -> set[str]:
    """Names of what would get or lose its owner under a spec."""
    return {patch["metadata"]["name"] for patch in owners(manifest(spec), world.children)}


@pytest.fixture
def retained() -> World:
    world = World()
    world.run()
    return world


@pytest.fixture
def temporary() -> World:
    world = World(archive=archive(DELETE))
    world.run()
    return world


def test_settled_archives_are_left_alone(retained: World, temporary: World) -> None:
    assert not changed(retained, {})
    assert not changed(temporary, DELETE)


def test_a_changed_policy_reaches_volumes_and_their_secrets(retained: World, temporary: World) -> None:
    assert changed(retained, DELETE) == KEPT
    assert changed(temporary, {}) == KEPT


def test_what_the_spec_does_not_ask_for_any_more_counts_too(temporary: World) -> None:
    temporary.archive = archive({**DELETE, "wordpress": {"enabled": False}})
    temporary.run()
    assert changed(temporary, {"wordpress": {"enabled": False}}) == KEPT


def test_a_paused_archive_writes_nothing_else(temporary: World) -> None:
    temporary.archive = archive({"lifecycle": {"paused": True}, "web": {"replicas": 3}})
    step = rest(temporary.plan())
    assert step.writes
    assert {patch["metadata"]["name"] for patch in step.owners} == KEPT
    assert not step.resources
    temporary.carry_out(step)
    assert not rest(temporary.plan()).writes


def test_owners_that_others_gave_are_none_of_its_business(retained: World) -> None:
    for key in retained.children:
        retained.change(key, owners=("another",))
    assert not changed(retained, {})
    for patch in owners(manifest(DELETE), retained.children):
        (owner,) = patch["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (UID, False), "an object has one controller, which may be another"


def test_what_is_being_deleted_is_left_alone(retained: World) -> None:
    for key in retained.children:
        retained.change(key, terminating=True)
    assert not changed(retained, DELETE)


@pytest.mark.parametrize("spec", [{}, DELETE, {"files": {"storage": None, "existingClaim": "mine"}}])
def test_whatever_has_no_owner_in_its_manifest_is_no_leftover_to_argo_cd(spec: dict[str, Any]) -> None:
    """An Application that finds objects by `app.kubernetes.io/instance` deletes what has neither."""
    found = desired(spec)
    manifests = [item.manifest for item in found.resources] + [secret.manifest for secret in found.secrets]
    unowned = {m["metadata"]["name"] for m in manifests if "ownerReferences" not in m["metadata"]}
    assert unowned == (KEPT - {"gaia-files"} if "files" in spec else KEPT)
    for metadata in (one["metadata"] for one in manifests):
        annotations, owned = metadata.get("annotations", {}), "ownerReferences" in metadata
        assert ("Prune=false" in annotations.get("argocd.argoproj.io/sync-options", "")) != owned
        assert (annotations.get("argocd.argoproj.io/compare-options") == "IgnoreExtraneous") != owned
