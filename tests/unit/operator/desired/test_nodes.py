"""An archive on several nodes: what is there more than once, and what has to be on one node with others."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.model.resource import Manifest
from support.archives import desired, one, pod_templates

DATASETS = {"datasets": [{"table": "gaiadr3.bright", "source": "demo:gaia"}]}
ONE_NODE = "ReadWriteOnce"


def mounts(template: Manifest) -> set[str]:
    """The claims of a pod."""
    volumes = template["spec"]["volumes"]
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}


@pytest.mark.parametrize("part", ["proxy", "web"])
def test_in_production_no_single_pod_is_in_everybodys_way(part: str) -> None:
    found = desired({"environment": "production"})
    deployment = one(found, "Deployment", f"gaia-{part}")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    spread = {one["topologyKey"] for one in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert one(found, "PodDisruptionBudget", f"gaia-{part}")["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("spec", [{}, {"files": {"storage": "1Gi", "accessMode": ONE_NODE}}])
def test_a_claim_that_one_node_holds_is_shared_only_by_pods_that_are_bound_to_one_node(spec: dict[str, Any]) -> None:
    """Every claim: it has one pod at most, or pods that require one another's node."""
    found = desired({**DATASETS, **spec, "environment": "production"})
    templates = pod_templates(found)
    claims = [r for r in found.resources if r.kind == "PersistentVolumeClaim"]
    for claim in claims:
        assert claim.manifest["spec"]["accessModes"] == [ONE_NODE]
        users = {component: template for component, template in templates.items() if claim.name in mounts(template)}
        if len(users) > 1:
            assert {binding(template) for template in users.values()} == {("required", "ingest", "scheduler")}
    for component in ("web", "proxy", "worker-short", "worker-long"):
        assert mounts(templates[component]) == set(), "there may be several of it, on any node"


def binding(template: Manifest) -> tuple[str, ...]:
    """How strictly, and to which parts, a pod is bound to one node with others."""
    affinity = template["spec"].get("affinity", {}).get("podAffinity", {})
    for strictness, terms in affinity.items():
        (term,) = terms
        term = term.get("podAffinityTerm", term)
        (names,) = term["labelSelector"]["matchExpressions"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        own = template["metadata"]["labels"]
        assert own["app.kubernetes.io/name"] in names["values"], "or the first of them could be nowhere"
        assert term["labelSelector"]["matchLabels"].items() <= own.items()
        return strictness.partition("During")[0], *names["values"]
    return ()


@pytest.mark.parametrize(
    ("files", "bound"),
    [
        ({"storage": "1Gi", "accessMode": "ReadWriteMany"}, ()),
        ({"storage": None, "existingClaim": "survey"}, ("preferred", "ingest", "scheduler")),
    ],
)
def test_files_that_many_nodes_may_mount_bind_nobody(files: dict[str, Any], bound: tuple[str, ...]) -> None:
    templates = pod_templates(desired({**DATASETS, "files": files}))
    for component in ("scheduler", "ingest-gaiadr3-bright"):
        assert mounts(templates[component])
        assert binding(templates[component]) == bound
