"""RabbitMQ as the archive's pods start it: its one user, quorum queues, messages that survive."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from integration.images.conftest import Stage
from support.container import Container
from support.waiting import eventually

pytestmark = pytest.mark.integration

UID = 10012
HOST = "gaia-broker-0.gaia-broker.gaia-dev.svc"
SECRET = {"password": 'pass"word\\1', "erlang-cookie": "COOKIE"}
ENVIRONMENT = {
    "RABBITMQ_NODENAME": f"rabbit@{HOST}",
    "RABBITMQ_USE_LONGNAME": "true",
    "ALMAGEST_USER": "almagest",
    "ALMAGEST_VHOST": "almagest",
}
# The network namespace is the pod's, so the client is a process of its own there.
CLIENT = """
import os, sys
import kombu
who = dict(userid=os.environ["RABBIT_USER"], password=os.environ["RABBIT_PASSWORD"], virtual_host="almagest")
how = dict(connect_timeout=10, transport_options={"confirm_publish": True})
with kombu.Connection(hostname="127.0.0.1", **who, **how) as connection:
    channel = connection.channel()
    queue = kombu.Queue("work", durable=True)(channel)
    queue.declare()
    if sys.argv[1] == "put":
        kombu.Producer(channel).publish(sys.argv[2], routing_key="work", delivery_mode=2)
    else:
        message = queue.get()
        message.ack()
        print(message.payload, end="")
"""


def start(stage: Stage) -> Container:
    pod = stage.pod(HOST)
    pod.secret("broker", SECRET, UID)
    pod.configuration("rabbitmq.conf", "vm_memory_high_watermark.absolute = 200000000\n")
    container = stage.container(pod, "rabbitmq", {"/var/lib/rabbitmq": "data"}, ENVIRONMENT)
    container.start()
    return container


def ready(broker: Container) -> None:
    eventually(
        "RabbitMQ to listen or to end", lambda: broker.pod.answers(5672) or not broker.running, within=90, every=0.2
    )
    assert broker.running, broker.log


def client(broker: Container, *arguments: str, user: str = "almagest", password: str | None = None) -> str:
    """What the client prints, or the last line of its error."""
    given = {"RABBIT_USER": user, "RABBIT_PASSWORD": SECRET["password"] if password is None else password}
    done = broker.pod.run(sys.executable, "-c", CLIENT, *arguments, environment=given)
    return done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def register(broker: Container) -> Path:
    """Where the broker notes which queue is where in its log, up to a second after it said that the queue is there."""
    (found,) = (broker.pod.volume("data", UID) / "mnesia").glob("*/quorum/*/names.dets")
    return found


def forget_queues(broker: Container) -> None:
    """What a power failure within that second leaves."""
    register(broker).unlink()


def test_only_the_user_of_the_secret_gets_in(stage: Stage) -> None:
    broker = start(stage)
    ready(broker)
    assert client(broker, "put", "hello") == ""
    assert "ACCESS_REFUSED" in client(broker, "put", "hello", password="guess")
    assert "ACCESS_REFUSED" in client(broker, "put", "hello", user="guest", password="guest")


def test_messages_survive_a_power_failure_in_quorum_queues(stage: Stage) -> None:
    broker = start(stage)
    ready(broker)
    assert client(broker, "put", "precious") == ""
    listed = broker.exec("rabbitmqctl", "--longnames", "--quiet", "-p", "almagest", "list_queues", "name", "type")
    assert listed.splitlines()[1].split() == ["work", "quorum"]
    eventually("the queue's place to be written out", lambda: b"almagest_work" in register(broker).read_bytes())
    broker.restart()
    ready(broker)
    # The queue answers when it has found its leader again, which on a busy machine is well after the port is open.
    eventually("the message", lambda: client(broker, "get") == "precious", within=90)


def test_queue_is_usable_after_a_power_failure_in_its_first_moment(stage: Stage) -> None:
    broker = start(stage)
    ready(broker)
    assert client(broker, "put", "unlucky") == ""
    broker.kill()
    forget_queues(broker)
    broker.restart()
    ready(broker)
    assert "Starting member as a new one" in broker.log, "what this is about has to happen"
    assert client(broker, "put", "precious") == ""
    assert client(broker, "get") == "precious"


@pytest.mark.parametrize("made", ["*", "*/schema.DAT", "*/rabbit_vhost.DCD", "*/rabbit_durable_queue.DCD"])
def test_kill_during_first_start_is_recovered_from(stage: Stage, made: str) -> None:
    """made: what of its database the broker has when it is killed."""
    broker = start(stage)
    nodes = broker.pod.volume("data", UID) / "mnesia"
    eventually(f"{made} in the node's directory", lambda: any(nodes.glob(made)), within=60, every=0.002)
    broker.restart()
    ready(broker)
    assert client(broker, "put", "hello") == ""


def test_volume_that_outlived_its_secret_takes_the_new_one(stage: Stage) -> None:
    broker = start(stage)
    ready(broker)
    broker.pod.secret("broker", {"password": "new", "erlang-cookie": "NEWCOOKIE"}, UID)
    broker.restart()
    ready(broker)
    assert client(broker, "put", "hello", password="new") == ""
    assert "ACCESS_REFUSED" in client(broker, "put", "hello")


def test_ends_when_asked(stage: Stage) -> None:
    broker = start(stage)
    ready(broker)
    broker.signal("TERM")
    assert broker.wait(30) == 0
