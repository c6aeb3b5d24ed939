"""The two PostgreSQL servers: the application's own rows, and the science tables."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model, Quantity
from almagest_operator.model.sizing import Resources, Volume


class Provider(enum.StrEnum):
    EMBEDDED = "Embedded"


class Database(Volume):
    """One PostgreSQL 17 server with pgSphere."""

    provider: Annotated[
        Provider, Field(description="Who runs the server. Embedded: this operator, as one pod with one volume.")
    ] = Provider.EMBEDDED
    resources: Annotated[
        Resources, Field(description="CPU and memory; the server's caches are sized from the memory limit.")
    ] = Resources()


class DataDatabase(Database):
    """The server of the science tables and of users' result tables."""

    storage: Annotated[Quantity, Field(description="Size of its volume; may grow where its class allows it.")] = "20Gi"


class Databases(Model):
    """Two servers, because a heavy query must never starve logins."""

    app: Annotated[Database, Field(description="Accounts, jobs, metadata: the application's own rows.")] = Database()
    data: Annotated[DataDatabase, Field(description="Science tables and users' result tables.")] = DataDatabase()
