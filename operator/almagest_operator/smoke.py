"""The operator's own look at each archive, every two seconds: a request through the proxy's Service to the application,
and one to WordPress. What it finds is kept in the store; a change marks the archive, so that a settled one costs no
pass and no write.

A look that finds something wrong is repeated before it counts, because a connection may end with the pod that served
it. In the worst case, a server that hangs, the change is known after PERIOD + 2 · PATIENCE + PAUSE seconds, which is
less than eight.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from almagest_operator.desired.graph import PORTS
from almagest_operator.model.identity import OPERATOR
from almagest_operator.observe.look import APPLICATION, WORDPRESS, Answer, Look, judge
from almagest_operator.observe.store import Key, Store

log = logging.getLogger(__name__)

PERIOD, PATIENCE, PAUSE = 2.0, 2.5, 0.5
"""Seconds: from one look at an archive to the next; for an answer; between a bad look and its repetition."""

AT_ONCE = 200
"""Archives that are looked at at the same time."""

LONGEST = 65_536
"""Bytes of an answer after which no more is read."""


@dataclass
class Smoke:
    """mark: tells the queue; address: `host:port` of every archive's proxy, for an operator that is outside of the
    cluster; empty: each proxy's Service."""

    store: Store
    mark: Callable[[Key], None]
    address: str = ""
    _looking: dict[Key, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Look at all archives for ever. One that hangs holds up no other."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(key: Key) -> None:
            async with slots:
                await self.look(key)

        async with asyncio.TaskGroup() as tasks:
            while True:
                for key in self.store.archives():
                    if key not in self._looking or self._looking[key].done():
                        self._looking[key] = tasks.create_task(one(key))
                self._looking = {key: task for key, task in self._looking.items() if not task.done()}
                await asyncio.sleep(PERIOD)

    async def look(self, key: Key) -> None:
        """Look at one archive, and mark it where something else was found than before."""
        if await self.renew(key):
            self.mark(key)

    async def renew(self, key: Key) -> bool:
        """Look at one archive and remember what was found; whether that is something else than before. Nothing is
        found where there is no archive, or no proxy yet."""
        if self.store.proxy_address(key) is None:
            return False
        found, before = await self._find(key), self.store.looks.get(key)
        if not found.well and found != before and before is not None:
            await asyncio.sleep(PAUSE)
            found = await self._find(key)
        if found == before:
            return False
        log.info("looked at an archive", extra={"archive": str(key), "found": str(found)})
        self.store.looks[key] = found
        return True

    async def _find(self, key: Key) -> Look:
        if not self.store.has_wordpress(key):
            return judge(await self._ask(key, APPLICATION), None)
        return judge(*await asyncio.gather(self._ask(key, APPLICATION), self._ask(key, WORDPRESS)))

    async def _ask(self, key: Key, path: str) -> Answer:
        host, _, port = self.address.rpartition(":")
        place = (host, int(port)) if host else (self.store.proxy_address(key) or "", PORTS["proxy"])
        try:
            async with asyncio.timeout(PATIENCE):
                return await get(*place, path, f"{key.name}-proxy")
        except TimeoutError:
            return Answer(0, f"no answer within {PATIENCE:g} s")
        except aiohttp.ClientConnectorError as error:
            return Answer(0, f"no answer ({type(error.os_error).__name__})")
        except (OSError, aiohttp.ClientError) as error:
            return Answer(0, f"no answer ({type(error).__name__})")


async def get(host: str, port: int, path: str, name: str) -> Answer:
    """The answer to a GET for the virtual host `name`. Raises OSError or aiohttp.ClientError when there is none."""
    place = f"[{host}]" if ":" in host else host
    headers = {"Host": name, "User-Agent": OPERATOR}
    async with aiohttp.request(
        "GET", f"http://{place}:{port}{path}", headers=headers, allow_redirects=False
    ) as response:
        body = bytearray()
        async for block in response.content.iter_any():
            body += block
            if len(body) >= LONGEST:
                break
        return Answer(response.status, body.decode(errors="replace"))
