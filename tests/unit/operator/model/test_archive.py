"""What an Archive accepts, and how it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.model.archive import Archive
from almagest_operator.model.base import amount, seconds
from almagest_operator.model.errors import InvalidSpec
from support.archives import REFUSED, archive, manifest


def test_shortest_spec_is_a_whole_archive() -> None:
    spec = archive().spec
    assert [(queue.name, queue.timeout) for queue in spec.queues] == [("short", "30s"), ("long", "1h")]
    assert spec.databases.data.storage == "20Gi"
    assert spec.wordpress.enabled
    assert spec.lifecycle.deletion_policy == "Retain"


@pytest.mark.parametrize(("spec", "field", "reason"), [*REFUSED, ({"webb": {}}, "spec.webb", "not permitted")])
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
