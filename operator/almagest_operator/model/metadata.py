"""The part of an object's metadata that the operator reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Lenient


class Metadata(Lenient):
    """Name, place and age of an object. `uid` and `generation` are missing only in files not yet applied."""

    name: str
    namespace: str = ""
    uid: str | None = None
    generation: int | None = None
    labels: Annotated[dict[str, str], Field(default_factory=dict)]
    annotations: Annotated[dict[str, str], Field(default_factory=dict)]
    deletion_timestamp: str | None = None
