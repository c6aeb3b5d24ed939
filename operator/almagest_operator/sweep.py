"""The watches, watched: every few minutes all objects are listed by name and compared with the indexes.

A watch that breaks and has to list anew never learns what was deleted in between, and a connection that died quietly
tells nothing at all. The sweep finds both: what is indexed but gone is struck out and its archive marked; an object
whose news is still missing one sweep later means that the watch is dead, and the process says that it is not healthy.
Reads only, of metadata only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.health import Health
from almagest_operator.observe.kinds import ARCHIVE, CHILDREN
from almagest_operator.observe.live import INSTANCE, SELECTOR
from almagest_operator.observe.store import Key, Store

log = logging.getLogger(__name__)

PERIOD = 300.0


class Seen(NamedTuple):
    """One object: whose it is, and its version."""

    key: Key
    version: int


@dataclass
class Sweep:
    """mark: tells the queue; namespaces: those watched, all if empty; period: seconds."""

    client: Client
    store: Store
    mark: Callable[[Key], None]
    health: Health
    namespaces: tuple[str, ...] = ()
    period: float = PERIOD
    _missed: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.period)
            try:
                await self.once()
            except ApiError as error:
                log.warning("sweep: %s", error)

    async def once(self) -> None:
        """One comparison. Raises ApiError when the server cannot be asked; nothing is concluded then."""
        before = dict(self.indexed())  # first, so that what is made meanwhile cannot look like a ghost
        listed = await self._listed()
        after = dict(self.indexed())
        for uid in before.keys() & after.keys() - listed.keys() - self.store.gone:
            log.warning("the watch missed a deletion, archive %s", after[uid].key)
            self.store.forget(after[uid].key, uid)
            self.store.gone.add(uid)
            self.mark(after[uid].key)
        self.store.gone &= after.keys()
        stale = {uid for uid, version in self._missed.items() if uid in listed and _version(after, uid) < version}
        self.health.stalled = f"the watch has missed changes of {len(stale)} objects" if stale else ""
        self._missed = {uid: seen.version for uid, seen in listed.items() if _version(after, uid) < seen.version}

    def indexed(self) -> Iterator[tuple[str, Seen]]:
        indexes = self.store.indexes
        for key in list(indexes.archives):
            for body in indexes.archives[key]:
                yield body["metadata"]["uid"], Seen(key, int(body["metadata"]["resourceVersion"]))
        for key in list(indexes.children):
            for live in indexes.children[key]:
                yield live.uid, Seen(key, int(live.resource_version))

    async def _listed(self) -> dict[str, Seen]:
        found: dict[str, Seen] = {}
        for namespace in self.namespaces or ("",):
            for item in await self.client.all_metadata(ARCHIVE, namespace):
                found[item["uid"]] = Seen(Key(item["namespace"], item["name"]), int(item["resourceVersion"]))
            for kind in CHILDREN:
                for item in await self.client.all_metadata(kind, namespace, labels=SELECTOR):
                    key = Key(item["namespace"], item.get("labels", {}).get(INSTANCE, ""))
                    found[item["uid"]] = Seen(key, int(item["resourceVersion"]))
        return found


def _version(seen: Mapping[str, Seen], uid: str) -> int:
    return seen[uid].version if uid in seen else 0
