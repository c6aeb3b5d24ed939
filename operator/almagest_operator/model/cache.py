"""The cache: short-lived values that may be lost at any time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model, Quantity
from almagest_operator.model.sizing import Resources


class Cache(Model):
    """One Redis server without persistence."""

    max_memory: Annotated[
        Quantity,
        Field(
            description="What its values may take; beyond that the least recently used go. The pod gets a half more."
        ),
    ] = "64Mi"
    resources: Annotated[Resources, Field(description="CPU and memory of its pod.")] = Resources()
