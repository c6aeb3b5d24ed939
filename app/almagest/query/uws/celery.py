"""The Celery application: one quorum queue in RabbitMQ for each time class of `queues.json`.

Celery carries a message "run this job" and nothing else. What is true about a job stands in its database row, so a
message that is lost or comes twice does no harm (`almagest.query.uws.recovery`). Therefore:
- no results are stored (no task returns anything that somebody waits for),
- tasks are acknowledged when done (`acks_late`), so that a busy worker holds no second job back from an idle one,
- no task has an ETA, countdown or retry delay: those make Celery declare 28 delay queues.
"""

from __future__ import annotations

from urllib.parse import quote

import kombu
from celery import Celery

from almagest.config.environment import Environment, environment, queues

EXCHANGE = "almagest"


def broker_url(settings: Environment) -> str:
    """The broker's address with our user and password."""
    user, password, vhost = (
        quote(part, safe="")
        for part in (settings.broker_user, settings.secret("broker/password"), settings.broker_vhost)
    )
    return f"amqp://{user}:{password}@{settings.broker_host}:{settings.broker_port}/{vhost}"


def task_queues() -> tuple[kombu.Queue, ...]:
    """A queue of the broker for each of `queues.json`, under the same name: the virtual host is the archive's own."""
    exchange = kombu.Exchange(EXCHANGE, type="topic", durable=True)
    return tuple(
        kombu.Queue(queue.name, exchange, routing_key=queue.name, queue_arguments={"x-queue-type": "quorum"})
        for queue in queues()
    )


app = Celery("almagest")
app.conf.update(
    broker_url=broker_url(environment()),
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=2,
    broker_transport_options={"confirm_publish": True},
    broker_heartbeat=30,
    task_queues=task_queues(),
    task_default_queue=queues()[0].name,
    task_default_queue_type="quorum",
    task_default_exchange=EXCHANGE,
    task_default_exchange_type="topic",
    task_default_routing_key=queues()[0].name,
    task_create_missing_queues=False,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.2},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_max_memory_per_child=400_000,
    timezone="UTC",
    imports=("almagest.query.uws.tasks",),
)
