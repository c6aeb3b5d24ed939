"""What a change of spec, release or cluster makes different, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from almagest_operator.desired import build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from support.archives import archive, desired, jobs, one, pod_templates, release

GAIA = {"table": "gaiadr3.bright", "source": "demo:gaia"}


def restarted(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Components whose pods differ."""
    return {component for component in before if before[component] != after.get(component)}


def test_new_title_restarts_its_readers_and_migrates_nothing() -> None:
    before, after = desired(), desired({"site": {"title": "Another title"}})
    names = {"web", "worker-short", "worker-long", "scheduler", "wordpress"}
    changed = restarted(pod_templates(before), pod_templates(after))
    assert changed - {"migrate"} == names, "a Job that is done is not made again for its pod's sake"
    assert jobs(before, "migrate")[0].name == jobs(after, "migrate")[0].name


def test_new_release_migrates_and_loads_nothing_again() -> None:
    found = archive({"datasets": [GAIA]})
    before, after = (build(found, release(digit=digit), Facts()) for digit in "01")
    assert jobs(before, "migrate")[0].name != jobs(after, "migrate")[0].name
    assert jobs(before, "ingest")[0].name == jobs(after, "ingest")[0].name


def test_release_of_the_same_images_under_another_name_migrates() -> None:
    found = archive()
    before, after = (build(found, release(name), Facts()) for name in ("0.1.0", "0.2.0"))
    assert jobs(before, "migrate")[0].name != jobs(after, "migrate")[0].name


def test_data_set_is_loaded_again_when_its_source_changes() -> None:
    before = desired({"datasets": [GAIA]})
    after = desired({"datasets": [{**GAIA, "source": "file:bright.parquet"}]})
    assert jobs(before, "ingest")[0].name != jobs(after, "ingest")[0].name


def test_tables_whose_names_look_alike_get_jobs_of_their_own() -> None:
    tables = ["a.b_c", "a_b.c", f"a.{'x' * 60}", f"a.{'x' * 61}"]
    found = desired({"datasets": [{"table": table, "source": "demo:gaia"} for table in tables]}, name="a" * 30)
    assert len({job.name for job in jobs(found, "ingest")}) == len(tables)


def test_rotated_secret_restarts_its_readers_only() -> None:
    before = desired({}, Facts(secrets={"gaia-datadb": {"query-password": "aaaaaaaaaa", "job-password": "cccccccccc"}}))
    after = desired({}, Facts(secrets={"gaia-datadb": {"query-password": "bbbbbbbbbb", "job-password": "cccccccccc"}}))
    changed = restarted(pod_templates(before), pod_templates(after))
    assert changed == {"web", "worker-short", "worker-long", "migrate"}
    assert jobs(before, "migrate")[0].name != jobs(after, "migrate")[0].name, "the role gets its new password"


def test_server_configuration_restarts_that_server_only() -> None:
    after = desired({"databases": {"data": {"resources": {"limits": {"memory": "3Gi"}}}}})
    assert restarted(pod_templates(desired()), pod_templates(after)) == {"datadb"}


def test_grown_volume_changes_the_claim_and_not_the_template() -> None:
    spec = {"databases": {"data": {"storage": "40Gi"}}}
    found = desired(spec, Facts(claim_templates={"gaia-datadb": "20Gi"}))
    claim = one(found, "PersistentVolumeClaim", "data-gaia-datadb-0")
    template = one(found, "StatefulSet", "gaia-datadb")["spec"]["volumeClaimTemplates"][0]
    assert claim["spec"]["resources"]["requests"]["storage"] == "40Gi"
    assert template["spec"]["resources"]["requests"]["storage"] == "20Gi"


names = st.from_regex(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?", fullmatch=True)
tables = st.from_regex(r"(sky|gaiadr3|x)\.[a-z][a-z0-9_]{0,62}", fullmatch=True)
specs = st.fixed_dictionaries(
    {
        "environment": st.sampled_from(["dev", "test", "production"]),
        "queues": st.lists(
            st.fixed_dictionaries(
                {"name": names, "timeout": st.sampled_from(["30s", "1h", "168h"]), "workers": st.integers(1, 3)}
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda queue: queue["name"],
        ),
        "datasets": st.lists(
            st.fixed_dictionaries({"table": tables, "source": st.just("demo:gaia")}),
            max_size=4,
            unique_by=lambda dataset: dataset["table"],
        ),
        "wordpress": st.fixed_dictionaries({"enabled": st.booleans()}),
        "exposure": st.sampled_from([{}, {"type": "NodePort"}, {"type": "NodePort", "nodePort": 30080}]),
    }
)


@settings(max_examples=20, deadline=None)
@given(spec=specs, seed=st.randoms(use_true_random=False))
def test_same_input_in_any_order_gives_the_same_bytes(spec: dict[str, Any], seed: Any) -> None:
    def shuffled(value: Any) -> Any:
        """The same mapping with its keys in another order; lists mean their order."""
        if not isinstance(value, dict):
            return value
        keys = list(value)
        seed.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    first = desired(spec)
    body = archive(spec).model_dump(mode="json", by_alias=True, exclude_none=True)
    again = build(Archive.parse(shuffled(body)), release(), Facts())
    assert [resource.manifest for resource in again.resources] == [resource.manifest for resource in first.resources]


@settings(max_examples=20, deadline=None)
@given(spec=specs, name=st.from_regex(r"[a-z]([-a-z0-9]{0,28}[a-z0-9])?", fullmatch=True))
def test_every_name_is_a_dns_name_and_unique(spec: dict[str, Any], name: str) -> None:
    found = [resource.key for resource in desired(spec, name=name).resources]
    assert len(set(found)) == len(found)
    for key in found:
        assert len(key.name) <= 63
        assert key.name.replace("-", "").isalnum(), key.name
        assert key.name == key.name.lower().strip("-"), key.name
