"""The cache: Redis without persistence, so that its pod may go at any time."""

from __future__ import annotations

from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Container, Pod, Probes, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.secrets import all_of
from almagest_operator.desired.sizes import Size, size
from almagest_operator.desired.workload import deployment, service
from almagest_operator.model.base import amount
from almagest_operator.model.resource import Resource, Stage

UID = 10013
CACHE = Part.of("cache")


def cache(scope: Scope) -> tuple[Resource, ...]:
    """One Deployment that is never there twice, its Service and configuration."""
    wanted = scope.archive.spec.cache
    room = size("cache", scope.archive.spec.environment, wanted.resources)
    config = config_map(scope, CACHE, {"redis.conf": configuration(room)})
    container = Container(
        name="redis",
        image="redis",
        uid=UID,
        command=("/usr/local/bin/entrypoint",),
        size=room,
        port=PORTS["cache"],
        probes=Probes({"tcpSocket": {"port": PORTS["cache"]}}),
        writable=("/tmp", "/var/lib/redis"),  # noqa: S108 - an emptyDir of the container's own
    )
    pod = Pod(CACHE, (container,), config=config, secrets=all_of("cache"))
    return (
        resource(Stage.FOUNDATIONS, config),
        service(scope, CACHE),
        deployment(scope, pod, stage=Stage.DATA, overlap=False),
    )


def configuration(room: Size) -> str:
    """`redis.conf`: when memory is short, what expires and was not used for longest goes first."""
    settings = {
        "maxmemory": int(amount(room.memory_limit) * 0.6),
        "maxmemory-policy": "volatile-lru",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())
