"""The one node of a bare-machine cluster: its name, its addresses, and where each of its programs keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from host.compile import identity
from host.layout import Layout

PODS = IPv4Network("10.244.0.0/24")
SERVICES = IPv4Network("10.96.0.0/16")
OWN = (
    "bin",
    "containerd",
    "etc",
    "etcd",
    "former-context",
    "kernel.json",
    "kubelet",
    "lib",
    "log",
    "pki",
    "run",
    "services",
    "volumes",
)
"""What is ours in the state directory. `make down` deletes nothing else: there may be more on the disk."""


@dataclass(frozen=True)
class Node:
    """Facts that configuration, certificates and services are made from. All paths are absolute.

    The addresses are private to this host: pods and services are reached through its own bridges, and only NodePorts
    answer on its other interfaces.
    """

    state: Path
    programs: Path
    """Directory of the compiled programs, one per version, so that another version restarts what runs."""
    sandbox_image: str = "pause"
    """Reference by digest of the image that holds a pod's name spaces."""
    name_servers: tuple[str, ...] = ()
    """Resolvers of the host that pods can reach."""
    name: str = "almagest"
    link: str = "almagest-node"
    """A bridge without ports that carries the node's address: Kubernetes wants one that is not loopback."""
    address: str = "172.31.255.1"
    pod_link: str = "almagest-pods"
    pods: IPv4Network = PODS
    services: IPv4Network = SERVICES
    domain: str = "cluster.local"

    @classmethod
    def of(cls, layout: Layout, sandbox_image: str = "pause", name_servers: tuple[str, ...] = ()) -> Node:
        programs = layout.state / "bin" / identity()
        return cls(layout.state, programs, sandbox_image, name_servers)

    @property
    def api(self) -> str:
        return f"https://{self.address}:6443"

    @property
    def first_service(self) -> str:
        """The address of the Service `kubernetes`."""
        return str(self.services[1])

    @property
    def dns(self) -> str:
        return str(self.services[10])

    @property
    def memory(self) -> Path:
        """The kernel's former settings, and the proof that the state directory is ours."""
        return self.state / "kernel.json"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def etc(self) -> Path:
        """Configuration files that the services read."""
        return self.state / "etc"

    @property
    def run(self) -> Path:
        """Sockets and run-time state: worth nothing once the processes are gone."""
        return self.state / "run"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"
