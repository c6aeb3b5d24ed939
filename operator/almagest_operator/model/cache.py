"""The cache: short-lived values that may be lost at any time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model
from almagest_operator.model.sizing import Resources


class Cache(Model):
    """One Redis server without persistence."""

    resources: Annotated[
        Resources, Field(description="CPU and memory of its pod; its values may take 60 % of the memory limit.")
    ] = Resources()
