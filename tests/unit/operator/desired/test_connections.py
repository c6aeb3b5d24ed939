"""The budget of connections over all specs: what pods may open, roles may have, servers admit, memory holds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest_operator.desired import Desired, connections
from almagest_operator.model.errors import InvalidSpec
from support.archives import archive, config_map, desired, merge, one, pod_templates

SUPERUSERS = 3
"""PostgreSQL's superuser_reserved_connections."""

specs = st.builds(
    lambda environment, replicas, workers, datasets, app, data: {
        "environment": environment,
        "web": {"replicas": replicas} if replicas else {},
        "queues": [{"name": f"q{n}", "timeout": "1h", "workers": count} for n, count in enumerate(workers)],
        "datasets": [{"table": f"a.t{n}", "source": "demo:gaia"} for n in range(datasets)],
        "databases": {
            "app": {"resources": {"limits": {"memory": f"{app}Mi"}}} if app else {},
            "data": {"resources": {"limits": {"memory": f"{data}Mi"}}} if data else {},
        },
    },
    st.sampled_from(["dev", "test", "production"]),
    st.sampled_from([None, 1, 2, 3, 7, 50]),
    st.lists(st.integers(1, 50), min_size=1, max_size=4),
    st.integers(0, 12),
    st.sampled_from([None, 256, 512, 4096, 65536]),
    st.sampled_from([None, 256, 2048, 65536]),
)


def opened(found: Desired, times: int) -> connections.Use:
    """What all pods may open, counted on the manifests. times: 2 in the middle of a roll-out."""
    total, ingests = connections.Use(0), 0
    for component, template in pod_templates(found).items():
        part = template["metadata"]["labels"]["app.kubernetes.io/name"]
        if part in {"web", "worker", "scheduler"}:
            replicas = one(found, "Deployment", f"gaia-{component}")["spec"]["replicas"]
            (container,) = template["spec"]["containers"]
            total += _use(part, container) * (times * replicas)
        elif part == "migrate":
            total += connections.MIGRATE
        elif part == "ingest":
            ingests += 1
    return total + connections.INGEST * min(ingests, connections.INGESTS_AT_ONCE)


def _use(part: str, container: dict[str, Any]) -> connections.Use:
    if part != "web":
        return connections.WORKER if part == "worker" else connections.SCHEDULER
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    processes, threads = (int(variables[f"ALMAGEST_WEB_{name}"]) for name in ("PROCESSES", "THREADS"))
    return connections.Use(appdb=threads + 1, query=threads) * processes


def admitted(found: Desired, part: str) -> int:
    text = config_map(found, part)["data"]["postgresql.conf"]
    (number,) = re.findall(r"^max_connections = (\d+)$", text, re.MULTILINE)
    return int(number)


def limits(found: Desired) -> dict[str, int]:
    """What the migration is told to allow the roles."""
    (template,) = (t for component, t in pod_templates(found).items() if component == "migrate")
    variables = {v["name"]: v.get("value", "") for v in template["spec"]["containers"][0]["env"]}
    return {role: int(variables[f"ALMAGEST_CONNECTIONS_{role.upper()}"]) for role in ("query", "job")}


@given(spec=specs)
@settings(max_examples=60, deadline=None)
def test_what_pods_may_open_the_roles_may_have_and_the_servers_admit_or_the_spec_is_refused(
    spec: dict[str, Any],
) -> None:
    try:
        found = desired(spec)
    except InvalidSpec as refused:
        _remedy_helps(spec, refused)
        return
    use, settled, allowed = opened(found, 2), opened(found, 1), limits(found)
    assert use.query <= allowed["query"]
    assert use.job <= allowed["job"]
    assert use.appdb <= admitted(found, "appdb") - SUPERUSERS
    assert allowed["query"] + allowed["job"] + use.owner <= admitted(found, "datadb") - SUPERUSERS
    for part, needed in (("appdb", settled.appdb), ("datadb", settled.query + settled.job + settled.owner)):
        assert needed <= connections.room(archive(spec).spec, part), "memory"


def _remedy_helps(spec: dict[str, Any], refused: InvalidSpec) -> None:
    """The refusal names a field and the least amount with which that server is not refused any more."""
    match = re.fullmatch(r"spec\.databases\.(app|data)\.resources\.limits\.memory", refused.field)
    assert match, refused
    amounts = re.findall(r"at least (\d+)Mi", refused.hint)
    assert amounts, refused
    for amount, helps in ((int(amounts[0]), True), (int(amounts[0]) - 16, False)):
        given = merge(spec, {"databases": {match[1]: {"resources": {"limits": {"memory": f"{amount}Mi"}}}}})
        try:
            connections.validate(archive(given).spec)
            fields = ""
        except InvalidSpec as again:
            fields = again.field
        assert (fields != refused.field) is helps


def test_fifty_web_pods_in_a_small_archive_are_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidSpec) as refused:
        desired({"web": {"replicas": 50}})
    assert str(refused.value) == (
        "spec.databases.app.resources.limits.memory: 50 web pods and 2 workers hold up to 1273 connections to appdb, "
        "whose memory has room for 128 (at least 5092Mi, or fewer pods)"
    )


def test_one_more_web_pod_restarts_no_server_as_long_as_it_has_room() -> None:
    two, three = (desired({"environment": "production", "web": {"replicas": count}}) for count in (2, 3))
    for part in ("appdb", "datadb"):
        assert admitted(two, part) == admitted(three, part)
    assert limits(two)["query"] < limits(three)["query"]
