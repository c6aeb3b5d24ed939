"""Real servers for tests of the application: the release's own images as pods (docs/contracts.md)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.cluster import Manifest, apply, get, namespace, release_images
from support.waiting import eventually

UIDS = {"postgres": 10011, "rabbitmq": 10012, "redis": 10013}
SECRETS = {
    "appdb": ("superuser-password", "owner-password"),
    "datadb": ("superuser-password", "owner-password", "query-password", "job-password"),
    "broker": ("password", "erlang-cookie"),
    "cache": ("password",),
    "django": ("secret-key",),
}


@dataclass(frozen=True)
class Services:
    """Addresses and secrets of the servers, as the application takes them.

    environment: every ALMAGEST_* variable of docs/contracts.md; namespace: where the pods run.
    """

    environment: dict[str, str]
    namespace: str

    def secret(self, name: str) -> str:
        """The secret `<component>/<key>`, e.g. `datadb/query-password`."""
        return (Path(self.environment["ALMAGEST_SECRETS_DIR"]) / name).read_text()

    def conninfo(self, component: str, user: str = "almagest") -> str:
        """libpq connection string to `appdb` or `datadb` as one of the roles of docs/contracts.md."""
        prefix = f"ALMAGEST_{component.upper()}"
        key = {"almagest": "owner", "almagest_query": "query", "almagest_job": "job"}[user]
        password = self.secret(f"{component}/{key}-password")
        host, name = self.environment[f"{prefix}_HOST"], self.environment[f"{prefix}_NAME"]
        return f"host={host} port=5432 dbname={name} user={user} password={password}"


@contextmanager
def run_services(directory: Path) -> Iterator[Services]:
    """Start PostgreSQL twice, RabbitMQ and Redis from the release's images; everything goes with the context."""
    values = {component: {key: secrets.token_hex(16) for key in keys} for component, keys in SECRETS.items()}
    write_secrets(directory / "secrets", values)
    write_configuration(directory / "config")
    images = release_images()
    with namespace(f"almagest-test-{os.getpid()}-{secrets.token_hex(2)}") as name:
        apply(*(_secret(name, component, data) for component, data in values.items()))
        apply(_headless(name), *_pods(name, images))
        addresses = eventually("PostgreSQL, RabbitMQ and Redis to be ready", lambda: _ready(name), within=180)
        yield Services(_environment(directory, addresses), name)


def write_secrets(directory: Path, values: dict[str, dict[str, str]]) -> None:
    for component, keys in values.items():
        (directory / component).mkdir(parents=True, exist_ok=True)
        for key, value in keys.items():
            (directory / component / key).write_text(value)


def write_configuration(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "site.json").write_text(
        '{"title": "Test archive", "publisher": "Almagest", "contact": {"email": "contact@example.org"}}'
    )
    (directory / "queues.json").write_text('[{"name": "short", "timeout": 30}, {"name": "long", "timeout": 3600}]')
    (directory / "datasets.json").write_text(
        '[{"table": "gaiadr3.bright", "source": "demo:gaia", "format": null},'
        ' {"table": "hipparcos.main", "source": "demo:hipparcos", "format": null},'
        ' {"table": "openngc.objects", "source": "demo:openngc", "format": null}]'
    )


def _environment(directory: Path, addresses: dict[str, str]) -> dict[str, str]:
    (directory / "files").mkdir(exist_ok=True)
    variables = {
        "ARCHIVE": "test",
        "ENVIRONMENT": "dev",
        "RELEASE": "0.1.0",
        "SITE_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CONFIG_DIR": str(directory / "config"),
        "SECRETS_DIR": str(directory / "secrets"),
        "FILES_DIR": str(directory / "files"),
        "BROKER_USER": "almagest",
        "BROKER_VHOST": "almagest",
        "APPDB_NAME": "almagest",
        "DATADB_NAME": "data",
        "APPDB_USER": "almagest",
        "DATADB_USER": "almagest",
    }
    for component, port in (("appdb", 5432), ("datadb", 5432), ("broker", 5672), ("cache", 6379)):
        variables[f"{component.upper()}_HOST"] = addresses[component]
        variables[f"{component.upper()}_PORT"] = str(port)
    return {f"ALMAGEST_{key}": value for key, value in variables.items()}


def _ready(name: str) -> dict[str, str] | None:
    pods = get("pods", "-n", name)["items"]
    ready = {
        pod["metadata"]["name"]: pod["status"]["podIP"]
        for pod in pods
        if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    }
    return ready if len(ready) == len(pods) else None


def _secret(name: str, component: str, data: dict[str, str]) -> Manifest:
    metadata = {"name": component, "namespace": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def _headless(name: str) -> Manifest:
    spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {"test": "services"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "services", "namespace": name}, "spec": spec}


@dataclass(frozen=True)
class Server:
    """One pod: whose secret it reads, which image it runs, and what that image wants to know."""

    component: str
    image: str
    writable: tuple[str, ...]
    probe: Manifest
    environment: dict[str, str] = field(default_factory=dict)


def _postgres(component: str, database: str, extensions: str) -> Server:
    environment = {
        "ALMAGEST_COMPONENT": component,
        "ALMAGEST_DATABASE": database,
        "ALMAGEST_EXTENSIONS": extensions,
    }
    probe = {"exec": {"command": ["pg_isready", "-h", "/run/postgresql"]}}
    return Server(component, "postgres", ("/var/lib/postgresql", "/run/postgresql"), probe, environment)


def _pods(name: str, images: dict[str, str]) -> list[Manifest]:
    broker = {
        "RABBITMQ_NODENAME": f"rabbit@broker.services.{name}.svc",
        "RABBITMQ_USE_LONGNAME": "true",
        "ALMAGEST_USER": "almagest",
        "ALMAGEST_VHOST": "almagest",
    }
    servers = (
        _postgres("appdb", "almagest", ""),
        _postgres("datadb", "data", "pg_sphere"),
        Server("broker", "rabbitmq", ("/var/lib/rabbitmq",), {"tcpSocket": {"port": 5672}}, broker),
        Server("cache", "redis", ("/var/lib/redis",), {"tcpSocket": {"port": 6379}}),
    )
    return [_pod(name, server, images[server.image]) for server in servers]


def _pod(name: str, server: Server, image: str) -> Manifest:
    uid = UIDS[server.image]
    mounts: list[Manifest] = [{"name": f"w{i}", "mountPath": path} for i, path in enumerate([*server.writable, "/tmp"])]
    volumes: list[Manifest] = [{"name": mount["name"], "emptyDir": {}} for mount in mounts]
    mounts.append({"name": "secret", "mountPath": f"/run/secrets/almagest/{server.component}", "readOnly": True})
    volumes.append({"name": "secret", "secret": {"secretName": server.component, "defaultMode": 0o440}})
    container = {
        "name": server.component,
        "image": image,
        "env": [{"name": key, "value": value} for key, value in server.environment.items()],
        "volumeMounts": mounts,
        # Asked until it is up, and then no more: to run a command in each container every second keeps the node busy.
        "startupProbe": {**server.probe, "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 180},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "hostname": server.component,
        "subdomain": "services",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": uid,
            "runAsGroup": uid,
            "fsGroup": uid,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }
    metadata = {"name": server.component, "namespace": name, "labels": {"test": "services"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
