"""Whether an apply would change anything, told from managed fields as a real API server writes them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from almagest_operator.observe.ownership import covers, owned_fields

MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "x",
        "labels": {"a": "b"},
        "annotations": {"almagest.science/render-hash": "1"},
    },
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "i@sha256:1",
                        "args": ["serve"],
                        "ports": [{"containerPort": 8000, "name": "http"}],
                        "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
                        "env": [],
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        },
    },
}

FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:a": {}}, "f:annotations": {"f:almagest.science/render-hash": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": {
                            'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:name": {}}
                        },
                        "f:resources": {"f:limits": {"f:cpu": {}, "f:memory": {}}},
                    }
                },
                "f:volumes": {'k:{"name":"tmp"}': {".": {}, "f:name": {}, "f:emptyDir": {}}},
            },
        },
    },
}

CONTAINER = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"web"}')


def without(*path: str) -> dict[str, Any]:
    """FIELDS after another manager has taken the field at `path`: the server keeps no node that has become empty."""
    fields = deepcopy(FIELDS)
    nodes = [fields]
    for part in path[:-1]:
        nodes.append(nodes[-1][part])
    for node, part in zip(reversed(nodes), reversed(path), strict=True):
        del node[part]
        if node:
            break
    return fields


def test_all_owned_is_covered() -> None:
    assert covers(FIELDS, MANIFEST)


@pytest.mark.parametrize(
    "path",
    [
        ("f:spec", "f:replicas"),
        ("f:spec", "f:selector"),
        ("f:metadata", "f:labels", "f:a"),
        ("f:metadata", "f:annotations", "f:almagest.science/render-hash"),
        (*CONTAINER, "f:image"),
        (*CONTAINER, "f:args"),
        (*CONTAINER, "f:resources", "f:limits", "f:cpu"),
        (*CONTAINER, "f:ports", 'k:{"containerPort":8000,"protocol":"TCP"}'),
        CONTAINER,
        ("f:spec", "f:template", "f:spec", "f:volumes", 'k:{"name":"tmp"}'),
    ],
)
def test_a_field_taken_by_another_hand_is_noticed(path: tuple[str, ...]) -> None:
    assert not covers(without(*path), MANIFEST)


def test_an_object_of_which_only_the_existence_is_owned_is_not_covered() -> None:
    fields = deepcopy(FIELDS)
    fields["f:spec"]["f:template"]["f:metadata"]["f:labels"] = {".": {}}
    assert not covers(fields, MANIFEST)


def test_a_field_that_another_hand_added_is_none_of_ours() -> None:
    """A server-side apply of ours would leave it alone, so there is nothing to apply."""
    fields = deepcopy(FIELDS)
    fields["f:spec"]["f:minReadySeconds"] = {}
    assert covers(fields, MANIFEST)


def test_an_item_of_a_list_may_be_owned_as_a_whole() -> None:
    """Owner references are such: a map by uid, each of them atomic."""
    owner = {"uid": "u", "kind": "Archive", "name": "gaia", "controller": True}
    manifest = {"metadata": {"ownerReferences": [owner]}}
    assert covers({"f:metadata": {"f:ownerReferences": {'k:{"uid":"u"}': {}}}}, manifest)
    assert not covers({"f:metadata": {"f:ownerReferences": {'k:{"uid":"v"}': {}}}}, manifest)


def test_a_set_is_covered_value_by_value() -> None:
    manifest = {"metadata": {"finalizers": ["a", "b"]}}
    assert covers({"f:metadata": {"f:finalizers": {'v:"a"': {}, 'v:"b"': {}}}}, manifest)
    assert not covers({"f:metadata": {"f:finalizers": {'v:"a"': {}}}}, manifest)


def test_only_the_entry_of_the_apply_on_the_main_resource_counts() -> None:
    live = {
        "metadata": {
            "managedFields": [
                {"manager": "almagest-operator", "operation": "Update", "fieldsV1": {"f:a": {}}},
                {
                    "manager": "almagest-operator",
                    "operation": "Apply",
                    "subresource": "status",
                    "fieldsV1": {"f:b": {}},
                },
                {"manager": "almagest-operator", "operation": "Apply", "fieldsV1": {"f:c": {}}},
                {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:d": {}}},
            ]
        }
    }
    assert owned_fields(live, "almagest-operator") == {"f:c": {}}
    assert owned_fields({"metadata": {}}, "almagest-operator") == {}
