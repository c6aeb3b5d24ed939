"""docs/contracts.md is what the operator renders, the images are built for and the application reads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from almagest.config.environment import Environment
from almagest.query import slots
from almagest_operator.desired import connections
from almagest_operator.desired.graph import PORTS, parts
from almagest_operator.desired.secrets import KEYS, WORDPRESS_KEYS
from almagest_operator.model.release import ARCHIVE_IMAGES
from support.archives import ROOT, archive, desired, pod_templates

TEXT = (ROOT / "docs/contracts.md").read_text()
SPEC: dict[str, Any] = {"datasets": [{"table": "gaiadr3.bright", "source": "demo:gaia"}]}
TEMPLATES = pod_templates(desired(SPEC))


def table(first: str, second: str) -> list[list[str]]:
    """The rows of the one table whose header begins with these two cells."""
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE)]
    (rows,) = ([cells(row) for row in rows] for rows in tables if cells(rows[0])[:2] == [first, second])
    return rows[2:]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def containers(image: str) -> Iterator[dict[str, Any]]:
    """Every container of the archive that runs an image."""
    for template in TEMPLATES.values():
        for container in (*template["spec"].get("initContainers", []), *template["spec"]["containers"]):
            if f"/{image}@" in container["image"]:
                yield container


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}


def test_the_operator_counts_connections_as_the_applications_pools_do() -> None:
    settings = Environment.model_construct(web_threads=connections.THREADS)
    assert connections.WEB.appdb == settings.appdb_connections * connections.PROCESSES
    queries, health, grants = connections.THREADS - slots.FREE_THREADS, 1, 1
    assert connections.WEB.query == (queries + health + grants) * connections.PROCESSES


IMAGES = {quoted(row[0])[0]: row for row in table("image", "uid")}


def test_archive_runs_images_of_the_table() -> None:
    assert set(ARCHIVE_IMAGES) <= set(IMAGES)


@pytest.mark.parametrize("image", ARCHIVE_IMAGES)
def test_uid(image: str) -> None:
    uid = int(IMAGES[image][1])
    assert {container["securityContext"]["runAsUser"] for container in containers(image)} == {uid}
    assert re.search(rf"^USER {uid}:{uid}$", (ROOT / "images" / image / "Containerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("image", ARCHIVE_IMAGES)
def test_writable_mounts(image: str) -> None:
    outside = re.sub(r"\([^)]*\)", "", IMAGES[image][4])
    writable = {
        mount["mountPath"]
        for container in containers(image)
        for mount in container["volumeMounts"]
        if not mount.get("readOnly")
    }
    assert writable == {"/tmp", *quoted(outside)}


@pytest.mark.parametrize("image", ARCHIVE_IMAGES)
def test_entry_points(image: str) -> None:
    program, *rest = quoted(IMAGES[image][3])[0].split()
    verbs = {rest[0], *(words.split()[0] for words in quoted(IMAGES[image][3])[1:])} if rest else set()
    verbs = {word for quote in quoted(IMAGES[image][3])[1:] for word in quote.split()} | verbs
    for container in containers(image):
        assert container["command"][0] == program
        if image != "proxy" and verbs:
            assert container["command"][1] in verbs


@pytest.mark.parametrize("image", ARCHIVE_IMAGES)
def test_ports(image: str) -> None:
    ports = {int(number) for number in re.findall(r"\d+", IMAGES[image][2])}
    for container in containers(image):
        declared = {port["containerPort"] for port in container.get("ports", [])}
        assert declared <= ports, container["name"]
        assert declared <= set(PORTS.values())


SECRETS = {quoted(row[0])[0].removeprefix("<archive>-"): row for row in table("Secret", "keys")}


def test_secret_keys() -> None:
    assert {name: quoted(row[1]) for name, row in SECRETS.items()} == {
        name: list(keys) for name, keys in {**KEYS, **WORDPRESS_KEYS}.items()
    }


def readers(secret: str) -> dict[str, set[str]]:
    """Part → keys, from `migrate (owner, query), web/worker (…)`; no brackets or `all` means every key."""
    keys = quoted(SECRETS[secret][1])
    found: dict[str, set[str]] = {}
    for names, brackets in re.findall(r"([a-z/]+)(?: \(([^)]*)\))?", SECRETS[secret][2]):
        words = [word.strip(" `").removeprefix(f"{secret}/") for word in brackets.split(",") if word]
        wanted = set(keys) if words in ([], ["all"]) else {key for key in keys if key.startswith(tuple(words))}
        found |= dict.fromkeys(names.split("/"), wanted)
    return found


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_secret_readers(secret: str) -> None:
    mounted: dict[str, set[str]] = defaultdict(set)
    for template in TEMPLATES.values():
        for volume in template["spec"]["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                for item in source["secret"]["items"]:
                    component, key = item["path"].split("/")
                    if component == secret:
                        mounted[template["metadata"]["labels"]["app.kubernetes.io/name"]].add(key)
    assert mounted == readers(secret)


def documented() -> dict[str, str]:
    """Variable → its cell, with `ALMAGEST_APPDB_HOST`, `_PORT` written out."""
    found = {}
    for names, value, *_ in table("variable", "value"):
        first, *others = quoted(names)
        for name in (first, *others):
            found[first.rpartition("_")[0] + name if name.startswith("_") else name] = value
    return found


def test_application_environment() -> None:
    rendered = set(variables(next(containers("app"))))
    defaulted = {name for name, value in documented().items() if value.startswith("default")}
    assert rendered - defaulted - {"ALMAGEST_POD_IP"} == set(documented()) - defaulted
    assert "ALMAGEST_POD_IP" in TEXT


def test_application_reads_what_it_is_given() -> None:
    known = {f"ALMAGEST_{name.upper()}": field for name, field in Environment.model_fields.items()}
    required = {name for name, field in known.items() if field.default is PydanticUndefined}
    for container in containers("app"):
        assert required <= variables(container).keys() <= known.keys()
    assert set(documented()) <= known.keys()


@pytest.mark.parametrize("image", ["postgres", "rabbitmq", "mariadb", "wordpress", "redis", "proxy"])
def test_server_environment_and_configuration(image: str) -> None:
    (row,) = (row for row in table("image", "environment") if quoted(row[0]) == [image])
    names = {name.partition("=")[0] for name in quoted(row[1]) if re.match(r"(ALMAGEST|RABBITMQ)_", name)}
    for container in containers(image):
        assert set(variables(container)) == names, container["name"]
    files = {Path(path).name for path in quoted(row[2]) if path.startswith("/etc/almagest/")}
    configured = {
        name
        for resource in desired(SPEC).resources
        if resource.kind == "ConfigMap"
        for name in resource.manifest["data"]
    }
    assert files <= configured


def test_configuration_is_named_by_what_it_says() -> None:
    """A new title makes another ConfigMap, beside the one that pods of before still read; nothing else does."""
    (row,) = (row for row in table("thing", "name") if row[0] == "configuration")
    pattern = quoted(row[1])[0].replace("<archive>", "gaia").replace("<hash of what it says>", "([0-9a-f]{12})")
    found: dict[str, dict[str, Any]] = {}
    for title in ("One", "Another", "One"):
        for resource in desired({**SPEC, "site": {"title": title}}).resources:
            if resource.kind == "ConfigMap":
                assert re.fullmatch(pattern.replace("<component>", resource.component), resource.name)
                assert resource.manifest["immutable"] is True
                assert found.setdefault(resource.name, resource.manifest) == resource.manifest
    components = [manifest["metadata"]["labels"]["app.kubernetes.io/component"] for manifest in found.values()]
    assert components.count("app") == 2
    assert len(components) == len(set(components)) + 1
    servers = set(components) - {"app"}
    assert servers == {name for name, template in TEMPLATES.items() if _reads_its_own(template)}


def _reads_its_own(template: dict[str, Any]) -> bool:
    names = [volume["configMap"]["name"] for volume in template["spec"]["volumes"] if "configMap" in volume]
    return bool(names) and not names[0].startswith("gaia-app-")


def test_names_of_children() -> None:
    (row,) = (row for row in table("thing", "name") if row[0] == "child objects")
    listed = {name.removeprefix("gaia-") for name in quoted(row[1])} - {"<archive>-<component>"}
    components = set(TEMPLATES) - {"migrate", "ingest-gaiadr3-bright"}
    assert listed == components - {"worker-long"}
    assert {template["metadata"]["labels"]["app.kubernetes.io/name"] for template in TEMPLATES.values()} == set(
        parts(archive(SPEC).spec)
    )
