"""What an Archive accepts, and how it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.model.archive import Archive
from almagest_operator.model.base import amount, seconds
from almagest_operator.model.errors import InvalidSpec
from support.archives import archive, manifest


def test_shortest_spec_is_a_whole_archive() -> None:
    spec = archive().spec
    assert [(queue.name, queue.timeout) for queue in spec.queues] == [("short", "30s"), ("long", "1h")]
    assert spec.databases.data.storage == "20Gi"
    assert spec.wordpress.enabled
    assert spec.lifecycle.deletion_policy == "Retain"


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"environment": "staging"}, "spec.environment", "'dev', 'test' or 'production'"),
        ({"site": {"title": ""}}, "spec.site.title", "at least 1 character"),
        ({"site": {"title": "  "}}, "spec.site.title", "blank"),
        ({"site": {"contact": {"email": "nobody"}}}, "spec.site.contact.email", "pattern"),
        ({"queues": []}, "spec.queues", "at least 1 item"),
        ({"queues": [{"name": "Short", "timeout": "30s"}]}, "spec.queues[0].name", "pattern"),
        ({"queues": [{"name": "short", "timeout": "30 seconds"}]}, "spec.queues[0].timeout", "pattern"),
        ({"queues": [{"name": "short", "timeout": "0s"}]}, "spec.queues[0].timeout", "from 1s to 168h"),
        ({"queues": [{"name": "a", "timeout": "1s"}] * 2}, "spec.queues", "given twice: a"),
        ({"datasets": [{"table": "bright", "source": "demo:gaia"}]}, "spec.datasets[0].table", "pattern"),
        ({"datasets": [{"table": "a.b", "source": "file:/etc/passwd"}]}, "spec.datasets[0].source", "pattern"),
        ({"datasets": [{"table": "a.b", "source": "demo:gaia"}] * 2}, "spec.datasets", "given twice: a.b"),
        ({"exposure": {"type": "Ingress"}}, "spec", "needs site.hostname"),
        ({"exposure": {"nodePort": 30080}}, "spec.exposure", "nodePort needs type NodePort"),
        ({"exposure": {"type": "NodePort", "nodePort": 80}}, "spec.exposure.nodePort", "30000"),
        ({"exposure": {"tls": {"secretName": "x"}}}, "spec.exposure", "type Ingress"),
        ({"files": {"storage": "1Gi", "existingClaim": "x"}}, "spec.files", "either storage or existingClaim"),
        ({"files": {}}, "spec.files", "either storage or existingClaim"),
        ({"broker": {"storage": "ten"}}, "spec.broker.storage", "pattern"),
        ({"web": {"replicas": 0}}, "spec.web.replicas", "greater than or equal to 1"),
        ({"webb": {}}, "spec.webb", "not permitted"),
    ],
)
def test_refusal_names_field_and_reason(spec: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        archive(spec)
    assert refused.value.field == field
    assert reason in refused.value.reason


@pytest.mark.parametrize("name", ["Gaia", "1gaia", "gaia-", "a" * 31, "gaia.dev"])
def test_name_that_would_not_fit_children_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpec, match="at most 30 characters"):
        archive(name=name)


def test_several_complaints_are_counted() -> None:
    with pytest.raises(InvalidSpec, match="and 1 more"):
        archive({"environment": "staging", "site": {"title": ""}})


def test_fields_that_others_write_to_metadata_are_no_error() -> None:
    body = manifest()
    body["metadata"] |= {"managedFields": [], "selfLink": "x"}
    assert Archive.parse(body).name == "gaia"


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("1Gi", 2**30), ("500m", 0.5), ("2", 2), ("1.5Gi", 1.5 * 2**30), ("20M", 20e6), ("0.5", 0.5)],
)
def test_quantities_are_numbers(quantity: str, number: float) -> None:
    assert amount(quantity) == number


def test_bare_numbers_are_quantities() -> None:
    assert archive({"web": {"resources": {"limits": {"cpu": 2}}}}).spec.web.resources.limits.cpu == "2"


@pytest.mark.parametrize(("duration", "number"), [("30s", 30), ("1h", 3600), ("1h30m", 5400), ("90m", 5400)])
def test_durations_are_seconds(duration: str, number: int) -> None:
    assert seconds(duration) == number
