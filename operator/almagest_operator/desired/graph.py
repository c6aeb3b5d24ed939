"""Who speaks to whom, and who waits for whom: the one dependency graph of an archive.

Ports, NetworkPolicies, ServiceAccounts and the gates of a roll-out all come from here; `docs/operator/network.md` is
drawn from it.
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


SHARED = frozenset({"policies", "proxy"})
"""Parts that every pod needs to be there: no pod may run before the policies do, and the proxy's Service has the port
that the archive's address ends with."""

_MADE_WITH: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("web", "worker", "migrate"), frozenset({"app", "django"})),
    **dict.fromkeys(("scheduler", "ingest"), frozenset({"app", "django", "files"})),
    "wordpress": frozenset({"uploads"}),
}
_STARTS_AFTER: Graph = {
    "migrate": ("appdb", "datadb"),
    "ingest": ("migrate",),
    "web": ("migrate",),
    "worker": ("migrate", "broker"),
    "scheduler": ("migrate", "broker"),
    # A release comes whole: when it cannot be migrated to, the old one stays, WordPress and nginx included.
    "wordpress": ("migrate", "mariadb"),
    "proxy": ("migrate",),
}
SITE = frozenset({"migrate", "web", "worker", "scheduler", "proxy"})
"""The parts that together serve a release: pages, queries, jobs."""


def made_with(part: str) -> frozenset[str]:
    """The parts whose Secrets, volumes, configuration and Services must be there before a pod of this part is.

    The proxy follows the addresses of what is behind it, so it waits for none of that.
    """
    targets = {target for target in _targets(part) if part != "proxy"}
    return frozenset({part, *targets}) | SHARED | _MADE_WITH.get(part, frozenset())


def starts_after(part: str) -> tuple[str, ...]:
    """The parts that must be ready before a pod of this part is started or changed.

    What a part merely uses (the cache, the broker for web) is not among them: it starts without, and finds it later.
    """
    return _STARTS_AFTER.get(part, ())


def users(part: str) -> frozenset[str]:
    """The parts that may still use an object of this part: a server's clients; of anything else, the whole site."""
    if part not in PORTS:
        return SITE | {part}
    return frozenset({part} | {source for source in (*_APPLICATION, *_WORDPRESS) if part in _targets(source)} - {WORLD})


def _targets(part: str) -> tuple[str, ...]:
    return (*_APPLICATION.get(part, ()), *_WORDPRESS.get(part, ()))
