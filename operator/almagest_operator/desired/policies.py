"""NetworkPolicies: nothing is allowed but DNS and the edges of the graph."""

from __future__ import annotations

from almagest_operator.desired.graph import WORLD, Edge, edges
from almagest_operator.desired.scope import LABEL, Part, Scope, resource
from almagest_operator.model.resource import Manifest, Resource, Stage

POLICIES = Part.of("policies")
BOTH = ["Ingress", "Egress"]


def policies(scope: Scope) -> tuple[Resource, ...]:
    """Default deny in both directions, DNS for all, and one policy for each edge."""
    return (
        _policy(scope, "default-deny", {"podSelector": _archive(scope), "policyTypes": BOTH}),
        _policy(scope, "dns", _dns(scope)),
        *(_policy(scope, f"{edge.source}-to-{edge.target}", _edge(scope, edge)) for edge in edges(scope.archive.spec)),
    )


def _edge(scope: Scope, edge: Edge) -> Manifest:
    """What lets `source` reach the port of `target`.

    It selects both ends and says both halves: who may come in, and where one may go out. A connection needs its
    source's permission to leave and its target's to enter; of the four pairs of ends only source to target has both.
    """
    ports = [{"protocol": "TCP", "port": edge.port}]
    if edge.source == WORLD:
        return {"podSelector": _ends(scope, edge.target), "policyTypes": ["Ingress"], "ingress": [{"ports": ports}]}
    return {
        "podSelector": _ends(scope, edge.source, edge.target),
        "policyTypes": BOTH,
        "ingress": [{"from": [{"podSelector": _ends(scope, edge.source)}], "ports": ports}],
        "egress": [{"to": [{"podSelector": _ends(scope, edge.target)}], "ports": ports}],
    }


def _dns(scope: Scope) -> Manifest:
    """The cluster's DNS. A policy sees the server's own port, which is 5353 where the server runs without root."""
    server = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    ports = [{"protocol": protocol, "port": port} for port in (53, 5353) for protocol in ("TCP", "UDP")]
    return {
        "podSelector": _archive(scope),
        "policyTypes": ["Egress"],
        "egress": [{"to": [server], "ports": ports}],
    }


def _archive(scope: Scope) -> Manifest:
    """All pods of the archive."""
    return {"matchLabels": {f"{LABEL}/instance": scope.archive.name, f"{LABEL}/part-of": "almagest"}}


def _ends(scope: Scope, *parts: str) -> Manifest:
    """All pods of some parts of the archive."""
    names = {"key": f"{LABEL}/name", "operator": "In", "values": sorted(parts)}
    return {**_archive(scope), "matchExpressions": [names]}


def _policy(scope: Scope, name: str, spec: Manifest) -> Resource:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": scope.metadata(POLICIES, name),
        "spec": spec,
    }
    return resource(Stage.FOUNDATIONS, manifest)
