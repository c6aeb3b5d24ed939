"""WordPress's database server: MariaDB, one pod and one volume."""

from __future__ import annotations

from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Claim, Container, Pod, Probes, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.secrets import all_of
from almagest_operator.desired.sizes import Size, size
from almagest_operator.desired.workload import DATA, service, stateful_set
from almagest_operator.model.base import amount
from almagest_operator.model.resource import Resource, Stage

UID = 10014
MARIADB = Part.of("mariadb")


def mariadb(scope: Scope) -> tuple[Resource, ...]:
    """One StatefulSet, its Service and configuration."""
    wanted = scope.archive.spec.wordpress.mariadb
    room = size("mariadb", scope.archive.spec.environment, wanted.resources)
    config = config_map(scope, MARIADB, {"mariadb.cnf": configuration(room)})
    container = Container(
        name="mariadb",
        image="mariadb",
        uid=UID,
        command=("/usr/local/bin/entrypoint",),
        size=room,
        env={"ALMAGEST_DATABASE": "wordpress", "ALMAGEST_USER": "wordpress"},
        port=PORTS["mariadb"],
        probes=Probes({"tcpSocket": {"port": PORTS["mariadb"]}}, start=600),
        writable=("/tmp", "/run/mysqld"),  # noqa: S108 - an emptyDir of the container's own
        mounts={"/var/lib/mysql": Claim(DATA)},
    )
    pod = Pod(MARIADB, (container,), config=config, secrets=all_of("mariadb"), grace=120)
    return resource(Stage.FOUNDATIONS, config), service(scope, MARIADB), *stateful_set(scope, pod, wanted)


def configuration(room: Size) -> str:
    """`mariadb.cnf`: a quarter of the memory limit for the buffer pool; more connections than PHP has children."""
    pool = int(amount(room.memory_limit) / 4 / 2**20)
    return f"[mariadbd]\ninnodb_buffer_pool_size = {pool}M\nmax_connections = 50\n"
