"""Whether another cluster lives on this machine: Kubernetes names its chains, sets and control groups alike everywhere.

Two kube-proxies would write the same chains over and over, so the chains of a network namespace belong to one cluster.
They are ours when our node lived in this namespace since the machine was started, which its bridge proves, and when
nobody else's kubelet, kube-proxy or pod lives here now.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from host import processes, sockets
from host.node import Node
from host.processes import Process

AGENTS = (10248, 10249, 10250, 10256)
"""Ports of every kubelet and kube-proxy: their health, metrics and API. A node without one of them is no node."""


@dataclass(frozen=True)
class Surroundings:
    """Who else is here. other: a process of another cluster, in words; almagest: it is one of ours with another state.

    lived: our node's bridge is there, so that our programs may have run since the machine was started.
    """

    other: str = ""
    almagest: bool = False
    lived: bool = True

    @property
    def named_is_ours(self) -> bool:
        """What bears our name, as the bridges do."""
        return not self.almagest

    @property
    def common_is_ours(self) -> bool:
        """What every Kubernetes names alike."""
        return self.lived and not self.other


def look(node: Node) -> Surroundings:
    """To be asked once our own processes are gone."""
    own = processes.pods(node.state)
    others = [process for process in processes.listing() if not processes.is_ours(process, node.state, own)]
    almagest = [process for process in others if process.is_of_a_node and is_in_our_network(process)]
    holders = sockets.holders(AGENTS).values()
    agents = [holder for holder in holders if not (holder and processes.is_ours(holder, node.state, own))]
    found = [*almagest, *agents, *(process for process in others if process.pod)]
    lived = subprocess.run(["ip", "link", "show", node.link], capture_output=True, check=False).returncode == 0
    return Surroundings(in_words(found[0]) if found else "", bool(almagest), lived)


def is_in_our_network(process: Process) -> bool:
    """A cluster in a name space of its own, as one in a container, has nothing that we could mistake for ours."""
    network = processes.target(Path(f"/proc/{process.pid}/ns/net"))
    return network == processes.target(Path("/proc/self/ns/net"))


def in_words(process: Process | None) -> str:
    return f"{process.name or process.args.split()[0]} (process {process.pid})" if process else "an unknown process"
