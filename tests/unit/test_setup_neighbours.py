"""What `make down` and a new start take away on a machine with another cluster, and with leftovers of our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.node import Node
from support.machine import Machine, machine
from support.waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make name spaces")

OURS, THEIRS = "11111111-aaaa", "22222222-bbbb"
KUBELET = "import socket, time; server = socket.create_server(('127.0.0.1', 10250)); time.sleep(600)"
DOWN = """
import json
from dataclasses import asdict
from host.down import down
from host.layout import Layout
print(json.dumps(asdict(down(Layout.here(), purge=False))))
"""
CLEAR = """
from host.layout import Layout
from host.node import Node
from host.prepare import clear
print(clear(Node.of(Layout.here())))
"""
OVERLAY = """
set -eu
mkdir -p {state}/containerd && mount -t tmpfs tmpfs {state}/containerd
mkdir -p {state}/containerd/1/fs {state}/containerd/1/work /run/root
mount -t overlay overlay -o lowerdir=/usr,upperdir={state}/containerd/1/fs,workdir={state}/containerd/1/work /run/root
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Machine]:
    """A machine where our cluster has run: its state is there, its kubelet had one pod."""
    with machine(tmp_path) as made:
        (made.state / "kubelet/pods" / OURS).mkdir(parents=True)
        (made.state / "run").mkdir()
        (made.state / "kernel.json").write_text("{}")
        yield made


def our_kernel(host: Machine) -> None:
    """What our node leaves in the kernel."""
    node = Node(host.state, host.state / "bin/x")
    for link in (node.link, node.pod_link):
        host.run("ip", "link", "add", link, "type", "bridge")
    host.run("ip", "link", "add", "veth1", "type", "veth", "peer", "name", "peer1")
    host.run("ip", "link", "set", "veth1", "master", node.pod_link)
    host.run("iptables", "-t", "nat", "-N", "CNI-f00")
    comment = ("-m", "comment", "--comment", 'name: "almagest" id: "f00"')
    host.run("iptables", "-t", "nat", "-A", "POSTROUTING", "-s", "10.244.0.5/32", *comment, "-j", "CNI-f00")
    host.run("mkdir", "-p", host.state / "run/shm")
    host.run("mount", "-t", "tmpfs", "tmpfs", host.state / "run/shm")


def kubernetes(host: Machine) -> None:
    """What every cluster leaves in the kernel."""
    host.run("iptables", "-t", "nat", "-N", "KUBE-SERVICES")
    host.run("iptables", "-t", "nat", "-A", "PREROUTING", "-j", "KUBE-SERVICES")
    host.run("ipset", "create", "KUBE-SRC-1", "hash:ip")


def kubelet(host: Machine) -> subprocess.Popen[bytes]:
    """Another cluster's, as far as it can be seen: it listens on the kubelet's port."""
    started = host.start("python3", "-c", KUBELET)
    eventually("it to listen", lambda: ":280A 00000000:0000 0A" in host.run("cat", "/proc/net/tcp"), within=20)
    return started


def program(path: Path) -> Path:
    """A program of that name that does nothing for ten minutes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy("/usr/bin/sleep", path)
    return path


def chains(host: Machine) -> set[str]:
    saved = host.run("iptables-save").splitlines()
    return {line[1:].split()[0] for line in saved if line.startswith((":KUBE", ":CNI"))}


def links(host: Machine) -> set[str]:
    return {link["ifname"] for link in json.loads(host.run("ip", "-j", "link"))} - {"lo"}


def sets(host: Machine) -> set[str]:
    return set(host.run("ipset", "list", "-n").split())


def groups(host: Machine) -> set[str]:
    return {path.name for path in host.group.glob("kubepods/burstable/*") if path.is_dir()}


def test_another_cluster_survives_and_ours_goes(host: Machine) -> None:
    our_kernel(host)
    kubernetes(host)
    ours = [
        host.start(program(host.state / "bin/x/almagest-kubernetes"), "600"),
        host.start("sleep", "601", pod=OURS),
    ]
    host.run("sh", "-c", OVERLAY.format(state=host.state))
    ours.append(host.start("chroot", "/run/root", "/bin/sleep", "602", pod="of-a-directory-that-is-gone"))
    theirs = [
        host.start("sleep", "603", pod=THEIRS),
        host.start(program(host.place / "theirs/k3s"), "604"),
        kubelet(host),
    ]
    ending = json.loads(host.python(DOWN))
    assert "(process " in ending["around"]["other"]
    assert [process.wait(10) for process in ours] == [-9, -9, -9]
    assert [process.poll() for process in theirs] == [None, None, None]
    assert chains(host) == {"KUBE-SERVICES"}
    assert sets(host) == {"KUBE-SRC-1"}
    assert links(host) == set()
    assert groups(host) == {f"pod{THEIRS}", "podof-a-directory-that-is-gone"}
    assert not (host.state / "kubelet").exists()


@pytest.mark.parametrize("alone", ["a pod", "a kubelet"])
def test_one_sign_of_another_cluster_is_enough(host: Machine, alone: str) -> None:
    our_kernel(host)
    kubernetes(host)
    theirs = host.start("sleep", "603", pod=THEIRS) if alone == "a pod" else kubelet(host)
    host.python(CLEAR)
    assert theirs.poll() is None
    assert chains(host) == {"KUBE-SERVICES"}
    assert sets(host) == {"KUBE-SRC-1"}


@pytest.mark.parametrize("script", [DOWN, CLEAR], ids=["down", "a new start"])
def test_leftovers_go_when_every_process_is_gone(host: Machine, script: str) -> None:
    our_kernel(host)
    kubernetes(host)
    (host.group / f"kubepods/burstable/pod{OURS}").mkdir(parents=True)
    host.python(script)
    assert (chains(host), sets(host), links(host), groups(host)) == (set(), set(), set(), set())
    assert str(host.state) not in host.run("cat", "/proc/mounts")


def test_chains_of_a_cluster_that_sleeps_stay_when_ours_has_not_run_since_the_boot(
    host: Machine,
) -> None:
    kubernetes(host)
    (host.group / f"kubepods/burstable/pod{THEIRS}").mkdir(parents=True)
    assert json.loads(host.python(DOWN))["gone"] == ["run-time state", "state"]
    assert (chains(host), sets(host), groups(host)) == ({"KUBE-SERVICES"}, {"KUBE-SRC-1"}, {f"pod{THEIRS}"})


def test_another_state_directory_s_cluster_keeps_all_that_bears_our_name(host: Machine) -> None:
    our_kernel(host)
    kubernetes(host)
    before = (chains(host), sets(host), links(host))
    other = host.place / "other"
    (other / "kubelet/pods" / THEIRS).mkdir(parents=True)
    theirs = host.start(program(other / "bin/x/almagest-kubernetes"), "600")
    assert json.loads(host.python(DOWN))["around"]["almagest"]
    assert (chains(host), sets(host), links(host)) == before
    assert theirs.poll() is None


def test_an_api_server_without_a_node_is_no_other_cluster(host: Machine) -> None:
    """Tests start one right from the cache; it has no bridges, chains and sets."""
    our_kernel(host)
    kubernetes(host)
    alone = host.start(program(host.place / "cache/kubernetes/x/bin/almagest-kubernetes"), "600")
    ending = json.loads(host.python(DOWN))
    assert not ending["around"]["other"]
    assert (chains(host), sets(host), links(host)) == (set(), set(), set())
    assert alone.poll() is None


@pytest.mark.parametrize("script", [DOWN, CLEAR], ids=["down", "a new start"])
def test_what_another_kubelet_and_runtime_keep_stays(host: Machine, script: str) -> None:
    kept = (
        "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint",
        "/var/lib/kubelet/config.yaml",
        "/run/containerd/s/dead",
        "/var/lib/cni/results/theirs-1-eth0",
    )
    for path in kept:
        host.run("sh", "-c", f"mkdir -p $(dirname {path}) && echo theirs > {path}")
    host.python(script)
    assert [host.run("cat", path).strip() for path in kept] == ["theirs"] * len(kept)


def test_directory_that_is_not_ours_is_refused_before_anything_is_done(host: Machine) -> None:
    (host.state / "kernel.json").unlink()
    (host.state / "etcd").mkdir()
    (host.state / "etcd/data").touch()
    theirs = host.start(program(host.state / "bin/k3s"), "600")
    refused = host.run("sh", "-c", f"{Path(__file__).parents[2]}/ansible/setup down 2>&1 || true")
    assert f"{host.state} has bin, etcd, kubelet" in refused
    assert "set ALMAGEST_STATE" in refused
    assert theirs.poll() is None
    assert (host.state / "etcd/data").exists()
