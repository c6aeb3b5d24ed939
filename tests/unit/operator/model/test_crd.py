"""The CustomResourceDefinitions are what the models say, in the words that Kubernetes understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from almagest_operator.model.archive import Archive
from almagest_operator.model.crd import CHART, crds, render
from almagest_operator.model.reference import PAGE, page
from support.archives import ROOT

NAMES = sorted(crds())


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a schema with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from nodes(schema[name], f"{path}[]")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = crds()[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_committed_definition_is_current(name: str) -> None:
    text = (CHART / "files/crds" / name).read_text()
    assert text == render(crds()[name]), "stale: run `python -m almagest_operator.model.crd`"


def test_committed_reference_is_current() -> None:
    assert PAGE.read_text() == page(), "stale: run `python -m almagest_operator.model.reference`"


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_structural(name: str) -> None:
    for path, node in nodes(schema(name)):
        assert "$ref" not in node, path
        assert "default" not in node or node["default"] is not None, path
        if node.get("x-kubernetes-int-or-string"):
            assert node["anyOf"] == [{"type": "integer"}, {"type": "string"}], path
            assert node["pattern"], path
        else:
            assert "type" in node, path
            assert "anyOf" not in node, path
        if node.get("type") == "array":
            assert node["x-kubernetes-list-type"] in {"map", "atomic"}, path


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(name: str) -> None:
    for path, node in nodes(schema(name)):
        standard = path in {".apiVersion", ".kind", ".metadata"}
        assert standard or path.endswith("[]") or node.get("description"), path


@pytest.mark.parametrize("name", NAMES)
def test_every_list_and_rule_is_bounded(name: str) -> None:
    """CEL rules are refused when what they run over has no bound."""
    for path, node in nodes(schema(name)):
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if node.get("type") == "string" and path.startswith(".spec"):
            assert node.keys() & {"maxLength", "enum"}, path


def test_each_default_stands_once() -> None:
    spec = schema("archives.yaml")["properties"]["spec"]["properties"]
    assert spec["databases"]["default"] == {}
    assert spec["databases"]["properties"]["data"]["default"] == {}
    assert spec["databases"]["properties"]["data"]["properties"]["storage"]["default"] == "20Gi"
    assert "default" not in spec["cache"], "nothing to say when all sizes follow the environment"


def test_definitions_outlive_the_chart() -> None:
    for name in NAMES:
        assert crds()[name]["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Archive in the documentation, named by its file."""
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.yaml")]:
        text = path.read_text()
        blocks = (
            [text] if path.suffix == ".yaml" else re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        )
        for document in (document for block in blocks for document in yaml.safe_load_all(block)):
            if document.get("kind") == "Archive":
                yield str(path.relative_to(ROOT)), document


EXAMPLES = sorted(examples(), key=lambda example: example[0])


@pytest.mark.parametrize("document", [pytest.param(document, id=name) for name, document in EXAMPLES])
def test_archives_in_the_documentation_are_valid(document: dict[str, Any]) -> None:
    Archive.parse(document)


def test_archive_of_the_readme_is_among_them() -> None:
    assert "README.md" in dict(EXAMPLES)
