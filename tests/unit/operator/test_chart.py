"""The Helm chart: what it installs, what it refuses, and that its rights are those that the code uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from almagest_operator.model.crd import CHART, crds
from almagest_operator.model.dns import DNS
from almagest_operator.observe.kinds import CHILDREN, NODE, POD, RELEASE, STORAGE_CLASS, Kind
from almagest_operator.settings import from_environment
from support.pod_security import violations

HELM = str(Path(sys.executable).with_name("helm"))
IMAGE = f"registry.example.org/almagest/operator@sha256:{'0' * 64}"
WATCHING = {"list", "watch"}


def helm(*arguments: str, **values: Any) -> subprocess.CompletedProcess[str]:
    command = [HELM, *arguments, "--namespace", "almagest-system", "--values", "-"]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)


def rendered(**values: Any) -> list[dict[str, Any]]:
    done = helm("template", "almagest-operator", str(CHART), image=IMAGE, **values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def the(kind: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (document for document in documents if document["kind"] == kind)
    return found


def rights(rules: list[dict[str, Any]], kind: Kind, subresource: str = "") -> set[str]:
    """The verbs that the rules allow on a kind."""
    name = f"{kind.plural}/{subresource}" if subresource else kind.plural
    found = [rule for rule in rules if kind.group in rule["apiGroups"] and name in rule["resources"]]
    return {verb for rule in found for verb in rule["verbs"]}


def test_lint() -> None:
    done = helm("lint", str(CHART), image=IMAGE)
    assert done.returncode == 0, done.stdout


def test_definitions_are_those_of_the_models() -> None:
    installed = {d["metadata"]["name"]: d for d in rendered() if d["kind"] == "CustomResourceDefinition"}
    assert installed == {manifest["metadata"]["name"]: manifest for manifest in crds().values()}


def test_definitions_may_be_somebody_elses() -> None:
    kinds = {document["kind"] for document in rendered(crds={"install": False})}
    assert "CustomResourceDefinition" not in kinds
    assert "Deployment" in kinds


def test_rights_are_what_the_code_uses_and_no_more() -> None:
    rules = the("ClusterRole", rendered())["rules"]
    for kind in CHILDREN:
        deletes = {"delete"} if kind.prunable or kind.replaceable else set()
        assert rights(rules, kind) == WATCHING | {"create", "patch"} | deletes, kind.plural
    for kind in (NODE, POD, RELEASE, STORAGE_CLASS):
        assert rights(rules, kind) == WATCHING, kind.plural
    archives = Kind("almagest.science/v1alpha1", "Archive", "archives")
    assert rights(rules, archives) == WATCHING, "the operator never writes a spec"
    assert rights(rules, archives, "status") == {"patch"}
    assert not any("*" in values for rule in rules for values in rule.values())


def test_watching_some_namespaces_takes_no_rights_in_others() -> None:
    documents = rendered(watchNamespaces=["gaia-dev", "gaia-test"])
    cluster = the("ClusterRole", documents)["rules"]
    assert {resource for rule in cluster for resource in rule["resources"]} == {
        "archivereleases",
        "nodes",
        "storageclasses",
    }
    roles = [document for document in documents if document["kind"] == "Role"]
    assert {role["metadata"]["namespace"] for role in roles} == {"gaia-dev", "gaia-test"}
    (env,) = (v for v in container(documents)["env"] if v["name"] == "WATCH_NAMESPACE")
    assert env["value"] == "gaia-dev,gaia-test"


def test_name_servers_reach_the_operator_as_the_values_say() -> None:
    peers = [{"ipBlock": {"cidr": "10.96.0.10/32"}}]
    for values, dns in (({}, DNS()), ({"dns": {"peers": peers, "ports": [53, 1053]}}, DNS(tuple(peers), (53, 1053)))):
        env = {v["name"]: v["value"] for v in container(rendered(**values))["env"] if "value" in v}
        assert from_environment(env).dns == dns


def container(documents: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = the("Deployment", documents)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_operator_passes_the_restricted_standard() -> None:
    documents = rendered()
    assert violations(the("Deployment", documents)["spec"]["template"]["spec"]) == []
    assert container(documents)["securityContext"]["readOnlyRootFilesystem"]
    assert container(documents)["image"] == IMAGE


def test_one_operator_never_overlaps_itself_and_several_elect_a_leader() -> None:
    single, several = rendered(), rendered(replicas=2)
    assert the("Deployment", single)["spec"]["strategy"] == {"type": "Recreate"}
    assert not any(document["kind"] in {"Role", "PodDisruptionBudget"} for document in single)
    assert "strategy" not in the("Deployment", several)["spec"]
    (lease,) = the("Role", several)["rules"]
    assert (lease["resources"], lease["verbs"]) == (["leases"], ["get", "create", "update"])
    assert the("PodDisruptionBudget", several)["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"image": ""}, "give the operator's image by digest"),
        ({"image": IMAGE, "replica": 2}, "replica"),
        ({"image": IMAGE, "replicas": 0}, "replicas"),
        ({"image": IMAGE, "log": {"level": "verbose"}}, "level"),
        ({"image": IMAGE, "watchNamespaces": ["Gaia"]}, "watchNamespaces"),
        ({"image": "a b"}, "image"),
        ({"image": IMAGE, "dns": {"peers": [{"selector": {}}]}}, "selector"),
        ({"image": IMAGE, "dns": {"ports": ["dns"]}}, "ports"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any], reason: str) -> None:
    done = helm("template", "almagest-operator", str(CHART), **values)
    assert done.returncode != 0
    assert reason in done.stderr


def test_every_value_is_described_by_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(yaml.safe_load((CHART / "values.yaml").read_text())) | {"global"} == set(schema["properties"])
