"""The editorial pages under `/cms/`: WordPress and its MariaDB."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Quantity
from almagest_operator.model.sizing import Resources, Volume


class MariaDB(Volume):
    """WordPress's database server."""

    storage: Annotated[Quantity, Field(description="Size of its volume; may grow where its class allows it.")] = "2Gi"
    resources: Annotated[Resources, Field(description="CPU and memory of its pod.")] = Resources()


class WordPress(Volume):
    """The content management system; its volume holds the uploads."""

    enabled: Annotated[bool, Field(description="Whether the archive has a `/cms/`.")] = True
    storage: Annotated[
        Quantity, Field(description="Size of the uploads' volume; may grow where its class allows it.")
    ] = "2Gi"
    resources: Annotated[Resources, Field(description="CPU and memory of PHP.")] = Resources()
    mariadb: Annotated[MariaDB, Field(description="Its database server.")] = MariaDB()
