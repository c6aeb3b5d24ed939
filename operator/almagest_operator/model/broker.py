"""The message broker between the web processes and the workers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Quantity
from almagest_operator.model.sizing import Resources, Volume


class Broker(Volume):
    """One RabbitMQ node with quorum queues."""

    storage: Annotated[Quantity, Field(description="Size of its volume; may grow where its class allows it.")] = "2Gi"
    resources: Annotated[Resources, Field(description="CPU and memory of its pod.")] = Resources()
