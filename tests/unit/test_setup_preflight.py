"""What `make up` refuses, before it does anything, and what it says."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from host import preflight, prepare, processes, sockets
from host.layout import ROOT, Layout
from host.node import Node

NODE = Node(Path("/state"), Path("/state/bin/x"))
DEBIAN = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"}


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def one(problems: Iterator[str]) -> str:
    found = list(problems)
    assert len(found) == 1, found
    assert "\n" not in found[0]
    return found[0]


def test_user_without_root_hears_of_nothing_else(tmp_path: Path) -> None:
    assert "sudo -E make" in one(preflight.problems(Layout(tmp_path, tmp_path), user=1000, cluster=True))


@pytest.mark.parametrize("version", ["12", "13", "12.11"])
def test_debian_is_supported(version: str) -> None:
    assert list(preflight.system_problems({**DEBIAN, "VERSION_ID": version}, "x86_64")) == []


def test_other_system_is_named() -> None:
    ubuntu = {"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04 LTS"}
    assert "Ubuntu 24.04 LTS" in one(preflight.system_problems(ubuntu, "aarch64"))


def test_other_machine_is_named() -> None:
    assert "riscv64" in one(preflight.system_problems(DEBIAN, "riscv64"))


def test_old_python_is_named() -> None:
    assert "Python 3.9" in one(preflight.python_problems((3, 9)))


def test_full_disk_is_told_once_and_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 14 * 10**9))
    told = one(preflight.space_problems(Layout(tmp_path / "cache", tmp_path / "state")))
    assert told.startswith("14.0 GB are free")
    assert "ALMAGEST_CACHE" in told


def test_finished_installation_needs_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 14 * 10**9))
    monkeypatch.setattr("host.compile.compiled", lambda _: True)
    layout = Layout(tmp_path / "cache", tmp_path / "state")
    (layout.cache / "images").mkdir(parents=True)
    (layout.cache / "images" / "release.yaml").touch()
    assert list(preflight.space_problems(layout)) == []


def test_foreign_listener_is_named_with_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(preflight, "PORTS", {port: "the API server"})
        told = one(preflight.port_problems(tmp_path))
    assert f"port {port}, which the API server needs" in told
    assert f"(process {os.getpid()})" in told


def test_own_listener_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = next(process for process in processes.listing() if process.pid == os.getpid())
    monkeypatch.setattr(processes, "of_cluster", lambda _: [me])
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(preflight, "PORTS", {server.getsockname()[1]: "the API server"})
        assert list(preflight.port_problems(tmp_path)) == []


@contextmanager
def ownerless_listener() -> Iterator[tuple[int, Callable[[], None]]]:
    """A listening port that no process has, as after a SIGKILL: its socket is on its way by SCM_RIGHTS. And its end."""
    sender, receiver = socket.socketpair()
    with sender, receiver:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.send_fds(sender, [b"x"], [server.fileno()])
            port = server.getsockname()[1]
        yield port, receiver.close


def test_port_of_a_process_that_was_just_killed_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ownerless_listener() as (port, end):
        monkeypatch.setattr(preflight, "PORTS", {port: "the API server"})
        dying = threading.Timer(0.5, end)
        dying.start()
        assert list(preflight.port_problems(tmp_path)) == []
        dying.join()


def test_port_that_stays_taken_by_nobody_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ownerless_listener() as (port, _):
        monkeypatch.setattr(preflight, "PORTS", {port: "the API server"})
        monkeypatch.setattr(sockets, "DYING_SECONDS", 0.3)
        assert "is taken by an unknown process: end it" in one(preflight.port_problems(tmp_path))


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """An archive's environment `test`, and its base, which is reached from inside the cluster alone."""
    for name, text in (("base", "spec:\n  exposure:\n    type: ClusterIP\n"), ("test", "spec:\n  environment: test\n")):
        (tmp_path / "sky" / name).mkdir(parents=True)
        (tmp_path / "sky" / name / "archive.yaml").write_text(text)
    return tmp_path / "sky/test"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("spec:\n  exposure:\n    tls:\n      secretName: x\n    type: Ingress\n  site: {}\n", "Ingress"),
        ('spec:\n  exposure: {tls: {secretName: x}, type: "Ingress"}\n', "Ingress"),
        ("spec:\n  exposure:\n    # type: Ingress\n    type: NodePort\n", "NodePort"),
        ("spec:\n  exposure:\n    nodePort: 30080\n  other:\n    type: Ingress\n", "ClusterIP"),
        ("spec:\n  environment: test\n", "ClusterIP"),
    ],
)
def test_overlay_has_the_last_word_on_its_exposure(overlay: Path, text: str, kind: str) -> None:
    (overlay / "archive.yaml").write_text(text)
    assert preflight.exposure(overlay) == kind


def test_exposures_of_the_demo_archive_are_read_as_they_are() -> None:
    kinds = {path.name: preflight.exposure(path) for path in (ROOT / "environments/gaia").iterdir()}
    assert kinds == {"base": "ClusterIP", "dev": "NodePort", "test": "Ingress", "production": "Ingress"}


@pytest.fixture
def cluster(tmp_path: Path) -> Callable[[str], Node]:
    """A node whose kubectl does what the shell script says."""

    def with_kubectl(script: str) -> Node:
        node = Node(tmp_path / "state", tmp_path / "state/bin/x")
        kubectl = node.state / "bin/current/kubectl"
        kubectl.parent.mkdir(parents=True)
        kubectl.write_text(f"#!/bin/sh\n{script}\n")
        kubectl.chmod(0o755)
        return node

    return with_kubectl


def test_ingress_without_a_class_is_told_with_the_way_out(overlay: Path, cluster: Callable[[str], Node]) -> None:
    (overlay / "archive.yaml").write_text("spec:\n  exposure: {type: Ingress}\n")
    told = one(preflight.ingress_problems(overlay, cluster("true")))
    assert "sky/test" in told
    assert "`make cluster`" in told


def test_ingress_in_a_cluster_that_is_yet_to_be_is_told(overlay: Path, tmp_path: Path) -> None:
    (overlay / "archive.yaml").write_text("spec:\n  exposure: {type: Ingress}\n")
    node = Node(tmp_path / "state", tmp_path / "state/bin/x")
    assert "no IngressClass" in one(preflight.ingress_problems(overlay, node))
    (node.state / "etcd").mkdir(parents=True)  # a disk of its own, which `make down` empties and leaves
    assert "no IngressClass" in one(preflight.ingress_problems(overlay, node))


@pytest.mark.parametrize("script", ["echo ingressclass.networking.k8s.io/nginx", "exit 1"], ids=["class", "stopped"])
def test_ingress_with_a_class_or_in_a_stopped_cluster_is_no_problem(
    overlay: Path, cluster: Callable[[str], Node], script: str
) -> None:
    (overlay / "archive.yaml").write_text("spec:\n  exposure: {type: Ingress}\n")
    assert list(preflight.ingress_problems(overlay, cluster(script))) == []


def test_exposure_without_ingress_asks_nobody(overlay: Path, cluster: Callable[[str], Node]) -> None:
    assert list(preflight.ingress_problems(overlay, cluster("true"))) == []


def test_network_of_the_host_that_covers_the_pods_is_named() -> None:
    table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\neth0 0000F40A 00000000 0001 0 0 0 0000FFFF 0\n"
    assert "10.244.0.0/16 (eth0)" in one(preflight.route_problems(table, NODE))


def test_own_routes_and_the_default_are_no_problem() -> None:
    table = "\n".join(
        [
            "Iface Destination Gateway Flags RefCnt Use Metric Mask",
            f"{NODE.pod_link} 0000F40A 00000000 0001 0 0 0 00FFFFFF",
            "eth0 00000000 0100000A 0003 0 0 0 00000000",
        ]
    )
    assert list(preflight.route_problems(table, NODE)) == []


def test_state_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    node = Node(tmp_path, tmp_path / "bin/x")
    assert list(prepare.claim_problems(node)) == []
    (tmp_path / "volumes").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/one").touch()
    assert list(prepare.claim_problems(node)) == []
    (tmp_path / "etcd/member").mkdir(parents=True)
    assert f"{tmp_path} has etcd, and no kernel.json" in one(prepare.claim_problems(node))
    node.memory.write_text("{}")
    assert list(prepare.claim_problems(node)) == []


def test_claim_is_made_once_and_keeps_the_first_settings(tmp_path: Path) -> None:
    node = Node(tmp_path / "state", tmp_path / "bin/x")
    prepare.claim(node)
    assert "net/ipv4/ip_forward" in node.memory.read_text()
    node.memory.write_text("{}")
    prepare.claim(node)
    assert node.memory.read_text() == "{}"
