"""The two PostgreSQL servers, one pod and one volume each: `appdb` for the application's rows, `datadb` for science."""

from __future__ import annotations

from almagest_operator.desired.connections import budget, max_connections
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Claim, Container, Pod, Probes, Secret, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.secrets import all_of
from almagest_operator.desired.sizes import MIB, Size, size
from almagest_operator.desired.workload import DATA, service, stateful_set
from almagest_operator.model.base import amount
from almagest_operator.model.database import Database
from almagest_operator.model.resource import Resource, Stage

UID = 10011


def databases(scope: Scope) -> tuple[Resource, ...]:
    """Both servers. Only the data database has pgSphere, and only its owner's and superuser's secrets."""
    wanted, needed = scope.archive.spec.databases, budget(scope.archive.spec).admitted
    owner = (Secret("datadb", "superuser-password"), Secret("datadb", "owner-password"))
    return (
        *_server(scope, Part.of("appdb"), wanted.app, needed["appdb"], "almagest", "", all_of("appdb")),
        *_server(scope, Part.of("datadb"), wanted.data, needed["datadb"], "data", "pg_sphere", owner),
    )


def _server(
    scope: Scope, part: Part, wanted: Database, needed: int, database: str, extensions: str, secrets: tuple[Secret, ...]
) -> tuple[Resource, ...]:
    """needed: connections that it must admit."""
    room = size(part.name, scope.archive.spec.environment, wanted.resources)
    config = config_map(scope, part, {"postgresql.conf": configuration(room, max_connections(needed))})
    container = Container(
        name="postgres",
        image="postgres",
        uid=UID,
        command=("/usr/local/bin/entrypoint",),
        size=room,
        env={
            "ALMAGEST_COMPONENT": part.name,
            "ALMAGEST_DATABASE": database,
            "ALMAGEST_EXTENSIONS": extensions,
        },
        port=PORTS[part.name],
        # Over TCP, where the server that only makes the database does not listen. Recovery after a crash may take long
        # and must not be killed again and again.
        probes=Probes({"exec": {"command": ["pg_isready", "-q", "-h", "127.0.0.1"]}}, start=1800, beat=2),
        writable=("/tmp", "/run/postgresql"),  # noqa: S108 - an emptyDir of the container's own
        # Parallel queries share memory there; the runtime's 64 MB are too few for a parallel hash join.
        memory={"/dev/shm": f"{_mebibytes(room, 4)}Mi"},  # noqa: S108 - the same
        mounts={"/var/lib/postgresql": Claim(DATA)},
    )
    pod = Pod(part, (container,), config=config, secrets=secrets, grace=120)
    return resource(Stage.FOUNDATIONS, config), service(scope, part), *stateful_set(scope, pod, wanted)


def configuration(room: Size, connections: int) -> str:
    """`postgresql.conf` for a server with that much memory, by the rules of thumb of PostgreSQL's documentation.

    A quarter of the limit is the server's own cache; a sixty-fourth is what one sort may take, which leaves half of the
    limit to sixteen sorts at once and the rest to the kernel's file cache.
    """
    settings = {
        "max_connections": str(connections),
        "shared_buffers": f"{_mebibytes(room, 4)}MB",
        "effective_cache_size": f"{_mebibytes(room, 2)}MB",
        "work_mem": f"{_mebibytes(room, 64)}MB",
        "maintenance_work_mem": f"{_mebibytes(room, 8)}MB",
        "max_wal_size": "2GB",
        # Volumes of servers are solid-state; the default of 4 is for disks that turn.
        "random_page_cost": "1.1",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _mebibytes(room: Size, share: int) -> int:
    """That share of the memory limit in MiB, at least 4."""
    return max(4, int(amount(room.memory_limit) / MIB / share))
