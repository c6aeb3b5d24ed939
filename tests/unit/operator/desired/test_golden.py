"""Rendered manifests, side by side with the archives that they come from.

A case is a directory of tests/data/render: `archive.yaml`, optionally `facts.yaml` (what the cluster has, and under
`shows` the components that the case is about), and `output/<component>.yaml`, which `pytest --update-golden` writes.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from almagest_operator.desired import build
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from support.archives import ROOT, release

CASES = sorted((ROOT / "tests/data/render").iterdir())


class Readable(yaml.SafeDumper):
    """YAML for reviewers: configuration files as blocks, not as one long line."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Readable.add_representer(str, Readable.represent_text)


def facts(found: dict[str, Any]) -> Facts:
    classes = found.pop("storage_classes", None)
    return Facts(storage_classes=None if classes is None else frozenset(classes), **found)


def rendered(case: Path) -> dict[str, str]:
    """Component → its manifests as one YAML stream."""
    beside = case / "facts.yaml"
    cluster = yaml.safe_load(beside.read_text()) if beside.exists() else {}
    shows = cluster.pop("shows", None)
    archive = Archive.parse(yaml.safe_load((case / "archive.yaml").read_text()))
    found = build(archive, release(), facts(cluster))
    manifests = defaultdict(list)
    for resource in found.resources:
        manifests[resource.component].append(resource.manifest)
    for secret in found.secrets:
        manifests["secrets"].append({**secret.manifest, "generated": dict(secret.keys)})
    manifests["endpoints"].append(found.endpoints.model_dump())
    return {
        component: yaml.dump_all(documents, Dumper=Readable, sort_keys=False, width=120, allow_unicode=True)
        for component, documents in manifests.items()
        if shows is None or component in shows
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_render(case: Path, request: pytest.FixtureRequest) -> None:
    output = case / "output"
    found = rendered(case)
    if request.config.getoption("update_golden"):
        output.mkdir(exist_ok=True)
        for stale in output.glob("*.yaml"):
            stale.unlink()
        for component, text in found.items():
            (output / f"{component}.yaml").write_text(text)
    assert sorted(found) == sorted(path.stem for path in output.glob("*.yaml"))
    for component, text in found.items():
        assert text == (output / f"{component}.yaml").read_text(), f"{component}: if meant, run pytest --update-golden"
