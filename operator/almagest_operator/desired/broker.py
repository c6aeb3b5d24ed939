"""The broker: RabbitMQ with quorum queues, one pod and one volume."""

from __future__ import annotations

from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Claim, Container, Pod, Probes, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.secrets import all_of
from almagest_operator.desired.sizes import Size, size
from almagest_operator.desired.workload import DATA, service, stateful_set
from almagest_operator.model.base import amount, seconds
from almagest_operator.model.resource import Resource, Stage

UID = 10012
BROKER = Part.of("broker")


def broker(scope: Scope) -> tuple[Resource, ...]:
    """One StatefulSet, its Service and configuration.

    The node name is fixed to the pod's DNS name because RabbitMQ stores it: a broker that comes back under another
    name comes back empty. It asks for that name while it starts, so the Service also answers for pods not ready.
    """
    spec = scope.archive.spec
    room = size("broker", spec.environment, spec.broker.resources)
    longest = max(seconds(queue.timeout) for queue in spec.queues)
    config = config_map(scope, BROKER, {"rabbitmq.conf": configuration(room, longest)})
    name = scope.name("broker")
    container = Container(
        name="rabbitmq",
        image="rabbitmq",
        uid=UID,
        command=("/usr/local/bin/entrypoint",),
        size=room,
        env={
            "RABBITMQ_NODENAME": f"rabbit@{name}-0.{scope.service('broker')}",
            "RABBITMQ_USE_LONGNAME": "true",
            "ALMAGEST_USER": "almagest",
            "ALMAGEST_VHOST": "almagest",
        },
        port=PORTS["broker"],
        probes=Probes({"tcpSocket": {"port": PORTS["broker"]}}, start=300),
        mounts={"/var/lib/rabbitmq": Claim(DATA)},
    )
    pod = Pod(BROKER, (container,), config=config, secrets=all_of("broker"), grace=120)
    return (
        resource(Stage.FOUNDATIONS, config),
        service(scope, BROKER, {"clusterIP": "None", "publishNotReadyAddresses": True}),
        *stateful_set(scope, pod, spec.broker),
    )


def configuration(room: Size, longest: int) -> str:
    """`rabbitmq.conf`. longest: seconds of the slowest queue, whose message stays unacknowledged for all that time."""
    settings = {
        "vm_memory_high_watermark.absolute": int(amount(room.memory_limit) * 0.6),
        "disk_free_limit.absolute": 256 * 10**6,
        # The default of 512 MiB is kept in memory as well as on disk.
        "raft.wal_max_size_bytes": 32 * 2**20,
        # RabbitMQ takes a message back from a worker that does not acknowledge it; the default is 30 minutes.
        "consumer_timeout": (max(longest, 1800) + 1800) * 1000,
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())
