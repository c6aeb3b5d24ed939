"""`almagest-operator run`: the operator's process."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from kubernetes.aio.client import ApiClient

from almagest_operator import handlers
from almagest_operator import logging as jsonlog
from almagest_operator.apply.client import ApiError, Client, NoClusterError, configure
from almagest_operator.apply.engine import Engine
from almagest_operator.cluster import Cluster
from almagest_operator.health import Health, serve
from almagest_operator.leader import Leader, LostLeadError
from almagest_operator.observe.kinds import ARCHIVE, RELEASE
from almagest_operator.observe.store import Indexes, Key, Store
from almagest_operator.plan import Outcome
from almagest_operator.queue import WorkQueue
from almagest_operator.reconcile import reconcile
from almagest_operator.settings import InvalidSettingError, Settings, from_environment
from almagest_operator.smoke import Smoke
from almagest_operator.sweep import Sweep

log = logging.getLogger("almagest_operator")

_REFUSALS = 30
"""How often, once a second, an API server may refuse our first question before it is taken at its word."""


@dataclass
class Operator:
    """The work behind the watches: marks go into the queue, the queue reconciles. `handlers.Marks`."""

    cluster: Cluster
    queue: WorkQueue[Key]
    sweep: Sweep
    beside: tuple[asyncio.Task[None], ...]

    @classmethod
    def begin(cls, client: Client, indexes: Indexes, settings: Settings, health: Health) -> Operator:
        store = Store(indexes, settings.dns)
        cluster = Cluster(client, store, Engine(client), settings.identity)

        async def work(key: Key) -> Outcome:
            with jsonlog.context(archive=str(key), reconcile=uuid4().hex[:8]):
                if key not in store.looks:  # after a start: or all would be told unready until they have been looked at
                    await smoke.renew(key)
                return await reconcile(key, cluster, datetime.now(UTC))

        queue = WorkQueue(work, concurrency=settings.concurrency)
        smoke = Smoke(store, queue.mark, settings.proxy_address)
        sweep = Sweep(client, store, queue.mark, health, settings.watch_namespaces)
        beside = tuple(asyncio.create_task(one.run(), name=type(one).__name__.lower()) for one in (sweep, smoke))
        for task in beside:
            task.add_done_callback(_must_go_on)
        return cls(cluster, queue, sweep, beside)

    def changed(self, key: Key) -> None:
        self.queue.mark(key)

    def deleted(self, key: Key, uid: str) -> None:
        self.cluster.store.forget(key, uid)

    def release_changed(self, name: str) -> None:
        for key in self.cluster.store.archives(release=name):
            self.queue.mark(key)

    def cluster_changed(self) -> None:
        for key in self.cluster.store.archives():
            self.queue.mark(key)

    def relisted(self) -> None:
        self.sweep.relisted()

    async def close(self) -> None:
        for task in self.beside:
            task.cancel()
        await self.queue.close()


def _must_go_on(task: asyncio.Task[None]) -> None:
    """An operator that does not look any more would tell for ever what it saw last; a new process looks again."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("%s has ended", task.get_name(), exc_info=error)
        os._exit(1)


async def run(settings: Settings) -> None:
    """Serve health, become the leader where there are rivals, then watch and reconcile until told to end."""
    connection, _ = await configure()
    health = Health()
    async with ApiClient(connection) as api, serve(health, settings.health_port):
        client = Client(api)
        await _crds_are_there(client, settings)
        leader = Leader(client, settings.pod_namespace, settings.identity) if settings.elects else None
        if leader is not None:
            await leader.acquire()
        watching = handlers.watch(
            settings, connection, lambda indexes: Operator.begin(client, indexes, settings, health)
        )
        try:
            await _first(watching, leader)
        finally:
            if leader is not None:
                await leader.release()


async def _first(watching: Coroutine[Any, Any, None], leader: Leader | None) -> None:
    """Watch for as long as this replica leads."""
    tasks = [asyncio.create_task(watching, name="watch")]
    if leader is not None:
        tasks.append(asyncio.create_task(leader.hold(), name="lease"))
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if isinstance(task.exception(), LostLeadError):
            log.critical("%s", task.exception())
            os._exit(1)  # not one more write: another replica may be at work already
    for task in rest:
        task.cancel()
    await asyncio.gather(*done)


async def _crds_are_there(client: Client, settings: Settings) -> None:
    """Watches of kinds that do not exist, or may not be watched, would wait in silence; better to say so and end.

    Not at once: a server that does not answer is waited for without end, and one that has just started, or learnt of
    our kinds and rights, may refuse for some seconds. The kubelet would start us again after ever longer pauses.
    """
    namespace = settings.watch_namespaces[0] if settings.watch_namespaces else ""
    refused = 0
    while True:
        try:
            await client.all(ARCHIVE, namespace)
            await client.all(RELEASE)
        except ApiError as error:
            refused = 0 if error.passing else refused + 1
            hint = "; install the CRDs (charts/almagest-operator/files/crds)" if error.status == 404 else ""
            if refused > _REFUSALS:
                raise SystemExit(f"almagest-operator: {error}{hint}") from error
            log.warning("waiting for the API server: %s%s", error, hint)
            await asyncio.sleep(1)
        else:
            return


def main() -> None:
    """Entry point. Exit code 0 after SIGTERM, 1 when it cannot work as it is set up or has lost the lead."""
    if sys.argv[1:] != ["run"]:
        sys.exit("usage: almagest-operator run   (settings come from the environment, see docs/operator/loop.md)")
    try:
        settings = from_environment()
        jsonlog.configure(settings.log_level, settings.log_format)
        asyncio.run(run(settings))
    except (InvalidSettingError, NoClusterError) as error:
        sys.exit(f"almagest-operator: {error}")


if __name__ == "__main__":
    main()
