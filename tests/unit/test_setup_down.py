"""`make down` in somebody else's cluster: which commands it gives, with a kubectl and a helm that only note them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from host import playbook
from host.layout import Layout
from host.playbook import Choice

KUBECTL = """#!/bin/sh
echo "kubectl $*" >> {notes}
case "$*" in
    *current-context*) echo theirs ;;
    *"get archives"*) {archives} ;;
    *delete*) echo deleted ;;
esac
"""
HELM = '#!/bin/sh\necho "helm $*" >> {notes}\n'
NO_DEFINITIONS = "echo 'error: the server doesn'\\''t have a resource type \"archives\"' >&2; exit 1"
OWN = "kubectl --context theirs delete namespace gaia-dev --ignore-not-found"
OPERATOR = [
    "helm --kube-context theirs uninstall almagest-operator --namespace almagest-system --ignore-not-found --wait",
    "kubectl --context theirs delete namespace almagest-system --ignore-not-found",
]


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def take_down(place: Path, monkeypatch: pytest.MonkeyPatch, archives: str) -> tuple[int, list[str]]:
    """The exit code, and the commands that change the cluster. archives: shell that answers which archives remain."""
    notes, venv = place / "notes", place / "venv"
    program(place / "bin/kubectl", KUBECTL.format(notes=notes, archives=archives))
    program(venv / "bin/helm", HELM.format(notes=notes))
    for name in ("python", "ansible-playbook"):
        (venv / "bin" / name).symlink_to(Path(sys.executable).with_name(name))
    monkeypatch.setenv("PATH", f"{place}/bin:{os.environ['PATH']}")
    code = playbook.play(Layout(place / "cache", place / "state"), Choice(cluster="existing"), venv, "down")
    commands = notes.read_text().splitlines()
    return code, [command for command in commands if "delete" in command or "uninstall" in command]


def test_operator_and_other_archives_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert take_down(tmp_path, monkeypatch, "echo 'sky-dev/sky sky-test/sky '") == (0, [OWN])
    assert "Leave the operator to other archives: sky-dev/sky sky-test/sky" in capfd.readouterr().out


@pytest.mark.parametrize("archives", ["true", NO_DEFINITIONS], ids=["none", "no definitions"])
def test_operator_goes_with_the_last_archive_and_definitions_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archives: str
) -> None:
    assert take_down(tmp_path, monkeypatch, archives) == (0, [OWN, *OPERATOR])


def test_operator_stays_when_nobody_may_tell_of_other_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, commands = take_down(tmp_path, monkeypatch, "echo Forbidden >&2; exit 1")
    assert code != 0
    assert commands == [OWN]
