"""How many connections each PostgreSQL server must admit: the one budget of pools, limits of roles, and servers.

A pod opens no more connections than `Use` says: the application's pools have these sizes. While a Deployment is rolled
out, each of its pods may be there twice, the old one ending what it has begun. From the sum follow the limits of the
roles, which the migration sets, and `max_connections`, which grows by doubling, because a change restarts the server.
Memory is reckoned with what is there between roll-outs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from almagest_operator.desired.sizes import MIB, REPLICAS, size
from almagest_operator.model.archive import ArchiveSpec
from almagest_operator.model.base import amount
from almagest_operator.model.errors import InvalidSpec

PROCESSES, THREADS = 1, 24
"""Of a web pod: processes, and requests that each serves at once."""

INGESTS_AT_ONCE = 4
"""Data sets that are loaded side by side; the others wait."""

RESERVE = 10
"""Connections for people, backups and monitoring; three of them PostgreSQL keeps for superusers."""

SMALLEST = 100
"""`max_connections` of a small archive."""

APPDB_MEMORY, DATADB_MEMORY = 2 * MIB, 4 * MIB
"""Bytes that a connection takes of its server's memory, without the sorts of its query: simple statements on a few
tables (1.2 to 2.3 MiB were measured), and those of scientists on many (1.2 to 6.2)."""

SHARE = 2
"""Connections may take one part in so many of a server's memory limit."""


@dataclass(frozen=True)
class Use:
    """Connections of one pod. appdb: to the application's database; query, job, owner: to the data database as the role
    `almagest_query`, `almagest_job` and `almagest`."""

    appdb: int
    query: int = 0
    job: int = 0
    owner: int = 0

    def __mul__(self, pods: int) -> Use:
        return Use(self.appdb * pods, self.query * pods, self.job * pods, self.owner * pods)

    def __add__(self, other: Use) -> Use:
        return Use(self.appdb + other.appdb, self.query + other.query, self.job + other.job, self.owner + other.owner)


# One for each thread, the health check's; one for each slot of a query, the health check's, and one that sets grants.
WEB = Use(appdb=THREADS + 1, query=THREADS) * PROCESSES
# Its queue's consumer and its one query's process, the lease; the query's and the sweep's, and one that sets grants.
WORKER = Use(appdb=4, query=1, job=2)
SCHEDULER = Use(appdb=2)
MIGRATE = Use(appdb=3, owner=1)
# The one that leads, and two streams or indexes.
INGEST = Use(appdb=2, owner=3)


@dataclass(frozen=True)
class Budget:
    """settled: of all pods between roll-outs; use: of all that may be there at once."""

    settled: Use
    use: Use

    @property
    def admitted(self) -> dict[str, int]:
        """Connections that each server must admit."""
        return _by_server(self.use)

    @property
    def held(self) -> dict[str, int]:
        """Connections that each server must have memory for."""
        return _by_server(self.settled)


def budget(spec: ArchiveSpec) -> Budget:
    """The connections that an archive of this spec may open, in the middle of a roll-out too."""
    web, workers = _web(spec), sum(queue.workers for queue in spec.queues)
    jobs = MIGRATE + INGEST * min(len(spec.datasets), INGESTS_AT_ONCE)
    pods = WEB * web + WORKER * workers + SCHEDULER
    return Budget(settled=pods + jobs, use=pods * 2 + jobs)


def _by_server(use: Use) -> dict[str, int]:
    return {"appdb": use.appdb + RESERVE, "datadb": use.query + use.job + use.owner + RESERVE}


def max_connections(needed: int) -> int:
    """The setting of a server that must admit so many: SMALLEST, doubled until it is enough."""
    found = SMALLEST
    while found < needed:
        found *= 2
    return found


def room(spec: ArchiveSpec, part: str) -> int:
    """The connections that a server (`appdb`, `datadb`) of this memory limit has room for."""
    databases = spec.databases
    wanted, each = (databases.app, APPDB_MEMORY) if part == "appdb" else (databases.data, DATADB_MEMORY)
    limit = amount(size(part, spec.environment, wanted.resources).memory_limit)
    return int(limit / SHARE / each)


def validate(spec: ArchiveSpec) -> None:
    """Raise InvalidSpec when a server has no room for the connections of all pods that the spec asks for."""
    found = budget(spec)
    for part, field, each in (("appdb", "app", APPDB_MEMORY), ("datadb", "data", DATADB_MEMORY)):
        needed, has = found.held[part], room(spec, part)
        if needed > has:
            least = -(-needed * SHARE * each // MIB)
            raise InvalidSpec(
                f"spec.databases.{field}.resources.limits.memory",
                f"{_asked(spec)} hold up to {needed} connections to {part}, whose memory has room for {has}",
                f"at least {least}Mi, or fewer pods",
            )


def _web(spec: ArchiveSpec) -> int:
    return spec.web.replicas or REPLICAS[spec.environment]


def _asked(spec: ArchiveSpec) -> str:
    return " and ".join(_counts(spec))


def _counts(spec: ArchiveSpec) -> Iterator[str]:
    workers = sum(queue.workers for queue in spec.queues)
    for count, name in ((_web(spec), "web pod"), (workers, "worker")):
        yield f"{count} {name}{'' if count == 1 else 's'}"
