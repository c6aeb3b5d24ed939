"""Query queues, each with its own workers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Duration, Model
from almagest_operator.model.sizing import Resources


class Queue(Model):
    """One class of asynchronous queries: those that may take this long."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=20,
            pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
            description="DNS label, unique in the archive: `short` gives the Deployment `<archive>-worker-short`.",
        ),
    ]
    timeout: Annotated[
        Duration, Field(description="A query is stopped after this long, e.g. `30s` or `1h`; from 1s to 168h.")
    ]
    workers: Annotated[int, Field(ge=1, le=50, description="Number of pods that work on this queue.")] = 1
    resources: Annotated[Resources, Field(description="CPU and memory of each pod.")] = Resources()
