"""What only the operator can judge, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.desired import build
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ArchiveRelease
from support.archives import archive, release

KNOWN = Facts(storage_classes=frozenset({"slow"}), default_storage_class="slow")


def table(name: str, source: str = "demo:gaia") -> dict[str, Any]:
    return {"datasets": [{"table": name, "source": source}]}


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        (table("tap_schema.mine"), "spec.datasets[0].table", "'tap_schema' is reserved"),
        (table("pg_mine.stars"), "spec.datasets[0].table", "'pg_mine' is reserved"),
        (table("results.stars"), "spec.datasets[0].table", "'results' is reserved"),
        (table("sky.stars", "file:a/../../etc/passwd"), "spec.datasets[0].source", "leads out"),
        (
            {"databases": {"data": {"storageClassName": "fast"}}},
            "spec.databases.data.storageClassName",
            "no StorageClass",
        ),
        (
            {"cache": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}},
            "spec.cache.resources.requests.memory",
            "more than the limit",
        ),
    ],
)
def test_refusal_names_field_and_reason(spec: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        build(archive(spec), release(), KNOWN)
    assert refused.value.field == field
    assert reason in refused.value.reason
    assert refused.value.hint


def test_unknown_release_says_where_the_known_ones_are() -> None:
    with pytest.raises(InvalidSpec, match=r"spec.release: there is no ArchiveRelease '0.1.0' \(`kubectl get"):
        build(archive(), None, KNOWN)


def test_release_without_an_image_is_named() -> None:
    whole = release()
    images = {name: image for name, image in whole.spec.images.items() if name != "proxy"}
    partial = ArchiveRelease.parse({"metadata": {"name": "0.1.0"}, "spec": {"images": images}})
    with pytest.raises(InvalidSpec, match="no image for proxy"):
        build(archive(), partial, KNOWN)


def test_cluster_without_default_storage_class_needs_a_name() -> None:
    named = archive({"databases": {"app": {"storageClassName": "slow"}, "data": {"storageClassName": "slow"}}})
    with pytest.raises(InvalidSpec, match=r"spec.broker.storageClassName: none is given"):
        build(named, release(), Facts(storage_classes=frozenset({"slow"})))


@pytest.mark.parametrize("spec", [{}, {"broker": {"storageClassName": "fast"}}, {"wordpress": {"enabled": False}}])
def test_a_class_that_went_is_missed_only_by_volumes_that_are_still_to_be_made(spec: dict[str, Any]) -> None:
    wanted = build(archive(spec), release(), Facts()).resources
    claims = frozenset(resource.name for resource in wanted if resource.kind == "PersistentVolumeClaim")
    assert len(claims) == (4 if "wordpress" in spec else 6)
    assert build(archive(spec), release(), Facts(storage_classes=frozenset(), claims=claims)).resources
    for claim in claims:
        with pytest.raises(InvalidSpec, match="StorageClass"):
            build(archive(spec), release(), Facts(storage_classes=frozenset(), claims=claims - {claim}))


def test_without_a_look_at_the_cluster_its_classes_are_not_judged() -> None:
    assert build(archive({"broker": {"storageClassName": "fast"}}), release(), Facts()).resources
