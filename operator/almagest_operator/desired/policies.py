"""NetworkPolicies: nothing is allowed but DNS, the edges of the graph, and what uploads are fetched from."""

from __future__ import annotations

from almagest_operator.desired.graph import WORLD, Edge, edges
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.model.identity import ALMAGEST, INSTANCE, PART, PART_OF
from almagest_operator.model.resource import Manifest, Resource, Stage

POLICIES = Part.of("policies")
BOTH = ["Ingress", "Egress"]

FETCHED_PORTS = (80, 443, 8080, 8443)
"""Where the application fetches uploads from; almagest.query.tables.fetch says so too, with the same networks."""

INTERNET = {
    "0.0.0.0/0": (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ),
    "2000::/3": ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
}
"""What anybody can reach, without the special ranges in it (RFC 6890): those of clusters, of clouds' metadata and of
tunnels. All of IPv6 that is special in other ways lies outside of 2000::/3."""


def policies(scope: Scope) -> tuple[Resource, ...]:
    """Default deny in both directions, DNS for all, one policy for each edge, and the way to uploads for web."""
    fetching = (_policy(scope, "web-to-internet", _fetching(scope)),) if scope.archive.spec.web.fetch_uploads else ()
    return (
        _policy(scope, "default-deny", {"podSelector": _archive(scope), "policyTypes": BOTH}),
        _policy(scope, "dns", _dns(scope)),
        *(_policy(scope, f"{edge.source}-to-{edge.target}", _edge(scope, edge)) for edge in edges(scope.archive.spec)),
        *fetching,
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
    """What lets all pods ask the cluster's DNS."""
    dns = scope.facts.dns
    ports = [{"protocol": protocol, "port": port} for port in dns.ports for protocol in ("TCP", "UDP")]
    return {
        "podSelector": _archive(scope),
        "policyTypes": ["Egress"],
        "egress": [{"to": [dict(peer) for peer in dns.peers], "ports": ports}],
    }


def _fetching(scope: Scope) -> Manifest:
    """What lets the web processes read the tables that queries point at: the second lock behind the application's own
    judgement of addresses."""
    blocks = [{"ipBlock": {"cidr": network, "except": list(special)}} for network, special in INTERNET.items()]
    ports = [{"protocol": "TCP", "port": port} for port in FETCHED_PORTS]
    return {
        "podSelector": _ends(scope, "web"),
        "policyTypes": ["Egress"],
        "egress": [{"to": blocks, "ports": ports}],
    }


def _archive(scope: Scope) -> Manifest:
    """All pods of the archive."""
    return {"matchLabels": {INSTANCE: scope.archive.name, PART_OF: ALMAGEST}}


def _ends(scope: Scope, *parts: str) -> Manifest:
    """All pods of some parts of the archive."""
    names = {"key": PART, "operator": "In", "values": sorted(parts)}
    return {**_archive(scope), "matchExpressions": [names]}


def _policy(scope: Scope, name: str, spec: Manifest) -> Resource:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": scope.metadata(POLICIES, name),
        "spec": spec,
    }
    return resource(Stage.FOUNDATIONS, manifest)
