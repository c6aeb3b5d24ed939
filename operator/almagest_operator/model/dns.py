"""Where the pods of a cluster ask for names, as far as NetworkPolicies must know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Peer = Mapping[str, Any]

_NAMESPACE = "kubernetes.io/metadata.name"
_PEERS: tuple[Peer, ...] = (
    # CoreDNS, k3s, RKE2, GKE, EKS, AKS, and caches of names that are pods of their own.
    {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: "kube-system"}},
        "podSelector": {
            "matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns", "node-local-dns"]}]
        },
    },
    # OpenShift.
    {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: "openshift-dns"}},
        "podSelector": {"matchLabels": {"dns.operator.openshift.io/daemonset-dns": "default"}},
    },
    # NodeLocal DNSCache, which runs in the network of its node: the address that Kubernetes' documentation gives it.
    {"ipBlock": {"cidr": "169.254.20.10/32"}},
)


@dataclass(frozen=True)
class DNS:
    """peers: the servers, each a NetworkPolicyPeer; ports: their own, as policies see an address after the Service's
    translation: 5353 where the server runs without root.
    """

    peers: tuple[Peer, ...] = _PEERS
    ports: tuple[int, ...] = (53, 5353)
