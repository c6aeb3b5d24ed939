"""The door of the archive."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model
from almagest_operator.model.sizing import Resources


class Proxy(Model):
    """nginx, through which everybody comes in."""

    replicas: Annotated[
        int | None, Field(ge=1, le=20, description="Number of pods; by default 1 in dev and test, 2 in production.")
    ] = None
    resources: Annotated[Resources, Field(description="CPU and memory of each pod.")] = Resources()
