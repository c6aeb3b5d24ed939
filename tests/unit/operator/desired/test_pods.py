"""What holds for every pod and every object of an archive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from almagest_operator.desired import Desired, build
from almagest_operator.model.archive import Archive
from almagest_operator.model.base import amount
from almagest_operator.model.facts import Facts
from almagest_operator.model.resource import Stage
from support.archives import config_map, desired, one, overlay, pod_templates, release
from support.pod_security import violations

EVERYTHING: dict[str, Any] = {
    "site": {"hostname": "sky.example.org"},
    "exposure": {"type": "Ingress"},
    "web": {"replicas": 2},
    "queues": [{"name": "short", "timeout": "30s", "workers": 2}, {"name": "a" * 20, "timeout": "168h"}],
    "datasets": [{"table": f"{'s' * 63}.{'t' * 63}", "source": "demo:gaia"}],
}
LONGEST = "a" * 30


@pytest.fixture(scope="module")
def everything() -> Desired:
    return desired(EVERYTHING, name=LONGEST)


def test_every_pod_passes_the_restricted_standard(everything: Desired) -> None:
    for component, template in pod_templates(everything).items():
        assert violations(template["spec"]) == [], component


def test_every_container_is_bounded_and_cannot_write_its_image(everything: Desired) -> None:
    for component, template in pod_templates(everything).items():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, component
        for container in (*spec.get("initContainers", []), *spec["containers"]):
            assert container["securityContext"]["readOnlyRootFilesystem"], container["name"]
            assert set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}
            assert "@sha256:" in container["image"]


def test_every_server_is_probed(everything: Desired) -> None:
    for component, template in pod_templates(everything).items():
        if template["spec"]["restartPolicy"] == "Always":
            for container in template["spec"]["containers"]:
                assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys(), component


def test_every_mount_has_its_volume(everything: Desired) -> None:
    for resource in everything.resources:
        if resource.kind not in {"Deployment", "StatefulSet", "Job"}:
            continue
        spec = resource.manifest["spec"]["template"]["spec"]
        templates = resource.manifest["spec"].get("volumeClaimTemplates", [])
        volumes = [volume["name"] for volume in spec["volumes"]] + [claim["metadata"]["name"] for claim in templates]
        assert len(volumes) == len(set(volumes))
        mounts = {
            mount["name"]
            for container in (*spec.get("initContainers", []), *spec["containers"])
            for mount in container["volumeMounts"]
        }
        assert mounts == set(volumes), resource.name


def test_every_pod_finds_its_account_configuration_and_claims(everything: Desired) -> None:
    names = {(resource.kind, resource.name) for resource in everything.resources}
    secrets = {secret.name: set(secret.keys) for secret in everything.secrets}
    for template in pod_templates(everything).values():
        spec = template["spec"]
        assert ("ServiceAccount", spec["serviceAccountName"]) in names
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in names
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
            for source in volume.get("projected", {}).get("sources", []):
                assert {item["key"] for item in source["secret"]["items"]} <= secrets[source["secret"]["name"]]


def test_every_generated_key_has_a_reader(everything: Desired) -> None:
    read = {
        (source["secret"]["name"], item["key"])
        for template in pod_templates(everything).values()
        for volume in template["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
        for item in source["secret"]["items"]
    }
    assert read == {(secret.name, key) for secret in everything.secrets for key in secret.keys}


def test_every_name_and_label_fits(everything: Desired) -> None:
    for resource in everything.resources:
        assert len(resource.name) <= 63, resource.key
        assert resource.kind != "StatefulSet" or len(resource.name) <= 52, "the label controller-revision-hash"
        for value in resource.manifest["metadata"]["labels"].values():
            assert len(value) <= 63
            assert value.strip("-._") == value


def test_objects_are_there_once(everything: Desired) -> None:
    keys = [resource.key for resource in everything.resources]
    assert len(keys) == len(set(keys))


def test_stages_are_in_order(everything: Desired) -> None:
    stages = [resource.stage for resource in everything.resources]
    assert stages == sorted(stages)
    assert {*stages} == {*Stage} - {Stage.SECRETS, Stage.SMOKE}


def test_no_value_of_a_secret_is_rendered() -> None:
    fingerprint = "5ec2e75ec2"
    facts = Facts(secrets={"gaia-cache": {"password": fingerprint}})
    text = json.dumps([resource.manifest for resource in desired({}, facts).resources])
    assert fingerprint not in text
    assert "data" not in {key for secret in desired().secrets for key in secret.manifest}


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_every_object_goes_with_its_archive_but_volumes_and_the_secrets_that_open_them(policy: str) -> None:
    found = desired({"lifecycle": {"deletionPolicy": policy}})
    for resource in found.resources:
        owned = "ownerReferences" in resource.manifest["metadata"]
        assert owned == (resource.kind != "PersistentVolumeClaim"), resource.key
    kept = {"gaia-appdb", "gaia-datadb", "gaia-mariadb", "gaia-wordpress"}
    assert {s.name for s in found.secrets if "ownerReferences" not in s.manifest["metadata"]} == kept


def test_file_that_was_never_applied_renders_without_owners() -> None:
    (manifest,) = (document for document in overlay("gaia", "dev") if document["kind"] == "Archive")
    found = build(Archive.parse(manifest), release(), Facts())
    assert not any("ownerReferences" in resource.manifest["metadata"] for resource in found.resources)


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_volume_never_goes_with_its_server(policy: str) -> None:
    found = desired({"lifecycle": {"deletionPolicy": policy}})
    server = one(found, "StatefulSet", "gaia-datadb")
    assert server["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_single_pods_have_no_disruption_budget() -> None:
    budgets = [r.name for r in desired({"web": {"replicas": 2}}).resources if r.kind == "PodDisruptionBudget"]
    assert budgets == ["gaia-web"]


def test_dev_archive_fits_on_two_cores_beside_the_cluster() -> None:
    """Requests of everything that runs at once, Jobs among it, and what sizes.py promises of its memory."""
    (manifest,) = (document for document in overlay("gaia", "dev") if document["kind"] == "Archive")
    templates = pod_templates(build(Archive.parse(manifest), release(), Facts()))
    requests = [container["resources"]["requests"] for t in templates.values() for container in t["spec"]["containers"]]
    assert sum(amount(request["cpu"]) for request in requests) < 1.0
    assert sum(amount(request["memory"]) for request in requests) < 4 * 2**30


@pytest.mark.parametrize("part", ["web", "datadb"])
def test_sizes_of_the_spec_lie_over_the_environment(part: str) -> None:
    wanted = {"resources": {"requests": {"memory": "8Gi"}, "limits": {"cpu": "3"}}}
    spec = {"web": wanted} if part == "web" else {"databases": {"data": wanted}}
    resources = pod_templates(desired(spec))[part]["spec"]["containers"][0]["resources"]
    assert resources["requests"]["memory"] == "8Gi"
    assert resources["limits"] == {"cpu": "3", "memory": "8Gi"}, "a limit is never below its request"


def test_worker_may_finish_its_query_before_it_goes() -> None:
    spec = {"environment": "production", "queues": [{"name": "long", "timeout": "1h"}]}
    assert pod_templates(desired(spec))["worker-long"]["spec"]["terminationGracePeriodSeconds"] > 3600


def test_broker_waits_longer_for_an_acknowledgement_than_the_slowest_query_takes() -> None:
    found = desired({"queues": [{"name": "long", "timeout": "24h"}]})
    text = config_map(found, "broker")["data"]["rabbitmq.conf"]
    settings = dict(line.split(" = ") for line in text.splitlines())
    assert int(settings["consumer_timeout"]) > 24 * 3600 * 1000
