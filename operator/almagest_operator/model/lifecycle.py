"""What happens to the archive as a whole."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model


class DeletionPolicy(enum.StrEnum):
    RETAIN = "Retain"
    DELETE = "Delete"


class Lifecycle(Model):
    """Pause, and what deletion means."""

    paused: Annotated[
        bool,
        Field(
            description="The operator changes nothing but what `deletionPolicy` asks while this is true; "
            "what runs keeps running."
        ),
    ] = False
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(description="Whether the volumes stay (Retain) or go (Delete) when the Archive is deleted."),
    ] = DeletionPolicy.RETAIN
