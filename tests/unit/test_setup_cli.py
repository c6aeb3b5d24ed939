"""The command line behind make."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host import cli, install, kubeconfig, playbook, venv
from host.errors import HostError
from host.layout import ROOT, Layout
from host.node import Node
from host.playbook import Choice
from support.waiting import eventually


def test_help_names_every_verb() -> None:
    done = subprocess.run([ROOT / "ansible/setup", "--help"], capture_output=True, text=True, check=True)
    assert all(verb in done.stdout for verb in ("up", "down", "cluster", "images", "exec", "--registry"))


def test_directories_follow_the_environment() -> None:
    assert Layout.of({"HOME": "/home/x"}) == Layout(Path("/home/x/.cache/almagest"), Path("/var/lib/almagest"))
    given = {"ALMAGEST_CACHE": "/a", "ALMAGEST_STATE": "/b"}
    assert Layout.of(given) == Layout(Path("/a"), Path("/b"))


def test_links_to_the_directories_are_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    given = {"ALMAGEST_CACHE": str(tmp_path / "link/cache"), "ALMAGEST_STATE": str(tmp_path / "link")}
    assert Layout.of(given) == Layout(tmp_path / "disk/cache", tmp_path / "disk")


def test_unknown_archive_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    found = list(cli.reasons_not_to(layout, Choice(archive="nowhere"), "up"))
    assert "there is no environments/nowhere/dev: ARCHIVE and ENV name directories of environments/" in found
    assert not layout.cache.exists()


def test_ingress_that_nobody_would_serve_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    reason = "environments/gaia/test wants an Ingress"
    assert any(reason in line for line in cli.reasons_not_to(layout, Choice(environment="test"), "up"))
    existing = Choice(environment="test", cluster="existing", registry="registry.example/almagest")
    assert not any(reason in line for line in cli.reasons_not_to(layout, existing, "up"))
    assert not layout.cache.exists()


def test_existing_cluster_needs_a_registry(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    reason = "CLUSTER=existing needs REGISTRY"
    assert any(reason in line for line in cli.reasons_not_to(layout, Choice(cluster="existing"), "cluster"))
    given = Choice(cluster="existing", registry="registry.example/almagest")
    assert not any(reason in line for line in cli.reasons_not_to(layout, given, "cluster"))


def test_kind_without_docker_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    found = list(cli.reasons_not_to(layout, Choice(cluster="kind"), "cluster"))
    assert any(line.startswith("the command docker is missing") for line in found)


def test_second_set_up_at_once_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    with cli.only_one(layout), pytest.raises(HostError, match="another `make up`"), cli.only_one(layout):
        pass


SLOW = """
import os, subprocess, sys
child = subprocess.Popen(["sleep", "600"])
print(os.getpid(), child.pid, flush=True)
child.wait()
"""


def test_compile_ends_with_a_set_up_that_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible/setup").write_text(SLOW)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    with cli.compiling(layout):
        log = layout.log / "compile.log"
        pids = eventually("the compile to begin", lambda: log.read_text().split(), within=20)
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    eventually("its processes to be gone", lambda: not any(alive(pid) for pid in pids), within=20)


def alive(pid: str) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_exec_without_a_command_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exec", "--with", "dev", "--"]) == 1
    assert "exec needs a command" in capsys.readouterr().err


def test_each_cluster_has_its_context() -> None:
    assert playbook.context("bare") == "almagest"
    assert playbook.context("kind") == "kind-almagest"


def test_packages_are_shared_and_environments_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path, tmp_path)
    here, below = venv.path(layout, "host"), venv.packages(layout, "host")
    assert below.name.startswith("host-")
    assert venv.packages(layout, "dev") != below
    lock_file = venv.lock_file("host")
    monkeypatch.setattr(venv, "lock_file", lambda _: lock_file)
    monkeypatch.setattr(venv, "ROOT", tmp_path / "another clone")
    assert venv.packages(layout, "host") == below
    assert venv.path(layout, "host") != here


def test_finished_virtual_environment_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path, tmp_path)
    ran: list[str] = []

    def create(target: Path, _: object) -> None:
        (target / "bin").mkdir(parents=True)
        ran.append("create")

    monkeypatch.setattr(venv, "create", create)
    monkeypatch.setattr(venv, "pip", lambda *_: ran.append("pip"))
    venv.ensure(layout, "host", print)
    venv.ensure(layout, "host", print)
    assert ran == ["create", "pip", "pip"]


def test_environment_runs_the_commands_of_the_packages_below_as_its_own(tmp_path: Path) -> None:
    below, over = tmp_path / "below", tmp_path / "over"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", below], check=True)
    (venv.site_packages(below) / "starry.py").write_text("import sys\nPLACE = sys.prefix\n")
    command = below / "bin/starry"
    command.write_text(f"#!{below}/bin/python\nimport starry\nprint(starry.PLACE)\n")
    command.chmod(0o755)
    with (tmp_path / "log").open("w") as log:
        venv.lay_over(below, over, log)
    assert subprocess.check_output([command], text=True).strip() == str(below)
    assert subprocess.check_output([over / "bin/starry"], text=True).strip() == str(over)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "cache", tmp_path / "state")
    for program in (made.state / "bin/current/kubectl", made.cache / "venv/bin/almagest"):
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    return made


def test_commands_come_and_go(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "bin"
    where.mkdir()
    monkeypatch.setenv("PATH", str(where))
    assert install.commands(layout, layout.cache / "venv", where)
    assert not install.commands(layout, layout.cache / "venv", where)
    assert sorted(os.listdir(where)) == ["almagest", "kubectl"]  # noqa: PTH208  names are all that matters here
    (where / "mine").symlink_to("/bin/true")
    (where / "neighbour").symlink_to(f"{layout.state}-of-others/bin/kubectl")
    monkeypatch.setattr(install, "COMPLETIONS", tmp_path / "completions")
    assert install.remove_commands(layout, where)
    assert sorted(path.name for path in where.iterdir()) == ["mine", "neighbour"]


def test_completions_of_others_are_neither_replaced_nor_removed(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "COMPLETIONS", tmp_path / "completions")
    (tmp_path / "completions").mkdir()
    (tmp_path / "completions/kubectl").write_text("source /opt/theirs\n")
    (tmp_path / "bin").mkdir()
    assert install.completions()
    assert (tmp_path / "completions/almagest").exists()
    assert install.remove_commands(layout, tmp_path / "bin")
    assert [path.read_text() for path in (tmp_path / "completions").iterdir()] == ["source /opt/theirs\n"]


@pytest.mark.parametrize(("server", "ours"), [("https://172.31.255.1:6443", True), ("https://k8s.example", False)])
def test_context_of_our_name_is_ours_by_its_address(tmp_path: Path, server: str, ours: bool) -> None:
    context = {"name": "almagest", "context": {"cluster": "almagest"}}
    config = {"clusters": [{"name": "almagest", "cluster": {"server": server}}], "contexts": [context]}
    assert kubeconfig.is_of(Node(tmp_path, tmp_path), config) is ours


def test_kubectl_of_the_user_is_left_alone(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where, theirs = tmp_path / "bin", tmp_path / "theirs"
    for directory in (where, theirs):
        directory.mkdir()
    (theirs / "kubectl").touch(0o755)
    monkeypatch.setenv("PATH", f"{theirs}:{where}")
    install.commands(layout, layout.cache / "venv", where)
    assert [path.name for path in where.iterdir()] == ["almagest"]
