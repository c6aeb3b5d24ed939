"""`make down` in somebody else's cluster: what it says, and what it tells a kubectl that only notes commands."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from almagest_operator.model import identity
from host import cli, venv
from host.existing import OPERATOR as OPERATOR_LABEL
from host.existing import loss
from host.layout import ROOT

KUBECTL = """#!/bin/sh
echo "kubectl $*" >> {notes}
case "$*" in
    *current-context*) echo theirs ;;
    *"get archives"*) {archives} ;;
    *api-resources*) echo persistentvolumeclaims secrets configmaps ;;
    *"--namespace almagest-system --output=json") echo '{{"items": []}}' ;;
    *--output=json) cat {contents} ;;
    *delete*) echo deleted ;;
esac
"""
HELM = '#!/bin/sh\necho "helm $*" >> {notes}\necho uninstalled\n'
NO_DEFINITIONS = "echo 'error: the server doesn'\\''t have a resource type \"archives\"' >&2; exit 1"
ARCHIVE = "kubectl --context theirs delete archive gaia --namespace gaia-dev --timeout=300s"
RETAINED = "kubectl --context theirs delete persistentvolumeclaim/data-gaia-datadb-0 secret/gaia-datadb"
NAMESPACE = "kubectl --context theirs delete namespace gaia-dev --ignore-not-found --timeout=300s"
OPERATOR = [
    "helm --kube-context theirs uninstall almagest-operator --namespace almagest-system --ignore-not-found --wait",
    "kubectl --context theirs delete namespace almagest-system --ignore-not-found --timeout=300s",
]


def thing(kind: str, name: str, *owners: str, of: str = "") -> dict[str, Any]:
    """of: the archive that it is labelled for."""
    labels = {"app.kubernetes.io/managed-by": "almagest-operator", "app.kubernetes.io/instance": of} if of else {}
    references = [{"kind": owner, "name": "x"} for owner in owners]
    return {"kind": kind, "metadata": {"name": name, "labels": labels, "ownerReferences": references}}


OWN = [
    thing("Archive", "gaia"),
    thing("StatefulSet", "gaia-datadb", "Archive", of="gaia"),
    thing("PersistentVolumeClaim", "files", "Archive", of="gaia"),
    thing("PersistentVolumeClaim", "data-gaia-datadb-0", of="gaia"),
    thing("Secret", "gaia-datadb", of="gaia"),
    thing("Pod", "gaia-datadb-0", "StatefulSet"),
    thing("ConfigMap", "kube-root-ca.crt"),
    thing("ServiceAccount", "default"),
    thing("Event", "gaia.17"),
]
THEIRS = [thing("Deployment", "portal"), thing("PersistentVolumeClaim", "photos"), thing("Archive", "sky")]


def archives(*names: str) -> str:
    """A shell command that answers which there are, as `namespace/name`."""
    split = (name.split("/") for name in names)
    return f"""echo '{json.dumps({"items": [{"metadata": {"namespace": n, "name": a}} for n, a in split]})}'"""


@dataclass
class Site:
    """A cluster with `archives` and `contents` in the archive's namespace."""

    place: Path
    archives: str = archives("gaia-dev/gaia")
    contents: tuple[dict[str, Any], ...] = tuple(OWN)

    def down(self, *options: str) -> int:
        for path, text in ((self.place / "bin/kubectl", KUBECTL), (self.place / "venv/bin/helm", HELM)):
            path.parent.mkdir(parents=True, exist_ok=True)
            notes, contents = self.place / "notes", self.place / "contents"
            path.write_text(text.format(notes=notes, archives=self.archives, contents=contents))
            path.chmod(0o755)
        contents.write_text(json.dumps({"items": self.contents}))
        return cli.main(["--cluster", "existing", "down", *options])

    def changes(self) -> list[str]:
        """The commands that change the cluster."""
        commands = (self.place / "notes").read_text().splitlines()
        return [command for command in commands if " delete " in command or "uninstall" in command]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(venv, "ensure", lambda *_: tmp_path / "venv")
    return Site(tmp_path)


def test_nothing_goes_unasked(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    assert site.down() == 1
    assert site.changes() == []
    said = capfd.readouterr()
    assert 'context "theirs", namespace gaia-dev' in said.out
    assert "deleted with all its data: persistentvolumeclaim/files" in said.out
    assert "stays (DELETE_RETAINED=1 deletes it): persistentvolumeclaim/data-gaia-datadb-0" in said.out
    assert "nothing was deleted: `make down CLUSTER=existing YES=1`" in said.err


def test_retained_volumes_stay_and_their_namespace_with_them(site: Site) -> None:
    assert site.down("--yes") == 0
    assert site.changes() == [ARCHIVE, *OPERATOR]


def test_retained_volumes_go_when_told_and_the_empty_namespace_too(site: Site) -> None:
    assert site.down("--yes", "--delete-retained") == 0
    assert site.changes() == [ARCHIVE, f"{RETAINED} --namespace gaia-dev --timeout=300s", NAMESPACE, *OPERATOR]


def test_namespace_with_anything_of_others_stays(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.contents = (*OWN, *THEIRS)
    assert site.down("--yes", "--delete-retained") == 0
    assert NAMESPACE not in site.changes()
    assert "stays, because it is not the archive's: persistentvolumeclaim/photos" in capfd.readouterr().out


def test_operator_and_other_archives_stay(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.archives = archives("gaia-dev/gaia", "sky-dev/sky", "gaia-dev/other")
    assert site.down("--yes") == 0
    assert site.changes() == [ARCHIVE]
    assert "The operator stays for sky-dev/sky, gaia-dev/other." in capfd.readouterr().out


@pytest.mark.parametrize("none", [archives(), NO_DEFINITIONS], ids=["none", "no definitions"])
def test_operator_goes_with_the_last_archive(site: Site, none: str) -> None:
    site.archives, site.contents = none, ()
    assert site.down("--yes") == 0
    assert site.changes() == [NAMESPACE, *OPERATOR]


def test_nothing_goes_when_nobody_may_tell_of_other_archives(site: Site) -> None:
    site.archives = "echo Forbidden >&2; exit 1"
    assert site.down("--yes", "--delete-retained") == 1
    assert site.changes() == []


def test_the_operator_s_own_label_is_looked_for() -> None:
    assert OPERATOR_LABEL == identity.OPERATOR


def test_every_object_of_the_namespace_is_accounted_for() -> None:
    found = loss([*OWN, *THEIRS], "gaia", present=True)
    assert found.going == ("persistentvolumeclaim/files",)
    assert found.retained == ("persistentvolumeclaim/data-gaia-datadb-0", "secret/gaia-datadb")
    assert found.foreign == ("deployment/portal", "persistentvolumeclaim/photos", "archive/sky")


def test_make_passes_on_what_was_decided() -> None:
    command = ["make", "--dry-run", "down", "CLUSTER=existing", "YES=1", "DELETE_RETAINED=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-3:] == ["down", "--yes", "--delete-retained"]
