"""CPU and memory of one container, and the volume of one server: the fields that many components share."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from almagest_operator.model.base import Model, Quantity, StorageClassName, rule


class Amounts(Model):
    """CPU in cores, memory in bytes."""

    cpu: Annotated[Quantity | None, Field(description="Cores, e.g. `500m` or `2`.")] = None
    memory: Annotated[Quantity | None, Field(description="Bytes, e.g. `512Mi`.")] = None


class Resources(Model):
    """What a container is promised and what it may take. Each field left out has the environment's default."""

    requests: Annotated[Amounts, Field(description="What the scheduler reserves.")] = Amounts()
    limits: Annotated[Amounts, Field(description="What the container may not exceed.")] = Amounts()


class Volume(Model):
    """A server's persistent volume."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "has(self.storageClassName) == has(oldSelf.storageClassName)",
                    "a volume cannot change its class",
                    ".storageClassName",
                )
            ]
        }
    )

    storage: Annotated[Quantity, Field(description="Size of its volume; may grow where its class allows it.")] = "5Gi"
    storage_class_name: Annotated[
        StorageClassName | None,
        Field(description="StorageClass of its volume; the cluster's default when it is left out. Cannot change."),
    ] = None
