"""What was seen of the cluster, by archive: the watches' indexes, corrected by what we have just been answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from almagest_operator.model.dns import DNS
from almagest_operator.model.facts import Facts
from almagest_operator.model.resource import ResourceKey
from almagest_operator.observe.live import Live, LivePod
from almagest_operator.observe.look import Look

Body = Mapping[str, Any]


class Key(NamedTuple):
    """Which archive."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Observed:
    """One archive as it was seen. archive, release: whole objects, None when there is none of that name; look: what was
    found behind its proxy, None when nobody has looked yet."""

    key: Key
    archive: Body | None = None
    release: Body | None = None
    children: Mapping[ResourceKey, Live] = field(default_factory=dict)
    pods: tuple[LivePod, ...] = ()
    facts: Facts = field(default_factory=Facts)
    look: Look | None = None


class NodeSeen(NamedTuple):
    """created: RFC 3339 in UTC, so that the oldest node is the least."""

    created: str
    name: str
    address: str


class StorageClassSeen(NamedTuple):
    name: str
    default: bool


@dataclass(frozen=True)
class Indexes:
    """What the watches have seen: complete before the first reconcile, updated by every event. Values have no order."""

    archives: Mapping[Key, Collection[Body]]
    releases: Mapping[str, Collection[Body]]
    children: Mapping[Key, Collection[Live]]
    pods: Mapping[Key, Collection[LivePod]]
    nodes: Mapping[str, Collection[NodeSeen]]
    storage_classes: Mapping[str, Collection[StorageClassSeen]]


@dataclass
class Store:
    """Reads its own writes.

    A write's answer is newer than the index until the write's own event has come round; without it the next pass
    would find the old object and write once more. An answer is dropped when the index has caught up, or when the
    object was seen to be deleted, be it before the answer: the watch may be faster than the response, and nothing would
    ever take such an answer away again. `gone`: uids that a sweep found missing, which the watch failed to report.
    `dns`: a fact of the cluster that is set and not watched. `looks`: what was found behind the proxies
    (`almagest_operator.smoke`).
    """

    indexes: Indexes
    dns: DNS = field(default_factory=DNS)
    _answers: dict[Key, dict[ResourceKey, Live]] = field(default_factory=dict)
    _archives: dict[Key, Body] = field(default_factory=dict)
    _deleted: dict[Key, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    looks: dict[Key, Look] = field(default_factory=dict)

    def remember(self, key: Key, live: Live) -> None:
        """The API server answered a write of the present pass with this."""
        if live.uid not in self._deleted.get(key, ()):
            self._answers.setdefault(key, {})[live.key] = live

    def remember_archive(self, key: Key, body: Body) -> None:
        """The API server answered a write of the archive's status with this."""
        if body["metadata"]["uid"] not in self._deleted.get(key, ()):
            self._archives[key] = body

    def forget(self, key: Key, uid: str) -> None:
        """The object of this uid was seen to be deleted."""
        self._deleted.setdefault(key, set()).add(uid)
        answers = self._answers.get(key, {})
        for live in [live for live in answers.values() if live.uid == uid]:
            del answers[live.key]
        if self._archives.get(key, {}).get("metadata", {}).get("uid") == uid:
            del self._archives[key]
        self.gone.discard(uid)

    def archives(self, release: str | None = None) -> list[Key]:
        """All archives that are there, or those of one release."""
        found = ((key, body) for key in list(self.indexes.archives) for body in self.indexes.archives[key])
        return [key for key, body in found if release is None or body["spec"].get("release") == release]

    def proxy_address(self, key: Key) -> str | None:
        """The address of the archive's proxy in the cluster, None while it has none, or is not there itself."""
        if self._archive(key) is None:
            return None
        services = (live for live in _all(self.indexes.children, key) if live.part == "proxy" and live.address)
        return next((live.address for live in services if not live.terminating), None)

    def has_wordpress(self, key: Key) -> bool:
        body = _single(self.indexes.archives, key) or {"spec": {}}
        return bool(body["spec"].get("wordpress", {}).get("enabled", True))

    def observe(self, key: Key) -> Observed:
        """One archive, at the beginning of a pass; no I/O."""
        self._deleted.pop(key, None)  # answers that are still to come belong to objects seen from here on
        archive = self._archive(key)
        if archive is None:
            self._answers.pop(key, None)
            self.looks.pop(key, None)
            return Observed(key)
        children = self._children(key)
        return Observed(
            key=key,
            archive=archive,
            release=_single(self.indexes.releases, archive["spec"].get("release", "")),
            children=children,
            pods=tuple(sorted(_all(self.indexes.pods, key), key=lambda pod: pod.name)),
            facts=self._facts(children.values()),
            look=self.looks.get(key),
        )

    def _archive(self, key: Key) -> Body | None:
        seen = _single(self.indexes.archives, key)
        answer = self._archives.get(key)
        if answer is None or (seen is not None and _version(seen) >= _version(answer)):
            self._archives.pop(key, None)
            return None if seen is None or seen["metadata"]["uid"] in self.gone else seen
        return answer

    def _children(self, key: Key) -> Mapping[ResourceKey, Live]:
        children = {live.key: live for live in _all(self.indexes.children, key) if live.uid not in self.gone}
        answers = self._answers.get(key, {})
        for name, answer in list(answers.items()):
            seen = children.get(name)
            if seen is not None and int(seen.resource_version) >= int(answer.resource_version):
                del answers[name]
            else:
                children[name] = answer
        return children

    def _facts(self, children: Iterable[Live]) -> Facts:
        classes = [seen for name in list(self.indexes.storage_classes) for seen in self.indexes.storage_classes[name]]
        nodes = sorted(seen for name in list(self.indexes.nodes) for seen in self.indexes.nodes[name])
        children = list(children)
        return Facts(
            secrets={live.key.name: live.fingerprints for live in children if live.key.kind == "Secret"},
            node_port=next((live.node_port for live in children if live.node_port), None),
            # A node that joins is never the oldest: the address changes, and pods restart, only when it has to.
            node_address=nodes[0].address if nodes else None,
            nodes=len(nodes),
            storage_classes=frozenset(seen.name for seen in classes),
            default_storage_class=min((seen.name for seen in classes if seen.default), default=None),
            claims=frozenset(live.key.name for live in children if live.key.kind == "PersistentVolumeClaim"),
            dns=self.dns,
            claim_templates={live.key.name: live.claim for live in children if live.claim},
        )


def node_seen(node: Body) -> NodeSeen | None:
    """A node with the address at which its ports answer from outside: external if it has one, else internal.

    None for a node without an address.
    """
    addresses = {entry["type"]: entry["address"] for entry in node.get("status", {}).get("addresses") or ()}
    address = addresses.get("ExternalIP") or addresses.get("InternalIP")
    metadata = node["metadata"]
    return NodeSeen(metadata["creationTimestamp"], metadata["name"], address) if address else None


def storage_class(body: Body) -> StorageClassSeen:
    annotations = body["metadata"].get("annotations") or {}
    return StorageClassSeen(
        body["metadata"]["name"], annotations.get("storageclass.kubernetes.io/is-default-class") == "true"
    )


def _version(body: Body) -> int:
    """Resource versions are ordered numbers (Kubernetes 1.35, KEP-5504), which lets answers be told from old news."""
    return int(body["metadata"]["resourceVersion"])


def _all(index: Mapping[Any, Collection[Any]], key: object) -> Collection[Any]:
    return index[key] if key in index else ()  # noqa: SIM401 kopf's indexes have no get


def _single(index: Mapping[Any, Collection[Body]], key: object) -> Body | None:
    """The newest, while a deleted object and its namesake overlap."""
    return max(_all(index, key), key=_version, default=None)
