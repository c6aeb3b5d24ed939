"""What is taken away at the end, and what of others stays."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host import down, leftovers
from host.errors import HostError
from host.neighbours import Surroundings
from host.node import OWN, Node
from host.processes import Process, is_ours, layer_of
from support.waiting import eventually

STATE = Path("/var/lib/almagest")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
SAVED = r"""*nat
:PREROUTING ACCEPT [1:60]
:POSTROUTING ACCEPT [0:0]
:CNI-0a1b2c ACCEPT [0:0]
:CNI-podman - [0:0]
:KUBE-SERVICES - [0:0]
[3:180] -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
[0:0] -A PREROUTING -p tcp --dport 8080 -j REDIRECT
[0:0] -A POSTROUTING -s 10.244.0.5/32 -m comment --comment "name: \"almagest\" id: \"f00\"" -j CNI-0a1b2c
[0:0] -A POSTROUTING -s 10.88.0.5/32 -m comment --comment "name: \"podman\" id: \"f00\"" -j CNI-podman
[0:0] -A CNI-0a1b2c -d 10.244.0.0/24 -m comment --comment "name: \"almagest\" id: \"f00\"" -j ACCEPT
[0:0] -A CNI-0a1b2c ! -d 224.0.0.0/4 -m comment --comment "name: \"almagest\" id: \"f00\"" -j MASQUERADE
[0:0] -A CNI-podman -d 10.88.0.0/16 -j ACCEPT
[0:0] -A PREROUTING -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT" -m mark --mark 0x2/0x2 -j ACCEPT
[0:0] -A KUBE-SERVICES -d 10.96.0.10/32 -j KUBE-SVC-X
COMMIT
"""
KEPT = r"""*nat
:PREROUTING ACCEPT [1:60]
:POSTROUTING ACCEPT [0:0]
:CNI-podman - [0:0]
[0:0] -A PREROUTING -p tcp --dport 8080 -j REDIRECT
[0:0] -A POSTROUTING -s 10.88.0.5/32 -m comment --comment "name: \"podman\" id: \"f00\"" -j CNI-podman
[0:0] -A CNI-podman -d 10.88.0.0/16 -j ACCEPT
COMMIT
"""


def test_rules_of_the_cluster_go_and_those_of_others_stay() -> None:
    assert leftovers.without_cluster(SAVED, Surroundings()) == KEPT
    assert leftovers.without_cluster(KEPT, Surroundings()) == KEPT


def test_chains_of_kubernetes_stay_beside_another_cluster_and_those_of_our_pods_go() -> None:
    kept = leftovers.without_cluster(SAVED, Surroundings(other="kubelet (process 1)"))
    assert [line for line in SAVED.splitlines() if line not in kept.splitlines()] == [
        line for line in SAVED.splitlines() if "CNI-0a1b2c" in line
    ]


def test_only_a_table_without_rules_and_chains_is_empty() -> None:
    assert not leftovers.is_empty("nat", KEPT)
    assert leftovers.is_empty("nat", "*nat\n:PREROUTING ACCEPT [1:60]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n")
    assert not leftovers.is_empty("filter", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n")


def table(*rows: str) -> list[leftovers.Mount]:
    """Rows as in /proc/self/mountinfo, each mounted on the first, which is the root."""
    return leftovers.mount_table("\n".join(["1 0 8:1 / / rw - ext4 /dev/sda rw", *rows]))


def test_mounts_are_taken_innermost_first_and_neighbours_left() -> None:
    found = table(
        "2 1 0:5 / /var/lib/almagest/run/netns rw - tmpfs tmpfs rw",
        r"3 2 0:6 / /var/lib/almagest/run/netns/with\040space rw - tmpfs tmpfs rw",
        "4 1 0:7 / /var/lib/almagest/running rw - tmpfs tmpfs rw",
        "5 1 0:8 / /mnt/Müller rw - tmpfs tmpfs rw",
    )
    run = STATE / "run"
    assert leftovers.ours([run], found) == [run / "netns/with space", run / "netns"]


def test_disk_for_the_state_or_for_a_part_of_it_is_never_unmounted() -> None:
    places = [STATE / "run", STATE / "kubelet"]
    found = table(
        "2 1 8:2 / /var/lib/almagest rw - ext4 /dev/sdb rw",
        "3 2 8:3 / /var/lib/almagest/volumes rw - ext4 /dev/sdc rw",
        "4 2 8:4 / /var/lib/almagest/kubelet rw - ext4 /dev/sdd rw",
        "5 4 0:5 / /var/lib/almagest/kubelet/pods/1 rw - tmpfs tmpfs rw",
    )
    assert leftovers.ours(places, found) == [STATE / "kubelet/pods/1"]


def test_directory_that_the_kubelet_mounted_over_itself_is_no_disk() -> None:
    kubelet = STATE / "kubelet"
    assert leftovers.ours([kubelet], table(f"2 1 8:1 {kubelet} {kubelet} rw - ext4 /dev/sda rw")) == [kubelet]
    on_a_disk = table("2 1 8:2 / /var/lib rw - ext4 /dev/sdb rw", f"3 2 8:2 /almagest/kubelet {kubelet} rw - ext4 x rw")
    assert leftovers.ours([kubelet], on_a_disk) == [kubelet]
    somebodys = table(f"2 1 8:1 /srv/kubelet {kubelet} rw - ext4 /dev/sda rw")
    assert leftovers.ours([kubelet], somebodys) == []


@contextmanager
def disk(place: Path) -> Iterator[Path]:
    """An empty disk in memory, mounted there."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        if place.is_mount():
            subprocess.run(["umount", place], check=True)


@needs_root
def test_clearing_the_former_life_keeps_the_disk_of_the_state_with_its_data(tmp_path: Path) -> None:
    node = Node(tmp_path / "state", tmp_path / "state/bin/x")
    with disk(node.state), disk(node.state / "volumes"), disk(node.run / "shm"):
        (node.state / "volumes/data").touch()
        assert leftovers.remove_mounts(node)
        assert not leftovers.remove_mounts(node)
        assert not (node.run / "shm").is_mount()
        assert (node.state / "volumes/data").exists()


@needs_root
def test_disk_of_the_state_is_emptied_of_what_is_ours_and_stays(tmp_path: Path) -> None:
    node = Node(tmp_path / "state", tmp_path / "state/bin/x")
    with disk(node.state), disk(node.state / "volumes"):
        (node.state / "volumes/claim").mkdir()
        (node.state / "etcd").mkdir()
        (node.state / "photos").mkdir()
        assert down.remove_state(node, Surroundings())
        assert sorted(path.name for path in node.state.rglob("*")) == ["photos", "volumes"]
        assert not down.remove_state(node, Surroundings())


def test_state_directory_goes_when_it_is_empty(tmp_path: Path) -> None:
    node = Node(tmp_path / "state", tmp_path / "state/bin/x")
    for name in OWN:
        (node.state / name).mkdir(parents=True)
    (node.state / "kernel.json").rmdir()
    (node.state / "kernel.json").write_text("{}")
    assert down.remove_state(node, Surroundings())
    assert not node.state.exists()
    assert not down.remove_state(node, Surroundings())


@needs_root
def test_disk_inside_what_is_to_be_deleted_is_refused_and_kept(tmp_path: Path) -> None:
    with disk(tmp_path / "volumes/claim/theirs") as theirs:
        (theirs / "data").touch()
        with pytest.raises(HostError, match=f"{theirs} is mounted inside"):
            leftovers.remove_tree(tmp_path / "volumes")
        assert (theirs / "data").exists()


def test_living_socket_stays_and_dead_one_goes(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as living, socket.socket(socket.AF_UNIX) as dying:
        living.bind(str(tmp_path / "living"))
        living.listen()
        dying.bind(str(tmp_path / "dead"))
        dying.close()
        task = tmp_path / "run/containerd/io.containerd.runtime.v2.task/k8s.io"
        for name in ("living", "dead", "gone"):
            (task / name).mkdir(parents=True)
            (task / name / "address").write_text(f"unix://{tmp_path}/{name}")
        found = leftovers.shim_sockets(tmp_path / "run")
        assert set(found) == {tmp_path / name for name in ("living", "dead", "gone")}
        assert leftovers.dead_sockets(found) == [tmp_path / "dead"]


def test_what_plugins_remember_of_our_pods_goes_and_of_others_stays(tmp_path: Path) -> None:
    for name, owner in (("cni-loopback-f00-lo", "/var/lib/almagest/run"), ("podman-ba5-eth0", "/run")):
        (tmp_path / name).write_text(f'{{"result": {{"interfaces": [{{"sandbox": "{owner}/netns/cni-1"}}]}}}}')
    assert leftovers.plugin_results(tmp_path, STATE / "run") == [tmp_path / "cni-loopback-f00-lo"]


OURS = "5d0f7f6e-0000"


def test_process_that_ends_just_now_has_no_layer() -> None:
    with subprocess.Popen(["true"]) as ended:
        status = Path(f"/proc/{ended.pid}/status")
        eventually("it to have ended", lambda: "State:\tZ" in status.read_text(), within=10)
        assert layer_of(status.parent) == ""


def process(exe: str = "", cwd: str = "/", args: str = "", cgroup: str = "0::/user.slice", layer: str = "") -> Process:
    return Process(1, exe, cwd, args, cgroup, layer)


def test_program_from_the_state_directory_is_ours() -> None:
    assert is_ours(process(exe="/var/lib/almagest/bin/v1.36.2-0/almagest-kubernetes"), STATE, {OURS})
    assert is_ours(process(exe="/var/lib/almagest/bin/v1.36.2-0/almagest-kubernetes (deleted)"), STATE, {OURS})


def test_the_same_program_from_elsewhere_is_not() -> None:
    assert not is_ours(process(exe="/root/.cache/almagest/kubernetes/current/bin/almagest-kubernetes"), STATE, {OURS})


def test_container_runtime_is_ours_only_with_our_configuration() -> None:
    assert not is_ours(process(exe="/usr/bin/containerd", args="/usr/bin/containerd"), STATE, {OURS})
    args = "/usr/bin/containerd --config /var/lib/almagest/etc/containerd.toml"
    assert is_ours(process(exe="/usr/bin/containerd", args=args), STATE, {OURS})


def test_shell_that_stands_in_the_state_directory_is_not_ours() -> None:
    assert not is_ours(process(exe="/usr/bin/bash", cwd="/var/lib/almagest/log", args="bash"), STATE, {OURS})
    assert is_ours(process(exe="/usr/bin/s6-supervise", cwd="/var/lib/almagest/services/etcd"), STATE, {OURS})


def test_pause_of_a_job_is_ours_and_somebodys_sleep_is_not() -> None:
    assert is_ours(
        process(exe="/usr/bin/sleep", cwd="/var/lib/almagest/services/maintenance", args="sleep 9"), STATE, {OURS}
    )
    assert not is_ours(process(exe="/usr/bin/sleep", args="sleep 9"), STATE, {OURS})


@pytest.mark.parametrize("cgroup", ["4:memory:/kubepods/burstable/pod{}/2", "0::/kubepods/pod{}/2"])
def test_process_in_a_pod_is_ours_only_when_the_pod_is(cgroup: str) -> None:
    assert is_ours(process(exe="/usr/bin/redis", cgroup=cgroup.format(OURS)), STATE, {OURS})
    assert not is_ours(process(exe="/usr/bin/redis", cgroup=cgroup.format("77")), STATE, {OURS})
    nested = f"0::/docker/1/kubelet{cgroup.format(OURS).rpartition(':')[2]}"
    assert not is_ours(process(exe="/usr/bin/redis", cgroup=nested), STATE, {OURS})


def test_container_is_ours_by_its_layer_when_its_pod_is_forgotten() -> None:
    cgroup = "4:memory:/kubepods/besteffort/pod77/2"
    assert is_ours(process(exe="/pause", cgroup=cgroup, layer=f"{STATE}/containerd/snapshots/1/fs"), STATE, set())
    assert not is_ours(process(exe="/pause", cgroup=cgroup, layer="/var/lib/containerd/snapshots/1/fs"), STATE, set())
