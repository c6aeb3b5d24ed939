"""The web processes of the application."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model
from almagest_operator.model.sizing import Resources


class Web(Model):
    """The processes that answer HTTP."""

    replicas: Annotated[
        int | None, Field(ge=1, le=50, description="Number of pods; by default 1 in dev and test, 2 in production.")
    ] = None
    fetch_uploads: Annotated[
        bool,
        Field(
            description="Whether queries may bring tables by an address on the public internet. If not, network policy "
            "keeps the pods from it, and such uploads fail."
        ),
    ] = True
    resources: Annotated[Resources, Field(description="CPU and memory of each pod.")] = Resources()
