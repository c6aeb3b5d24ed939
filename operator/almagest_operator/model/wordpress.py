"""The editorial pages under `/cms/`: WordPress and its MariaDB."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Storage
from almagest_operator.model.sizing import Resources, Volume


class MariaDB(Volume):
    """WordPress's database server."""

    storage: Annotated[Storage, Field(description="Size of its volume; may be raised later, never lowered.")] = "2Gi"
    resources: Annotated[Resources, Field(description="CPU and memory of its pod.")] = Resources()


class WordPress(Volume):
    """The content management system; its volume holds the uploads."""

    enabled: Annotated[bool, Field(description="Whether the archive has a `/cms/`.")] = True
    storage: Annotated[Storage, Field(description="Size of the uploads' volume; may be raised, never lowered.")] = "2Gi"
    resources: Annotated[Resources, Field(description="CPU and memory of PHP.")] = Resources()
    mariadb: Annotated[MariaDB, Field(description="Its database server.")] = MariaDB()
