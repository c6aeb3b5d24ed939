"""What the surroundings tell the application: variables, secrets and configuration files of docs/contracts.md.

The only module that reads the process environment. Everything is read once; a pod that gets other values is restarted.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from psycopg.conninfo import make_conninfo
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Read = TypeVar("Read")
Format = Literal["fits", "votable", "parquet", "hdf5", "csv"]

AppRole = Literal["almagest"]
DataRole = Literal["almagest", "almagest_query", "almagest_job"]

PASSWORD_KEYS: dict[str, str] = {"almagest": "owner", "almagest_query": "query", "almagest_job": "job"}
"""Role → the word before `-password` in the database's Secret."""

LOST_MILLISECONDS = 10_000
"""After so long without a sign from the machine of a server that was told something, the connection is given up."""


class ConfigurationError(Exception):
    """The surroundings lack something or say something wrong; the message names the variable or file."""


class Environment(BaseSettings):
    """The ALMAGEST_* variables; made by `environment`, which says what is missing or malformed."""

    model_config = SettingsConfigDict(env_prefix="ALMAGEST_", frozen=True, extra="ignore")

    archive: str
    environment: Literal["dev", "test", "production"]
    release: str
    site_url: str = Field(pattern=r"^https?://[^/]+(/.*[^/])?$")
    allowed_hosts: str
    pod_ip: str | None = None
    config_dir: Path = Path("/etc/almagest")
    secrets_dir: Path = Path("/run/secrets/almagest")
    files_dir: Path = Path("/var/lib/almagest/files")
    run_dir: Path = Path("/run/almagest")
    static_dir: Path = Path(tempfile.gettempdir()) / "almagest-static"
    frontend_dir: Path = Path("/opt/almagest/frontend")

    appdb_host: str
    appdb_port: int = 5432
    appdb_name: str = "almagest"
    appdb_user: str = "almagest"
    datadb_host: str
    datadb_port: int = 5432
    datadb_name: str = "data"
    datadb_user: str = "almagest"
    broker_host: str
    broker_port: int = 5672
    broker_user: str = "almagest"
    broker_vhost: str = "almagest"
    cache_host: str
    cache_port: int = 6379

    upload_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), description="private networks, comma separated, that UPLOAD may fetch from at any port; for tests"
    )

    web_port: int = 8000
    web_processes: int = Field(default=1, ge=1)
    web_threads: int = Field(default=24, ge=1, description="requests served at once by one process")
    connections_query: int = Field(default=100, ge=1, description="that the role almagest_query may have")
    connections_job: int = Field(default=100, ge=1, description="that the role almagest_job may have")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("upload_networks", mode="before")
    @classmethod
    def _split(cls, text: object) -> object:
        return [word.strip() for word in text.split(",") if word.strip()] if isinstance(text, str) else text

    @property
    def appdb_connections(self) -> int:
        """Of one process to the application's database: one for each request that it can serve at once, and one for the
        health check."""
        return self.web_threads + 1

    @property
    def hosts(self) -> list[str]:
        """Host names that requests may carry: those of the site, the probes' `localhost`, the pod's own address."""
        names = [name.strip() for name in self.allowed_hosts.split(",") if name.strip()]
        return [*names, "localhost", *([self.pod_ip] if self.pod_ip else [])]

    def secret(self, name: str) -> str:
        """The secret `<component>/<key>`, e.g. `datadb/query-password`, without a final line break.

        Raises ConfigurationError naming the file when it is not mounted.
        """
        path = self.secrets_dir / name
        try:
            return path.read_text().rstrip("\n")
        except OSError as error:
            raise ConfigurationError(f"secret {name!r} cannot be read from {path}: {error.strerror}") from error

    def has_secret(self, name: str) -> bool:
        """Whether this process was given that secret; Jobs get no more than they need."""
        return (self.secrets_dir / name).exists()

    def appdb_conninfo(self, role: AppRole = "almagest") -> str:
        """libpq connection string to the application's database."""
        return make_conninfo(
            host=self.appdb_host,
            port=self.appdb_port,
            dbname=self.appdb_name,
            user=self.appdb_user if role == "almagest" else role,
            password=self.secret(f"appdb/{PASSWORD_KEYS[role]}-password"),
            connect_timeout=5,
            tcp_user_timeout=LOST_MILLISECONDS,
        )

    def datadb_conninfo(self, role: DataRole) -> str:
        """libpq connection string to the data database as one of its three roles."""
        return make_conninfo(
            host=self.datadb_host,
            port=self.datadb_port,
            dbname=self.datadb_name,
            user=self.datadb_user if role == "almagest" else role,
            password=self.secret(f"datadb/{PASSWORD_KEYS[role]}-password"),
            connect_timeout=5,
            tcp_user_timeout=LOST_MILLISECONDS,
        )


class Contact(BaseModel):
    """Whom a visitor can ask."""

    model_config = ConfigDict(frozen=True)

    name: str | None = None
    email: str | None = None
    url: str | None = None


class Site(BaseModel):
    """`site.json`: how the archive presents itself. It may hold keys of a newer operator."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    title: str
    description: str = ""
    publisher: str = ""
    contact: Contact = Contact()
    acknowledgement: str = ""
    authority: str | None = Field(default=None, description="IVOA authority that the archive's identifiers live under")


class Queue(BaseModel):
    """One time class of query jobs. timeout: seconds that a statement may run."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    timeout: float = Field(gt=0)


class Dataset(BaseModel):
    """One data set to ingest. table: `schema.table`; source: docs/app/ingest.md; format: None: by the file's name."""

    model_config = ConfigDict(frozen=True)

    table: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    source: str
    format: Format | None = None


@cache
def environment() -> Environment:
    """The process's environment, read at the first call. Raises ConfigurationError naming every wrong variable."""
    try:
        return Environment()
    except ValidationError as error:
        problems = [f"ALMAGEST_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("; ".join(problems)) from error


def use_settings() -> None:
    """Name the settings module to Django, unless the caller's environment names another; before `django.setup`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "almagest.config.settings")


@cache
def site() -> Site:
    """What `site.json` says."""
    return _read("site.json", TypeAdapter(Site))


@cache
def queues() -> tuple[Queue, ...]:
    """What `queues.json` says, in its order."""
    return _read("queues.json", TypeAdapter(tuple[Queue, ...]))


@cache
def datasets() -> tuple[Dataset, ...]:
    """What `datasets.json` says, in its order."""
    return _read("datasets.json", TypeAdapter(tuple[Dataset, ...]))


def _read(name: str, adapter: TypeAdapter[Read]) -> Read:
    path = environment().config_dir / name
    try:
        return adapter.validate_python(_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {place or 'document'}: {first['msg']}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from error
