"""A check on the watches: every five minutes, and after each relist, it lists all objects and compares the indexes.

A watch that breaks and lists anew never learns what was deleted in between, and a connection that died quietly tells
nothing at all. The sweep finds both. It strikes out what is indexed but gone, and marks its archive. When the index
still lacks an object's version two minutes after the sweep saw it, the watch is dead, and the process reports itself
unhealthy. The sweep reads metadata only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.health import Health
from almagest_operator.model.identity import INSTANCE, SELECTOR
from almagest_operator.observe.kinds import ARCHIVE, CHILDREN
from almagest_operator.observe.store import Key, Store

log = logging.getLogger(__name__)

PERIOD, SETTLE, SUSPICIOUS, PATIENCE = 300.0, 3.0, 30.0, 120.0
"""Seconds: between sweeps; from a relist to a sweep; between sweeps while news is missing; until the watch counts as
dead."""


class Seen(NamedTuple):
    """One object: the archive's key, the object's version, and its kind's name."""

    key: Key
    version: int
    kind: str


class Missed(NamedTuple):
    """A version that the watch should have told, and the loop's time when the sweep saw it first."""

    version: int
    since: float


@dataclass
class Sweep:
    """mark: tells the queue; namespaces: those watched, all if empty."""

    client: Client
    store: Store
    mark: Callable[[Key], None]
    health: Health
    namespaces: tuple[str, ...] = ()
    _relisted: asyncio.Event = field(default_factory=asyncio.Event)
    _missed: dict[str, Missed] = field(default_factory=dict)

    def relisted(self) -> None:
        """A watch has begun anew: look soon at what it may have missed."""
        self._relisted.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._relisted.wait(), SUSPICIOUS if self._missed else PERIOD)
                await asyncio.sleep(SETTLE)
                self._relisted.clear()
            await self.once(asyncio.get_running_loop().time())

    async def once(self, now: float) -> None:
        """One comparison. Nothing is concluded about kinds that the server does not list."""
        before = dict(self.indexed())  # first, so that what is made meanwhile cannot look like a ghost
        listed, unlisted = await self._listed()
        after = dict(self.indexed())
        judged = {uid for uid, seen in before.items() if seen.kind not in unlisted}
        for uid in judged & after.keys() - listed.keys() - self.store.gone:
            log.warning("the watch missed a deletion, archive %s", after[uid].key)
            self.store.forget(after[uid].key, uid)
            self.store.gone.add(uid)
            self.mark(after[uid].key)
        self.store.gone &= after.keys()
        self._missed = {
            uid: missed
            if (missed := self._missed.get(uid)) and _version(after, uid) < missed.version
            else Missed(seen.version, now)
            for uid, seen in listed.items()
            if _version(after, uid) < seen.version
        }
        stale = [missed for missed in self._missed.values() if now - missed.since >= PATIENCE]
        self.health.stalled = f"the watch has missed changes of {len(stale)} objects" if stale else ""

    def indexed(self) -> Iterator[tuple[str, Seen]]:
        indexes = self.store.indexes
        for key in list(indexes.archives):
            for body in indexes.archives[key]:
                yield body["metadata"]["uid"], Seen(key, int(body["metadata"]["resourceVersion"]), ARCHIVE.kind)
        for key in list(indexes.children):
            for live in indexes.children[key]:
                yield live.uid, Seen(key, int(live.resource_version), live.key.kind)

    async def _listed(self) -> tuple[dict[str, Seen], set[str]]:
        """All objects by uid, and the kinds that could not be listed in every namespace."""
        found: dict[str, Seen] = {}
        unlisted = set()
        for kind, namespace in product((ARCHIVE, *CHILDREN), self.namespaces or ("",)):
            try:
                items = await self.client.all_metadata(kind, namespace, labels="" if kind is ARCHIVE else SELECTOR)
            except ApiError as error:
                log.warning("sweep: %s", error)
                unlisted.add(kind.kind)
                continue
            for item in items:
                name = item["name"] if kind is ARCHIVE else item.get("labels", {}).get(INSTANCE, "")
                found[item["uid"]] = Seen(Key(item["namespace"], name), int(item["resourceVersion"]), kind.kind)
        return found, unlisted


def _version(seen: Mapping[str, Seen], uid: str) -> int:
    return seen[uid].version if uid in seen else 0
