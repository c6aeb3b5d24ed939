"""The Archive: one resource that says what an archive is."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from almagest_operator.model.base import Lenient, Model, rule
from almagest_operator.model.broker import Broker
from almagest_operator.model.cache import Cache
from almagest_operator.model.database import Databases
from almagest_operator.model.dataset import Dataset
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.exposure import Exposure, ExposureType
from almagest_operator.model.files import Files
from almagest_operator.model.lifecycle import Lifecycle
from almagest_operator.model.metadata import Metadata
from almagest_operator.model.proxy import Proxy
from almagest_operator.model.site import Site
from almagest_operator.model.status import ArchiveStatus
from almagest_operator.model.web import Web
from almagest_operator.model.wordpress import WordPress
from almagest_operator.model.worker import Queue

NAME = r"^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$"
"""Names of archives: DNS labels of at most 30 characters, so that every child's name fits into 63."""

DEFAULT_QUEUES = (Queue(name="short", timeout="30s"), Queue(name="long", timeout="1h"))

MOST_WORKERS = 200
"""Of all queues together: they and the web pods share PostgreSQL servers, which serve some thousand connections."""


class Environment(enum.StrEnum):
    """Sizes and guards, never what runs."""

    DEV = "dev"
    TEST = "test"
    PRODUCTION = "production"


class ArchiveSpec(Model):
    """What the archive is. Sizes left out follow the environment."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "self.exposure.type != 'Ingress' || has(self.site.hostname)",
                    "exposure by Ingress needs a host name",
                    ".site.hostname",
                ),
                rule(
                    f"self.queues.map(queue, queue.workers).sum() <= {MOST_WORKERS}",
                    f"all queues together may have at most {MOST_WORKERS} workers",
                    ".queues",
                ),
            ]
        }
    )

    release: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
            description="Name of the ArchiveRelease whose images run, e.g. `0.1.0`.",
        ),
    ]
    environment: Annotated[Environment, Field(description="Decides default sizes and guards, never what runs.")]
    site: Annotated[Site, Field(description="Name, people and terms of the archive.")]
    exposure: Annotated[Exposure, Field(description="How the world reaches it.")] = Exposure()
    proxy: Annotated[Proxy, Field(description="The door: nginx before web and WordPress.")] = Proxy()
    web: Annotated[Web, Field(description="The processes that answer HTTP.")] = Web()
    queues: Annotated[
        tuple[Queue, ...],
        Field(
            min_length=1,
            max_length=16,
            description="Classes of asynchronous queries, the first is the users' default.",
            json_schema_extra={"x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = DEFAULT_QUEUES
    databases: Annotated[Databases, Field(description="The two PostgreSQL servers.")] = Databases()
    broker: Annotated[Broker, Field(description="RabbitMQ, between the web processes and the workers.")] = Broker()
    cache: Annotated[Cache, Field(description="Redis, for values that may be lost.")] = Cache()
    wordpress: Annotated[WordPress, Field(description="The editorial pages under `/cms/`.")] = WordPress()
    files: Annotated[Files, Field(description="The volume of files that data sets are loaded from.")] = Files(
        storage="10Gi"
    )
    datasets: Annotated[
        tuple[Dataset, ...],
        Field(
            max_length=200,
            description="Tables to be loaded.",
            json_schema_extra={"x-kubernetes-list-map-keys": ["table"]},
        ),
    ] = ()
    lifecycle: Annotated[Lifecycle, Field(description="Pause, and what deletion means.")] = Lifecycle()

    @field_validator("queues")
    @classmethod
    def _queue_names_differ(cls, queues: tuple[Queue, ...]) -> tuple[Queue, ...]:
        _differ([queue.name for queue in queues])
        if sum(queue.workers for queue in queues) > MOST_WORKERS:
            raise ValueError(f"all queues together may have at most {MOST_WORKERS} workers")
        return queues

    @field_validator("datasets")
    @classmethod
    def _tables_differ(cls, datasets: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
        _differ([dataset.table for dataset in datasets])
        return datasets

    @model_validator(mode="after")
    def _ingress_has_a_name(self) -> ArchiveSpec:
        if self.exposure.type is ExposureType.INGRESS and self.site.hostname is None:
            raise ValueError("exposure by Ingress needs site.hostname")
        return self


class Archive(Lenient):
    """An astronomical archive."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    f"self.metadata.name.matches('{NAME}')",
                    "the name must be a DNS label that begins with a letter, of at most 30 characters",
                )
            ]
        }
    )

    api_version: Literal["almagest.science/v1alpha1"] = "almagest.science/v1alpha1"
    kind: Literal["Archive"] = "Archive"
    metadata: Metadata
    spec: ArchiveSpec
    status: ArchiveStatus = ArchiveStatus()

    @field_validator("metadata")
    @classmethod
    def _name_fits(cls, metadata: Metadata) -> Metadata:
        if not re.fullmatch(NAME, metadata.name):
            raise ValueError("the name must be a DNS label that begins with a letter, of at most 30 characters")
        return metadata

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> Archive:
        """From the API server's JSON or a file; InvalidSpec names the field that is wrong."""
        try:
            return cls.model_validate(manifest)
        except ValidationError as error:
            raise InvalidSpec.of(error) from error

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace


def _differ(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"given twice: {', '.join(twice)}")
