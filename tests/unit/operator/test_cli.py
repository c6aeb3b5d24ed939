"""The command line without a cluster: what it shows, what it renders, how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from almagest_operator.cli.archive import View
from almagest_operator.cli.errors import CommandError
from almagest_operator.cli.render import render
from almagest_operator.cli.tree import tree
from support.archives import ROOT, manifest, release

STATUS: dict[str, Any] = {
    "observedGeneration": 3,
    "release": "0.1.0",
    "endpoints": {"site": "http://127.0.0.1:30080", "tap": "http://127.0.0.1:30080/tap"},
    "conditions": [
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": "2026-01-02T03:04:05Z",
            "observedGeneration": 3,
        }
        for type_, status, reason, message in (
            ("DatasetsLoaded", "False", "Loading", "1 of 3 data sets are loaded"),
            ("Degraded", "False", "AsExpected", ""),
            ("Migrated", "True", "Migrated", ""),
            ("Progressing", "True", "LoadingDatasets", "loading data sets"),
            ("Ready", "False", "LoadingDatasets", "loading data sets: Job x: running"),
        )
    ],
    "components": [
        {"name": "datadb", "ready": True, "replicas": 1, "readyReplicas": 1, "message": ""},
        {"name": "web", "ready": False, "replicas": 2, "readyReplicas": 1, "message": "1 of 2 pods are ready [busy]"},
        {"name": "worker-long", "ready": False, "message": "not started"},
    ],
}


def view(*, generation: int = 3, **status: Any) -> View:
    body = manifest()
    body["metadata"]["generation"] = generation
    return View.of({**body, "status": {**STATUS, **status}})


def ready(**changes: Any) -> View:
    condition = {**STATUS["conditions"][-1], "status": "True", "reason": "Ready", "message": "serving", **changes}
    return view(conditions=[*STATUS["conditions"][:-1], condition])


def drawn(found: View) -> str:
    console = Console(file=StringIO(), width=110, color_system=None)
    console.print(tree(found))
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO, made above
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_the_tree_reads_well() -> None:
    assert (
        drawn(view())
        == """\
… gaia  LoadingDatasets  loading data sets: Job x: running
├── namespace gaia-dev   environment dev   release 0.1.0
├── site http://127.0.0.1:30080
├── TAP  http://127.0.0.1:30080/tap
├── conditions
│   ├── … DatasetsLoaded  Loading  1 of 3 data sets are loaded
│   ├── ✓ Degraded  AsExpected
│   ├── ✓ Migrated  Migrated
│   └── … Progressing  LoadingDatasets  loading data sets
└── components
    ├── ✓ datadb              1/1
    ├── … web                 1/2  1 of 2 pods are ready [busy]
    └── … worker-long           not started"""
    )


def test_json_is_what_programs_rely_on() -> None:
    found = ready().json()
    assert found["ready"] is True
    assert found["release"] == "0.1.0"
    assert found["endpoints"] == {"site": "http://127.0.0.1:30080", "tap": "http://127.0.0.1:30080/tap"}
    assert {condition["type"] for condition in found["conditions"]} >= {"Ready", "Migrated"}
    assert [component["name"] for component in found["components"]] == ["datadb", "web", "worker-long"]
    json.dumps(found)


def test_an_archive_that_was_never_looked_at_is_not_ready() -> None:
    found = View.of(manifest())
    assert not found.ready
    assert found.summary[0] == "Pending"
    assert found.json()["endpoints"] == {"site": None, "tap": None}
    assert "gaia" in drawn(found)


def test_ready_for_an_older_spec_is_not_ready() -> None:
    assert ready().ready
    assert not View.of({**manifest(), "metadata": {**manifest()["metadata"], "generation": 4}, "status": STATUS}).ready
    old = ready(observedGeneration=2)
    assert not old.ready
    assert old.summary[0] == "Pending"


@pytest.mark.parametrize(
    ("reason", "hopeless"), [("MigrationFailed", True), ("InvalidSpec", True), ("Migrating", False)]
)
def test_what_cannot_become_ready_is_not_waited_for(reason: str, hopeless: bool) -> None:
    assert ready(status="False", reason=reason).hopeless is hopeless


@pytest.fixture
def files(tmp_path: Path) -> Path:
    found = {**release().model_dump(mode="json", by_alias=True, exclude_none=True), "metadata": {"name": "0.1.0"}}
    (tmp_path / "release.yaml").write_text(yaml.safe_dump(found))
    (tmp_path / "archive.yaml").write_text(yaml.safe_dump(manifest()))
    return tmp_path


def test_render_prints_every_object_and_no_secret_value(files: Path) -> None:
    text = render([files / "archive.yaml", files / "release.yaml"], None)
    documents = [document for document in yaml.safe_load_all(text) if document]
    kinds = {document["kind"] for document in documents}
    assert {"StatefulSet", "Deployment", "Job", "NetworkPolicy", "Secret"} <= kinds
    assert not any(
        "data" in document or "stringData" in document for document in documents if document["kind"] == "Secret"
    )
    assert text == render([files / "archive.yaml", files / "release.yaml"], None)


def test_render_writes_one_file_a_component(files: Path) -> None:
    said = render([files / "archive.yaml", files / "release.yaml"], files / "out")
    written = {path.stem for path in (files / "out/gaia-dev/gaia").iterdir()}
    assert {"web", "datadb", "secrets", "worker-short"} <= written
    assert said == f"wrote {len(written)} files below {files / 'out'}\n"


def test_render_says_which_field_is_wrong(files: Path) -> None:
    (files / "archive.yaml").write_text(yaml.safe_dump(manifest({"environment": "staging"})))
    with pytest.raises(CommandError, match=r"^spec\.environment: "):
        render([files / "archive.yaml", files / "release.yaml"], None)


def test_render_asks_for_the_release(files: Path) -> None:
    with pytest.raises(CommandError, match="--release FILE"):
        render([files / "archive.yaml"], None)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["render", "-f", "/nowhere.yaml"], 1, "almagest: /nowhere.yaml: No such file or directory"),
        (["render"], 1, "almagest: which file?"),
        (["status", "gaia"], 3, "almagest: there is no kubeconfig at /nowhere"),
        (["status", "gaia", "--kubeconfig", "{broken}"], 3, "almagest: no usable kubeconfig"),
        (["wait", "gaia", "--timeout", "soon"], 1, "almagest: --timeout 'soon' is no length of time"),
    ],
)
def test_errors_are_one_line(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("clusters: []\n")
    done = command("almagest", *(argument.format(broken=broken) for argument in arguments))
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_as_a_plugin_it_speaks_as_kubectl() -> None:
    assert "Usage: kubectl archive" in command("kubectl-archive", "--help").stdout


def command(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.argv[0] = {program!r}; from almagest_operator.cli import main; main()"
    environment = {"PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": "/nowhere", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, env=environment, check=False
    )
