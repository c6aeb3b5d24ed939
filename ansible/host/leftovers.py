"""What a cluster leaves in the kernel and on the disk of its host, and how each is taken away.

Everything is found by name or place, never from a list written earlier, so that it works after a crash, a reboot or
half a set-up. What another cluster would name alike is taken only where `Surroundings` says that it is ours. Each
function may be called any number of times.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from host.errors import HostError
from host.neighbours import Surroundings
from host.node import Node
from host.processes import pods

RULE = re.compile(r"^(?:\[\d+:\d+\] )?-A (?P<chain>\S+)")
JUMP = re.compile(r" -[jg] ((?:KUBE|CNI)-\S+)")
"""A jump to a chain that Kubernetes or a network plugin made; not to a built-in target like ACCEPT."""
POD_NETWORK = r"name: \"almagest\""
"""How the bridge plugin comments the rules that it makes for the pods of our network."""
POLICY_COMMENT = '--comment "KUBE-ROUTER '
"""How kube-router comments the rules that it puts into the built-in chains."""


def clear(node: Node, around: Surroundings) -> Iterator[str]:
    """Take everything away that is no data, once the processes are gone; yields what was there, in words.

    The bridges go last: as long as one is there, it proves that the chains are ours.
    """
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("mounts", lambda: remove_mounts(node)),
        ("firewall rules", lambda: remove_rules(around)),
        ("address sets", lambda: around.common_is_ours and remove_sets()),
        ("control groups", lambda: remove_cgroups(node, around)),
        ("stray files", lambda: remove_strays(node)),
        ("run-time state", lambda: remove_tree(node.run)),
        ("bridges", lambda: around.named_is_ours and remove_links(node)),
    )
    for name, step in steps:
        if step():
            yield name


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo (proc(5)): which directory of which device, and where it is mounted."""

    number: str
    parent: str
    device: str
    directory: str
    point: Path


def mount_table(mountinfo: str) -> list[Mount]:
    """Mounts in the order in which they were made; a space and its like stand in octal there."""
    rows = (
        [re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), field) for field in line.split()[:5]]
        for line in mountinfo.splitlines()
    )
    return [Mount(number, parent, device, root, Path(point)) for number, parent, device, root, point in rows]


def mounts() -> list[Mount]:
    return mount_table(Path("/proc/self/mountinfo").read_text())


def ours(places: Sequence[Path], table: Sequence[Mount]) -> list[Path]:
    """Mount points below places that only our programs mount in, the innermost first.

    A place itself may be a disk that somebody gave us, and stays. It goes when it is merely mounted over itself, as the
    kubelet and buildah do it with a directory of theirs.
    """
    below = {mount.number: mount for mount in table}
    return [
        mount.point
        for mount in reversed(table)
        if any(place in mount.point.parents for place in places)
        or (mount.point in places and is_over_itself(mount, below.get(mount.parent)))
    ]


def is_over_itself(mount: Mount, below: Mount | None) -> bool:
    if not below or below.device != mount.device or not mount.point.is_relative_to(below.point):
        return False
    return Path(below.directory, mount.point.relative_to(below.point)) == Path(mount.directory)


def unmount(*places: Path) -> bool:
    """Take away every mount of ours below the places. Raises HostError when one holds on."""
    points = ours(places, mounts())
    for point in points:
        if subprocess.run(["umount", point], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "-l", point], capture_output=True, check=False)
    if left := ours(places, mounts()):
        raise HostError(f"cannot unmount {left[0]}: end what uses it (`fuser -vm {left[0]}`) and run this again")
    return bool(points)


def remove_mounts(node: Node) -> bool:
    """What containerd and the kubelet mount for the pods."""
    return unmount(node.run, node.state / "kubelet", node.state / "containerd" / "tmpmounts")


def remove_tree(place: Path) -> bool:
    """Delete a file, or a directory with all that it holds; a disk that is mounted there is emptied and stays.

    Raises HostError for a disk that is mounted further down: it is none of ours, and may be somebody's data.
    """
    points = {mount.point for mount in mounts()}
    if found := sorted(point for point in points if place in point.parents):
        raise HostError(f"{found[0]} is mounted inside {place}, which is to be deleted: unmount it and run this again")
    if place in points:
        gone = [remove_tree(path) for path in place.iterdir()]
        return any(gone)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
        return True
    return remove_files([place])


def remove_links(node: Node) -> bool:
    """The node's two bridges, and the host's ends of the pods' interfaces."""
    done = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True)
    own = {node.link, node.pod_link}
    found = [link["ifname"] for link in json.loads(done.stdout) if link["ifname"] in own or link.get("master") in own]
    for name in sorted(found, key=lambda name: name in own):
        subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
    return bool(found)


def without_cluster(saved: str, around: Surroundings) -> str:
    """What `iptables-save -c` printed, less the chains of our pod network, those of Kubernetes, and what uses them.

    Other networks' `CNI-` chains, as podman makes them, stay.
    """
    lines = saved.splitlines()
    ours = [line for line in lines if around.named_is_ours and POD_NETWORK in line]
    chains = {jump[1] for line in ours if (jump := JUMP.search(line))}
    common = around.common_is_ours
    kept = (line for line in lines if not is_of(line, chains) and not (common and is_kubernetes(line)))
    return "".join(f"{line}\n" for line in kept)


def is_of(line: str, chains: set[str]) -> bool:
    """Whether a line declares, fills or jumps to one of the chains."""
    return any(name in chains for name in chains_named(line))


def is_kubernetes(line: str) -> bool:
    """Whether a line is kube-proxy's, the kubelet's or kube-router's."""
    return any(name.startswith("KUBE-") for name in chains_named(line)) or POLICY_COMMENT in line


def chains_named(line: str) -> list[str]:
    rule, jump = RULE.match(line), JUMP.search(line)
    named = [line[1:].partition(" ")[0]] if line.startswith(":") else [rule["chain"]] if rule else []
    return named + ([jump[1]] if rule and jump else [])


def is_empty(table: str, saved: str) -> bool:
    """Whether a table has neither rules, nor chains of its own, nor a policy other than ACCEPT."""
    found = re.search(rf"^\*{table}$(.*?)^COMMIT$", saved, re.MULTILINE | re.DOTALL)
    lines = [line for line in (found[1] if found else "").split("\n") if line]
    return all(re.match(r":\S+ ACCEPT ", line) for line in lines)


def remove_rules(around: Surroundings) -> bool:
    """The chains of the pod network and of Kubernetes, for both families; tables that this leaves empty go too."""
    changed = False
    for program, family in (("iptables", "ip"), ("ip6tables", "ip6")):
        if not shutil.which(f"{program}-save"):
            continue
        saved = subprocess.run([f"{program}-save", "-c"], capture_output=True, text=True, check=True).stdout
        kept = without_cluster(saved, around)
        if kept.splitlines() != saved.splitlines():
            changed = True
            restore = [f"{program}-restore", "-c"]
            done = subprocess.run(restore, input=kept, capture_output=True, text=True, check=False)
            if done.returncode:
                raise HostError(f"{program}-restore refused what is left without the cluster: {done.stderr.strip()}")
            drop_empty_tables(family, kept)
    return changed


def drop_empty_tables(family: str, saved: str) -> None:
    """With nf_tables below iptables, a table that nobody uses can go as it came."""
    if not shutil.which("nft"):
        return
    for table in re.findall(r"^\*(\w+)$", saved, re.MULTILINE):
        if is_empty(table, saved):
            subprocess.run(["nft", "delete", "table", family, table], capture_output=True, check=False)


def remove_sets() -> bool:
    """kube-router's address sets; they can go once no rule uses them."""
    if not shutil.which("ipset"):
        return False
    done = subprocess.run(["ipset", "list", "-n"], capture_output=True, text=True, check=False)
    found = [name for name in done.stdout.split() if re.match(r"(inet6:)?(KUBE-|kube-router)", name)]
    for name in found:
        subprocess.run(["ipset", "destroy", name], capture_output=True, check=False)
    return bool(found)


def remove_cgroups(node: Node, around: Surroundings, root: Path = Path("/sys/fs/cgroup")) -> bool:
    """The pods' control groups, in every hierarchy of version 1 or in the one of version 2.

    Those of our kubelet's pods, or all that are left when no other cluster is here.
    """
    tops = [path for path in (root / "kubepods", *root.glob("*/kubepods")) if path.is_dir()]
    own = pods(node.state)
    groups = [path for top in tops for path in (*top.glob("pod*"), *top.glob("*/pod*"))]
    mine = tops if around.common_is_ours else [group for group in groups if group.name.removeprefix("pod") in own]
    for top in mine:
        for path in [*sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True), top]:
            rmdir(path)
    return bool(mine)


def rmdir(path: Path) -> None:
    """A group whose last process just died is busy for a moment."""
    for _ in range(20):
        try:
            path.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return


def remove_strays(node: Node) -> bool:
    """Files that programs write to places of their own choice: the network plugins, the kubelet, containerd's shims."""
    results = plugin_results(Path("/var/lib/cni/results"), node.run)
    links = (link for link in Path("/var/log/containers").glob("*.log") if points_below(link, node.log))
    plugins = Path("/var/lib/kubelet/device-plugins")
    gone = remove_files([*results, *links, *device_plugins(plugins), *dead_sockets(shim_sockets(node.run))])
    places = ("/var/lib/cni/results", "/var/lib/cni", "/var/log/containers", "/run/containerd/s", "/run/containerd")
    for place in (*map(Path, places), plugins, plugins.parent):
        remove_if_empty(place)
    return gone


def device_plugins(place: Path) -> list[Path]:
    """What our kubelet writes outside of its own directory; none where another kubelet's directory is around it."""
    if not place.is_dir() or any(path != place for path in place.parent.iterdir()):
        return []
    return [place / name for name in ("kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION")]


def plugin_results(place: Path, run: Path) -> list[Path]:
    """What the network plugins remember of our pods, loopbacks included: it names their name space, below `run`."""
    return [path for path in place.glob("*-*") if f'"{run}/' in path.read_text()]


def shim_sockets(run: Path) -> list[Path]:
    """Where the shims of our containers listen, outside of our directories; each wrote it down beside its container."""
    notes = run.glob("containerd/io.containerd.runtime.v2.task/*/*/address")
    return [Path(note.read_text().strip().removeprefix("unix://")) for note in notes]


def dead_sockets(sockets: Iterable[Path]) -> list[Path]:
    """Those that nobody listens on any more."""
    alive = Path("/proc/net/unix").read_text()
    return [path for path in sockets if path.is_socket() and str(path) not in alive]


def points_below(link: Path, place: Path) -> bool:
    return link.is_symlink() and str(link.readlink()).startswith(f"{place}/")


def remove_files(paths: Iterable[Path]) -> bool:
    found = False
    for path in paths:
        if path.exists() or path.is_symlink():
            path.unlink()
            found = True
    return found


def remove_if_empty(place: Path) -> None:
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
