"""What the real API server says to our definitions, to archives and to everything that is rendered from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from almagest_operator.desired import build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.resource import Manifest
from almagest_operator.model.text import as_yaml
from almagest_operator.observe.kinds import kind_of
from support.apiserver import ApiServer, Refused
from support.archives import ENVIRONMENTS, REFUSED, ROOT, archive, manifest, merge, overlay, release

NAMESPACE = "gaia-dev"
ARCHIVES = f"/apis/almagest.science/v1alpha1/namespaces/{NAMESPACE}/archives"
CASES = sorted((ROOT / "tests/data/render").glob("*/archive.yaml"))


@pytest.fixture(scope="module", autouse=True)
def namespaces(server: ApiServer) -> None:
    """The namespaces of the rendered cases, which enforce the restricted standard."""
    for name in (NAMESPACE, "gaia-test", "sky-production"):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        server.request("POST", "/api/v1/namespaces", body)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        server.request("POST", f"/api/v1/namespaces/{name}/serviceaccounts", account)


def create(server: ApiServer, spec: Manifest, *, dry: bool = True) -> Manifest:
    body = manifest(spec)
    del body["metadata"]["uid"]
    return server.request("POST", ARCHIVES + ("?dryRun=All" if dry else ""), body)


@pytest.mark.parametrize(("spec", "field"), [case[:2] for case in REFUSED])
def test_invalid_archive_is_refused_with_field_and_reason(server: ApiServer, spec: Manifest, field: str) -> None:
    with pytest.raises(Refused) as refused:
        create(server, spec)
    assert refused.value.status == 422
    causes = refused.value.body["details"]["causes"]
    assert any(cause["field"].startswith(field) for cause in causes), causes
    assert all(cause["message"] for cause in causes)


def test_name_that_would_not_fit_children_is_refused(server: ApiServer) -> None:
    body = manifest(name="a" * 31)
    with pytest.raises(Refused, match="at most 30 characters"):
        server.request("POST", f"{ARCHIVES}?dryRun=All", body)


def test_defaults_of_server_and_model_are_the_same(server: ApiServer) -> None:
    stored = Archive.parse(create(server, {}))
    assert stored.spec == archive().spec


@pytest.fixture
def existing(server: ApiServer) -> Iterator[str]:
    """The path of an archive that was created with all storage and classes named."""
    named = {"storage": "5Gi", "storageClassName": "slow"}
    databases = {"app": named, "data": named}
    create(server, {"databases": databases, "files": {"storage": "1.5Gi"}}, dry=False)
    yield f"{ARCHIVES}/gaia"
    server.request("DELETE", f"{ARCHIVES}/gaia")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"databases": {"data": {"storageClassName": "fast"}}}, "cannot change its class"),
        ({"databases": {"data": {"storageClassName": None}}}, "cannot change its class"),
        ({"wordpress": {"mariadb": {"storageClassName": "fast"}}}, "cannot change its class"),
        ({"files": {"storageClassName": "fast"}}, "cannot change its class"),
        ({"files": {"accessMode": "ReadWriteMany"}}, "cannot change its access mode"),
    ],
)
def test_change_that_would_lose_data_is_refused(
    server: ApiServer, existing: str, change: Manifest, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        server.request("PATCH", existing, {"spec": change}, kind="merge-patch+json")


@pytest.mark.parametrize(
    "change",
    [
        {"databases": {"data": {"storage": "6144Mi"}}, "files": {"storage": "2Gi"}},
        {"broker": {"storage": 10 * 2**30}},
        {"databases": {"data": {"storage": "4Gi"}}},
        {"files": {"accessMode": "ReadWriteOnce"}},
        {"files": {"storage": None, "existingClaim": "mine"}},
        {"release": "0.2.0", "environment": "production"},
    ],
)
def test_other_changes_are_accepted(server: ApiServer, existing: str, change: Manifest) -> None:
    changed = server.request("PATCH", existing, {"spec": change}, kind="merge-patch+json")
    for name, value in change.items():
        assert merge(changed["spec"][name], value) == changed["spec"][name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_everything_rendered_is_accepted(server: ApiServer, case: Path) -> None:
    """Server-side apply, dry: schema, defaults, CEL and the pod security of every workload, without a warning."""
    found = build(Archive.parse(yaml.safe_load(case.read_text())), release(), Facts())
    for resource in found.resources:
        path = kind_of(resource.key).path(resource.key.namespace, resource.name)
        query = "?dryRun=All&fieldManager=test&fieldValidation=Strict"
        applied = server.request("PATCH", path + query, resource.manifest, kind="apply-patch+yaml")
        assert applied["kind"] == resource.kind
    for secret in found.secrets:
        path = kind_of(secret.key).path(secret.key.namespace)
        server.request("POST", f"{path}?dryRun=All", secret.manifest)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_every_pod_is_admitted_where_restricted_is_enforced(server: ApiServer, case: Path) -> None:
    found = build(Archive.parse(yaml.safe_load(case.read_text())), release(), Facts())
    for resource in found.resources:
        template = resource.manifest.get("spec", {}).get("template")
        if template is None:
            continue
        names = {volume["name"] for volume in template["spec"]["volumes"]}
        claims = [claim["metadata"]["name"] for claim in resource.manifest["spec"].get("volumeClaimTemplates", [])]
        volumes = [{"name": name, "emptyDir": {}} for name in claims if name not in names]
        body = merge(template, {"spec": {"volumes": [*template["spec"]["volumes"], *volumes]}})
        body = merge(body, {"metadata": {"generateName": "pod-"}, "spec": {"serviceAccountName": "default"}})
        server.request(
            "POST",
            f"/api/v1/namespaces/{resource.key.namespace}/pods?dryRun=All",
            {"kind": "Pod", "apiVersion": "v1", **body},
        )


@pytest.mark.parametrize("environment", ["dev", "test", "production"])
def test_overlay_is_what_kustomize_makes_of_it(server: ApiServer, environment: str) -> None:
    """The unit tests merge the overlays themselves; here kubectl has the last word."""
    made = server.kubectl("kustomize", str(ENVIRONMENTS / "gaia" / environment))
    documents = {document["kind"]: document for document in yaml.safe_load_all(made)}
    assert documents == {document["kind"]: document for document in overlay("gaia", environment)}
    server.kubectl(
        "apply",
        "--dry-run=server",
        "-f",
        "-",
        stdin=as_yaml(merge(documents["Archive"], {"metadata": {"namespace": NAMESPACE}})),
    )


def test_archives_are_listed_with_what_people_ask_for(server: ApiServer, existing: str) -> None:
    status = {
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Serving",
                "message": "All is well",
                "lastTransitionTime": "2026-11-21T04:00:00Z",
            }
        ],
        "release": "0.1.0",
        "endpoints": {"site": "http://127.0.0.1:30080", "tap": "http://127.0.0.1:30080/tap"},
    }
    server.request("PATCH", f"{existing}/status", {"status": status}, kind="merge-patch+json")
    header, row = server.kubectl("get", "arc", "-n", NAMESPACE).splitlines()
    assert header.split() == ["NAME", "READY", "REASON", "RELEASE", "URL", "AGE"]
    assert row.split()[:5] == ["gaia", "True", "Serving", "0.1.0", "http://127.0.0.1:30080"]
    wide = server.kubectl("get", "almagest", "-n", NAMESPACE, "-o", "wide")
    assert "All is well" in wide
    assert "dev" in wide


def test_incomplete_release_is_refused(server: ApiServer) -> None:
    body = {
        "apiVersion": "almagest.science/v1alpha1",
        "kind": "ArchiveRelease",
        "metadata": {"name": "9.9.9"},
        "spec": {"images": dict(release().spec.images)},
    }
    path = "/apis/almagest.science/v1alpha1/archivereleases?dryRun=All"
    assert server.request("POST", path, body)["spec"] == body["spec"]
    with pytest.raises(Refused, match="images must name"):
        server.request("POST", path, merge(body, {"spec": {"images": {"proxy": None}}}))
    with pytest.raises(Refused, match="sha256"):
        server.request("POST", path, merge(body, {"spec": {"images": {"proxy": "nginx:latest"}}}))
