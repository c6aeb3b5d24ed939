"""What all processes of the application share: image, environment, configuration files, the files volume."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from almagest_operator.desired.endpoints import allowed_hosts, site_url
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Claim, Container, Pod, Probes, Secret, Together, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.sizes import size
from almagest_operator.desired.workload import claim
from almagest_operator.model.base import seconds
from almagest_operator.model.files import AccessMode
from almagest_operator.model.resource import Manifest, Resource, Stage
from almagest_operator.model.sizing import Resources, Volume

UID = 10001
FILES_DIR = "/var/lib/almagest/files"
RUN_DIR = "/run/almagest"
APP = Part.of("app")
FILES = Part.of("files")

APPDB = Secret("appdb", "owner-password")
OWNER = Secret("datadb", "owner-password")
QUERY = Secret("datadb", "query-password")
JOB = Secret("datadb", "job-password")
BROKER = Secret("broker", "password")
CACHE = Secret("cache", "password")
DJANGO = Secret("django", "secret-key")

READ_FILES = ("ingest", "scheduler")
"""The parts that mount the files volume. The scheduler does not read it: it is the pod that is always there, so people
put files onto the volume through it."""

# The processes touch the file every 10 s; a minute without is a hang. `find` costs a millisecond, Python a second.
HEARTBEAT = Probes(
    {"exec": {"command": ["/bin/sh", "-c", f'test -n "$(find {RUN_DIR}/heartbeat -mmin -1)"']}}, start=120, beat=2
)


def configuration(scope: Scope) -> Resource:
    """The ConfigMap of the application: `site.json`, `queues.json`, `datasets.json`."""
    return resource(Stage.FOUNDATIONS, _config(scope))


def files(scope: Scope) -> tuple[Resource, ...]:
    """The claim of the files volume, unless the archive brings its own."""
    wanted = scope.archive.spec.files
    if wanted.storage is None:
        return ()
    volume = Volume(storage=wanted.storage, storage_class_name=wanted.storage_class_name)
    return (claim(scope, FILES, "files", volume, wanted.access_mode or AccessMode.ONCE),)


def process(
    scope: Scope,
    part: Part,
    *arguments: str,
    secrets: tuple[Secret, ...],
    wanted: Resources | None = None,
    port: int | None = None,
    probes: Probes | None = None,
    pre_stop: Manifest | None = None,
    variables: Mapping[str, str] | None = None,
    files: bool = False,
    **pod: Any,
) -> Pod:
    """A pod with one process `almagest-app <arguments>`. variables: of this one alone; files: whether it reads the
    files volume; pod: the other fields of Pod, e.g. grace and replicas."""
    container = Container(
        name=part.name,
        image="app",
        uid=UID,
        command=("almagest-app", *arguments),
        size=size(part.name, scope.archive.spec.environment, wanted or Resources()),
        env={**environment(scope), **(variables or {})},
        port=port,
        probes=probes,
        writable=("/tmp", RUN_DIR),  # noqa: S108 - an emptyDir of the container's own
        mounts={FILES_DIR: _claim(scope)} if files else {},
        pre_stop=pre_stop,
    )
    together = _together(scope) if files else None
    return Pod(part, (container,), config=_config(scope), secrets=secrets, together=together, **pod)


def _claim(scope: Scope) -> Claim:
    return Claim("files", scope.archive.spec.files.existing_claim or scope.name("files"))


def _together(scope: Scope) -> Together | None:
    """On one node, where one node alone can mount the files; of a volume that exists already nobody knows."""
    wanted = scope.archive.spec.files
    if wanted.access_mode is AccessMode.MANY:
        return None
    return Together(READ_FILES, required=wanted.existing_claim is None)


def environment(scope: Scope) -> Mapping[str, str | Manifest]:
    """The application's environment variables (docs/contracts.md)."""
    variables: dict[str, str] = {
        "ARCHIVE": scope.archive.name,
        "ENVIRONMENT": scope.archive.spec.environment,
        "RELEASE": scope.release.name,
        "SITE_URL": site_url(scope.archive, scope.facts),
        "ALLOWED_HOSTS": ",".join(allowed_hosts(scope.archive, scope.facts)),
        "APPDB_NAME": "almagest",
        "APPDB_USER": "almagest",
        "DATADB_NAME": "data",
        "DATADB_USER": "almagest",
        "BROKER_USER": "almagest",
        "BROKER_VHOST": "almagest",
    }
    for component in ("appdb", "datadb", "broker", "cache"):
        variables[f"{component.upper()}_HOST"] = scope.name(component)
        variables[f"{component.upper()}_PORT"] = str(PORTS[component])
    pod_ip: Manifest = {"fieldRef": {"fieldPath": "status.podIP"}}
    return {**{f"ALMAGEST_{name}": value for name, value in variables.items()}, "ALMAGEST_POD_IP": pod_ip}


def _config(scope: Scope) -> Manifest:
    spec = scope.archive.spec
    queues = [{"name": queue.name, "timeout": seconds(queue.timeout)} for queue in spec.queues]
    files: dict[str, object] = {
        "site.json": spec.site.model_dump(mode="json", by_alias=True, exclude_none=True),
        "queues.json": queues,
        "datasets.json": [dataset.model_dump(mode="json", by_alias=True) for dataset in spec.datasets],
    }
    data = {name: json.dumps(value, ensure_ascii=False, indent=2) + "\n" for name, value in files.items()}
    return config_map(scope, APP, data)
