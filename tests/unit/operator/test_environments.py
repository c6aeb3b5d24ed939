"""Dev, test and production of an archive are the same archive: only what is on the allow-list differs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from almagest_operator.model.archive import Archive
from support.archives import ENVIRONMENTS, overlay

ARCHIVES = sorted(path.name for path in ENVIRONMENTS.iterdir())
NAMES = ("dev", "test", "production")
MASKED = "differs between environments"

# `*` is any item of a list. Sizes, host names, exposure, credentials and the release under way, and nothing else.
ALLOWED = (
    "metadata.namespace",
    "spec.release",
    "spec.environment",
    "spec.site.hostname",
    "spec.exposure",
    "spec.web.replicas",
    "spec.web.resources",
    "spec.queues.*.workers",
    "spec.queues.*.resources",
    "spec.databases.*.storage",
    "spec.databases.*.storageClassName",
    "spec.databases.*.resources",
    "spec.broker",
    "spec.cache",
    "spec.wordpress.storage",
    "spec.wordpress.storageClassName",
    "spec.wordpress.resources",
    "spec.wordpress.mariadb",
    "spec.files",
    "spec.lifecycle",
)


def mask(value: Any, path: list[str]) -> None:
    """Blank what the path leads to, whether it is there or left to its default."""
    head, *rest = path
    if head == "*":
        for item in value.values() if isinstance(value, dict) else value:
            mask(item, rest)
    elif not rest:
        value[head] = MASKED
    else:
        mask(value.setdefault(head, {}), rest)


def masked(manifest: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(manifest)
    found["spec"].setdefault("databases", {"app": {}, "data": {}})
    for part in ("app", "data"):
        found["spec"]["databases"].setdefault(part, {})
    for path in ALLOWED:
        mask(found, path.split("."))
    return found


def archive_of(name: str, environment: str) -> dict[str, Any]:
    (found,) = (document for document in overlay(name, environment) if document["kind"] == "Archive")
    return found


@pytest.mark.parametrize("name", ARCHIVES)
def test_environments_differ_in_what_is_allowed_only(name: str) -> None:
    dev, test, production = (masked(archive_of(name, environment)) for environment in NAMES)
    assert dev == test == production


@pytest.mark.parametrize("environment", NAMES)
@pytest.mark.parametrize("name", ARCHIVES)
def test_environment_is_valid_and_in_its_own_namespace(name: str, environment: str) -> None:
    found = Archive.parse(archive_of(name, environment))
    assert found.spec.environment == environment
    assert found.namespace == f"{name}-{environment}"


@pytest.mark.parametrize("environment", NAMES)
@pytest.mark.parametrize("name", ARCHIVES)
def test_namespace_enforces_the_restricted_standard(name: str, environment: str) -> None:
    (found,) = (document for document in overlay(name, environment) if document["kind"] == "Namespace")
    assert found["metadata"]["name"] == f"{name}-{environment}"
    assert found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", ARCHIVES)
def test_overlays_stay_short(name: str) -> None:
    for environment in NAMES:
        lines = (Path(ENVIRONMENTS) / name / environment / "archive.yaml").read_text().splitlines()
        assert len(lines) <= 35, f"{environment}: what is not a size or a host name belongs to the base"
