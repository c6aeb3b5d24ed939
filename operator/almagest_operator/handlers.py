"""The watches: the only module that knows kopf, which lists, watches and indexes for us and decides nothing.

Level-triggered: an event says *that* something changed, never *what*. Only indexes and `on.event` are used, for which
kopf writes nothing: no finalizer, no annotation, no Event of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import kopf
from kubernetes.aio.client import Configuration

from almagest_operator.model.identity import INSTANCE, SELECTOR
from almagest_operator.model.resource import GROUP
from almagest_operator.observe.kinds import ARCHIVE, CHILDREN, NODE, POD, RELEASE, STORAGE_CLASS, Kind
from almagest_operator.observe.live import project, project_pod
from almagest_operator.observe.store import Indexes, Key, node_seen, storage_class
from almagest_operator.settings import Settings

Body = Mapping[str, Any]


class Marks(Protocol):
    """What the watches tell."""

    def changed(self, key: Key) -> None:
        """Something about an archive may have changed."""

    def deleted(self, key: Key, uid: str) -> None:
        """An archive, or a child of it, is gone."""

    def release_changed(self, name: str) -> None:
        """A release came, changed or went."""

    def cluster_changed(self) -> None:
        """A node's address or the storage classes changed: every archive may be rendered differently."""

    def relisted(self) -> None:
        """A watch has listed anew, at the start or because it broke; it cannot know what was deleted meanwhile."""

    async def close(self) -> None:
        """No more events will come."""


async def watch(settings: Settings, connection: Configuration, begin: Callable[[Indexes], Marks]) -> None:
    """Watch until the process is told to end.

    `begin` is called once, with indexes that are full before the first event is told to what it returns.
    """
    registry = kopf.OperatorRegistry()
    sink = _Sink(begin)
    _lifecycle(registry, connection, sink)
    _archives(registry, sink)
    _children(registry, sink)
    _cluster(registry, sink)
    await kopf.operator(
        registry=registry,
        settings=_kopf_settings(),
        standalone=True,
        clusterwide=not settings.watch_namespaces,
        namespaces=settings.watch_namespaces,
    )


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # the kinds are known and installed before the operator; fewer rights are needed
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    # For ever, as an API server may be away for long; the last figure repeats as kopf restarts the watch.
    settings.networking.error_backoffs = [0.5, 1, 1, 2, 2, 3, 5, 5, 10, 10]
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.connect_timeout = 5
    for kind in (*CHILDREN, POD):
        settings.watching.label_selectors[kind.group, kind.version, kind.plural] = SELECTOR
    # Nothing is ever stored on objects; were it by mistake, then under our own name.
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    settings.process.ultimate_exiting_timeout = 20
    return settings


class _Sink:
    """Where events go: `begin` sets it once, at start-up, when kopf hands out its indexes."""

    def __init__(self, begin: Callable[[Indexes], Marks]) -> None:
        self._begin = begin
        self._marks: Marks | None = None
        self._facts: dict[str, object] = {}

    def begin(self, indexes: Indexes) -> None:
        self._marks = self._begin(indexes)

    @property
    def marks(self) -> Marks:
        if self._marks is None:
            raise RuntimeError("kopf told of an event before it had started up")
        return self._marks

    def differs(self, uid: str, fact: object) -> bool:
        """Whether a fact about an object is another than before: nodes report often, and rarely anything new."""
        if self._facts.get(uid) == fact:
            return False
        self._facts[uid] = fact
        return True


def _lifecycle(registry: kopf.OperatorRegistry, connection: Configuration, sink: _Sink) -> None:
    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        """The same way in as the operator's own client has; asked again when a token has run out."""
        header = await connection.get_api_key_with_prefix("BearerToken")
        return kopf.ConnectionInfo(
            server=connection.host,
            ca_path=connection.ssl_ca_cert,
            insecure=not connection.verify_ssl,
            certificate_path=connection.cert_file,
            private_key_path=connection.key_file,
            token=bearer_token(header),
        )

    @kopf.on.startup(registry=registry)
    async def startup(**indexes: Any) -> None:
        sink.begin(Indexes(**{name: indexes[name] for name in Indexes.__dataclass_fields__}))

    @kopf.on.cleanup(registry=registry)
    async def cleanup(**_: Any) -> None:
        await sink.marks.close()


def bearer_token(header: str | None) -> str | None:
    """The token alone: a kubeconfig gives it with `Bearer `, a pod's ServiceAccount with `bearer `, before it."""
    return header.rpartition(" ")[2] if header else None


def _archives(registry: kopf.OperatorRegistry, sink: _Sink) -> None:
    where = (ARCHIVE.group, ARCHIVE.version, ARCHIVE.plural)

    @kopf.index(*where, registry=registry, id="archives")
    async def index(body: Body, **_: Any) -> Mapping[Key, Body]:
        metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
        whole = {**body, "apiVersion": ARCHIVE.api_version, "kind": ARCHIVE.kind, "metadata": metadata}
        return {Key(metadata["namespace"], metadata["name"]): whole}

    @kopf.on.event(*where, registry=registry, id="archive")
    async def changed(event: Body, body: Body, **_: Any) -> None:
        key = Key(body["metadata"]["namespace"], body["metadata"]["name"])
        _tell(sink.marks, key, event["type"], body)

    releases = (RELEASE.group, RELEASE.version, RELEASE.plural)

    @kopf.index(*releases, registry=registry, id="releases")
    async def index_release(body: Body, **_: Any) -> Mapping[str, Body]:
        return {body["metadata"]["name"]: {**body, "apiVersion": RELEASE.api_version, "kind": RELEASE.kind}}

    @kopf.on.event(*releases, registry=registry, id="release")
    async def release_changed(body: Body, **_: Any) -> None:
        sink.marks.release_changed(body["metadata"]["name"])


def _tell(marks: Marks, key: Key, event: str | None, body: Body) -> None:
    """event: kopf's type, None for an object of a listing."""
    if event is None:
        marks.relisted()
    if event == "DELETED":
        marks.deleted(key, body["metadata"]["uid"])
    marks.changed(key)


def _children(registry: kopf.OperatorRegistry, sink: _Sink) -> None:
    async def changed(event: Body, body: Body, **_: Any) -> None:
        _tell(sink.marks, archive_of(body), event["type"], body)

    async def index_pod(body: Body, **_: Any) -> Mapping[Key, object]:
        return {archive_of(body): project_pod(body)}

    for kind in CHILDREN:
        where = (kind.group, kind.version, kind.plural)
        kopf.index(*where, registry=registry, id="children")(_indexer(kind))
        kopf.on.event(*where, registry=registry, id="child")(changed)
    pods = (POD.group, POD.version, POD.plural)
    kopf.index(*pods, registry=registry, id="pods")(index_pod)
    kopf.on.event(*pods, registry=registry, id="pod")(changed)


def _indexer(kind: Kind) -> Callable[..., Any]:
    async def index(body: Body, **_: Any) -> Mapping[Key, object]:
        return {archive_of(body): project({**body, "apiVersion": kind.api_version, "kind": kind.kind})}

    return index


def archive_of(body: Body) -> Key:
    """The archive that the label of a child names."""
    labels = body["metadata"].get("labels") or {}
    return Key(body["metadata"]["namespace"], labels.get(INSTANCE, ""))


def _cluster(registry: kopf.OperatorRegistry, sink: _Sink) -> None:
    nodes, classes = (
        (NODE.group, NODE.version, NODE.plural),
        (STORAGE_CLASS.group, STORAGE_CLASS.version, STORAGE_CLASS.plural),
    )

    @kopf.index(*nodes, registry=registry, id="nodes")
    async def index_node(body: Body, **_: Any) -> Mapping[str, object]:
        seen = node_seen(body)
        return {body["metadata"]["name"]: seen} if seen else {}

    @kopf.index(*classes, registry=registry, id="storage_classes")
    async def index_class(body: Body, **_: Any) -> Mapping[str, object]:
        return {body["metadata"]["name"]: storage_class(body)}

    @kopf.on.event(*nodes, registry=registry, id="node")
    async def node_changed(event: Body, body: Body, **_: Any) -> None:
        if sink.differs(body["metadata"]["uid"], None if event["type"] == "DELETED" else node_seen(body)):
            sink.marks.cluster_changed()

    @kopf.on.event(*classes, registry=registry, id="storage_class")
    async def class_changed(event: Body, body: Body, **_: Any) -> None:
        if sink.differs(body["metadata"]["uid"], None if event["type"] == "DELETED" else storage_class(body)):
            sink.marks.cluster_changed()
