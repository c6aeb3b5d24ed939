"""What the operator reports about an archive."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Lenient


class ConditionStatus(enum.StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Lenient):
    """One aspect of the archive's state, as the Kubernetes API conventions lay it down."""

    type: Annotated[str, Field(max_length=316, description="What this is about, e.g. `Ready`.")]
    status: Annotated[ConditionStatus, Field(description="Whether it is so.")]
    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
            description="One word for programs, CamelCase.",
        ),
    ]
    message: Annotated[str, Field(max_length=32768, description="A sentence for people.")] = ""
    last_transition_time: Annotated[
        str, Field(description="When the status changed last.", json_schema_extra={"format": "date-time"})
    ]
    observed_generation: Annotated[
        int | None, Field(ge=0, description="The generation of the spec that this was judged by.")
    ] = None


class Endpoints(Lenient):
    """Absolute URLs of the archive."""

    site: Annotated[str | None, Field(description="The home page.")] = None
    tap: Annotated[str | None, Field(description="The base URL of the TAP service.")] = None


class ComponentStatus(Lenient):
    """One part of the archive."""

    name: Annotated[str, Field(max_length=63, description="E.g. `web`, `worker-short`, `datadb`.")]
    ready: Annotated[bool, Field(description="Whether it does its work.")]
    replicas: Annotated[int | None, Field(ge=0, description="Pods wanted.")] = None
    ready_replicas: Annotated[int | None, Field(ge=0, description="Pods ready.")] = None
    message: Annotated[str, Field(max_length=32768, description="Why it is not ready.")] = ""


class ArchiveStatus(Lenient):
    """Written by the operator alone."""

    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=50,
            json_schema_extra={"x-kubernetes-list-map-keys": ["type"]},
            description="Ready sums up; the others say why.",
        ),
    ] = ()
    observed_generation: Annotated[
        int | None, Field(ge=0, description="The generation of the spec that was carried out last.")
    ] = None
    release: Annotated[str | None, Field(description="The release that serves now.")] = None
    endpoints: Annotated[Endpoints | None, Field(description="Where the archive is.")] = None
    components: Annotated[
        tuple[ComponentStatus, ...],
        Field(
            max_length=100,
            json_schema_extra={"x-kubernetes-list-map-keys": ["name"]},
            description="Its parts, by name.",
        ),
    ] = ()
