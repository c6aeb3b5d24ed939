"""What the chart lets the operator do is what it does: its rights against the API server's audit log."""

from __future__ import annotations

import json
from datetime import datetime

import yaml

from integration.operator.conftest import Bench, now, rights
from support.apiserver import OPERATOR
from support.waiting import eventually

Right = tuple[str, str, str]
"""API group, resource (with its subresource), verb."""

ASKED_BY_ADMISSION = {("almagest.science", "archives/finalizers", "update")}
"""The plug-in OwnerReferencesPermissionEnforcement, which not every API server has, asks for it without a request."""


def granted() -> set[Right]:
    rules = [rule for document in yaml.safe_load_all(rights()) for rule in (document or {}).get("rules", [])]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(bench: Bench, since: datetime) -> set[Right]:
    """What the operator was allowed since then. An apply that makes its object takes the right to create it, too."""
    found: set[Right] = set()
    for line in bench.server.audit.read_text().splitlines():
        event = json.loads(line)
        at = datetime.fromisoformat(event["requestReceivedTimestamp"])
        code = event.get("responseStatus", {}).get("code", 0)
        if event["user"]["username"] != OPERATOR or "objectRef" not in event or at < since or code >= 400:
            continue
        of = event["objectRef"]
        resource = "/".join(filter(None, (of["resource"], of.get("subresource"))))
        found.add((of.get("apiGroup", ""), resource, event["verb"]))
        if event["verb"] == "patch" and code == 201:
            found.add((of.get("apiGroup", ""), resource, "create"))
    return found


def test_every_right_is_used_by_the_life_of_an_archive(bench: Bench) -> None:
    """Made with all kinds of objects, handed its volumes, stripped of most objects, and left by its leader."""
    since = now()
    bench.start(OPERATOR_REPLICAS="2", POD_NAMESPACE="almagest-system")
    site = {"hostname": "gaia.example.org"}
    bench.apply(site=site, exposure={"type": "Ingress"}, web={"replicas": 2})
    bench.await_ready(within=60)
    bench.apply(
        exposure={"type": "ClusterIP"},
        datasets=[],
        wordpress={"enabled": False},
        lifecycle={"deletionPolicy": "Delete"},
    )
    eventually("WordPress to be gone", lambda: "gaia-wordpress" not in bench.names("deployments"), within=30)
    bench.await_ready(within=60)
    assert bench.stop() == 0
    bench.server.request("DELETE", "/apis/coordination.k8s.io/v1/namespaces/almagest-system/leases/almagest-operator")
    assert used(bench, since) == granted() - ASKED_BY_ADMISSION
