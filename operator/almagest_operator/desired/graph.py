"""Who speaks to whom: the one dependency graph of an archive.

Ports, NetworkPolicies and ServiceAccounts all come from here; `docs/operator/network.md` is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from almagest_operator.model.archive import ArchiveSpec

WORLD = "world"
"""Everybody outside the archive."""

PORTS = {
    "proxy": 8080,
    "web": 8000,
    "wordpress": 8080,
    "appdb": 5432,
    "datadb": 5432,
    "broker": 5672,
    "cache": 6379,
    "mariadb": 3306,
}
"""The one port that each server listens on."""


@dataclass(frozen=True, order=True)
class Edge:
    """`source` opens connections to the port of `target`."""

    source: str
    target: str

    @property
    def port(self) -> int:
        return PORTS[self.target]


Graph = Mapping[str, tuple[str, ...]]

_APPLICATION: Graph = {
    WORLD: ("proxy",),
    "proxy": ("web",),
    "web": ("appdb", "datadb", "broker", "cache"),
    "worker": ("appdb", "datadb", "broker", "cache"),
    "scheduler": ("appdb", "broker", "cache"),
    "migrate": ("appdb", "datadb"),
    "ingest": ("appdb", "datadb"),
}
_WORDPRESS: Graph = {"proxy": ("wordpress",), "wordpress": ("mariadb",)}


def edges(spec: ArchiveSpec) -> tuple[Edge, ...]:
    """Every connection that the archive needs, sorted; nothing else is allowed."""
    graphs = [_APPLICATION, _WORDPRESS] if spec.wordpress.enabled else [_APPLICATION]
    return tuple(sorted(Edge(source, target) for graph in graphs for source in graph for target in graph[source]))


def parts(spec: ArchiveSpec) -> tuple[str, ...]:
    """The names of all parts of the archive, sorted."""
    return tuple(sorted({end for edge in edges(spec) for end in (edge.source, edge.target)} - {WORLD}))
