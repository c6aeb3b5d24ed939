"""What rendering must know of the cluster; observed at the edge, handed in as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from almagest_operator.model.dns import DNS


@dataclass(frozen=True)
class Facts:
    """The cluster as far as manifests depend on it. All fields may be empty: the cluster has nothing yet.

    secrets: Secret name → key → `fingerprint` of its value, for the Secrets of this archive.
    node_port: the port that the API server gave to the proxy's NodePort Service.
    node_address: an address at which that port answers from outside, of the node that has been there for longest;
    nodes: how many have one.
    storage_classes: names of all, None where nobody looked; default_storage_class: the one that claims without a
    name get; claims: names of the archive's claims that are there.
    claim_templates: StatefulSet name → storage request in its volumeClaimTemplates, which the API refuses to change.
    dns: where pods ask for names.
    """

    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    node_port: int | None = None
    node_address: str | None = None
    nodes: int = 0
    storage_classes: frozenset[str] | None = None
    default_storage_class: str | None = None
    claims: frozenset[str] = frozenset()
    claim_templates: Mapping[str, str] = field(default_factory=dict)
    dns: DNS = field(default_factory=DNS)


def fingerprint(uid: str, secret: str, key: str, value: bytes) -> str:
    """Ten hexadecimal digits that change with the value, salted with the Secret's uid and place.

    They go into pod annotations, so that a rotated secret restarts its readers. Who may read pods could confirm a guess
    of a value, so values must not be guessable: the generated ones have 190 bits.
    """
    return hashlib.sha256(b"\0".join([uid.encode(), secret.encode(), key.encode(), value])).hexdigest()[:10]
