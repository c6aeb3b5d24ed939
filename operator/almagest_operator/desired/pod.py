"""The shape that all pods of an archive share: non-root, read-only, without a token, probed, restarted by new input.

Every pod passes the `restricted` Pod Security Standard. Components say what is particular to them; nothing of what
stands here is repeated in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from almagest_operator.desired.scope import LABEL, Part, Scope, digest
from almagest_operator.desired.sizes import Size, resources
from almagest_operator.model.resource import GROUP, Manifest

CONFIG_DIR = "/etc/almagest"
SECRETS_DIR = "/run/secrets/almagest"
CONFIG_HASH = f"{GROUP}/config-hash"
SECRETS_HASH = f"{GROUP}/secrets-hash"
_CONFIG, _SECRETS = "config", "secrets"


@dataclass(frozen=True)
class Secret:
    """One key of one of the archive's Secrets, mounted as `<component>/<key>` below SECRETS_DIR."""

    component: str
    key: str


@dataclass(frozen=True)
class Claim:
    """A volume as a container mounts it. claim: its PersistentVolumeClaim; empty when the pod has the volume anyway,
    from its StatefulSet or from another container."""

    volume: str
    claim: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class Probes:
    """How the kubelet knows: `check` is an exec, httpGet or tcpSocket action.

    start: seconds that a start may take, looked at every `beat` seconds; afterwards it is ready when the check
    succeeds, looked at every 5 s, and restarted after one minute without success.
    """

    check: Manifest
    start: int = 120
    beat: int = 2
    timeout: int = 5
    alive: Manifest | None = None

    def manifest(self) -> Manifest:
        started = self.alive or self.check
        timeout = {"timeoutSeconds": self.timeout}
        return {
            "startupProbe": {
                **started,
                **timeout,
                "periodSeconds": self.beat,
                "failureThreshold": self.start // self.beat,
            },
            "readinessProbe": {**self.check, **timeout, "periodSeconds": 5, "failureThreshold": 3},
            "livenessProbe": {**started, **timeout, "periodSeconds": 15, "failureThreshold": 4},
        }


@dataclass(frozen=True)
class Container:
    """One container. image: its name in the release; writable: emptyDirs; mounts: path → claim.

    config: mount the pod's ConfigMap; secrets: mount the pod's secrets. env values are strings or `valueFrom` objects.
    """

    name: str
    image: str
    uid: int
    command: tuple[str, ...]
    size: Size
    env: Mapping[str, str | Manifest] = field(default_factory=dict)
    port: int | None = None
    probes: Probes | None = None
    writable: tuple[str, ...] = ("/tmp",)  # noqa: S108 - an emptyDir of the container's own
    memory: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Claim] = field(default_factory=dict)
    config: bool = True
    secrets: bool = True
    pre_stop: Manifest | None = None


@dataclass(frozen=True)
class Together:
    """The parts of the archive that are to be on one node; required: or the pod waits."""

    parts: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Pod:
    """What a workload runs. config: the ConfigMap that its containers read, config_keys: the keys whose change
    restarts it (all, when None); secrets: all keys that it may read, and no others; together: who shares its node."""

    part: Part
    containers: tuple[Container, ...]
    init: tuple[Container, ...] = ()
    config: Manifest | None = None
    config_keys: tuple[str, ...] | None = None
    secrets: tuple[Secret, ...] = ()
    grace: int = 30
    replicas: int = 1
    restart: str = "Always"
    together: Together | None = None


def template(scope: Scope, pod: Pod) -> Manifest:
    """The pod template of a workload."""
    first = pod.containers[0]
    spec: Manifest = {
        "serviceAccountName": scope.name(pod.part.name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": pod.restart,
        "terminationGracePeriodSeconds": pod.grace,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": first.uid,
            "runAsGroup": first.uid,
            "fsGroup": first.uid,
            # A volume of millions of files must not be walked at each start.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(scope, pod, container) for container in pod.containers],
        "volumes": _volumes(scope, pod),
    }
    if pod.init:
        spec["initContainers"] = [_container(scope, pod, container) for container in pod.init]
    if pod.replicas > 1:
        spec["topologySpreadConstraints"] = [
            _spread(scope, pod.part, key) for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ]
    if pod.together:
        spec["affinity"] = {"podAffinity": _near(scope, pod.together)}
    return {"metadata": {"labels": scope.labels(pod.part), "annotations": _hashes(scope, pod)}, "spec": spec}


def config_map(scope: Scope, part: Part, data: Mapping[str, str]) -> Manifest:
    """The configuration files of a part."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": scope.metadata(part), "data": dict(data)}


def secrets_hash(scope: Scope, secrets: tuple[Secret, ...]) -> str:
    """The digest of the fingerprints of the values that a pod reads; of those that do not exist yet, nothing."""
    found = scope.facts.secrets
    return digest(
        {
            f"{secret.component}/{secret.key}": found.get(scope.name(secret.component), {}).get(secret.key)
            for secret in secrets
        }
    )


def config_hash(pod: Pod) -> str:
    """The digest of the configuration files whose change restarts the pod."""
    data: Mapping[str, str] = pod.config["data"] if pod.config else {}
    keys = data if pod.config_keys is None else pod.config_keys
    return digest({key: data[key] for key in keys})


def _hashes(scope: Scope, pod: Pod) -> Manifest:
    hashes = {}
    if pod.config:
        hashes[CONFIG_HASH] = config_hash(pod)
    if pod.secrets:
        hashes[SECRETS_HASH] = secrets_hash(scope, pod.secrets)
    return hashes


def _container(scope: Scope, pod: Pod, container: Container) -> Manifest:
    manifest: Manifest = {
        "name": container.name,
        "image": scope.release.image(container.image),
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",  # so that the status can quote the last words of a crash
        "command": list(container.command),
        "resources": resources(container.size),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsUser": container.uid,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": _mounts(pod, container),
    }
    if container.env:
        manifest["env"] = [_variable(name, value) for name, value in sorted(container.env.items())]
    if container.port:
        manifest["ports"] = [{"name": "main", "containerPort": container.port, "protocol": "TCP"}]
    if container.probes:
        manifest.update(container.probes.manifest())
    if container.pre_stop:
        manifest["lifecycle"] = {"preStop": container.pre_stop}
    return manifest


def _variable(name: str, value: str | Manifest) -> Manifest:
    return {"name": name, "value": value} if isinstance(value, str) else {"name": name, "valueFrom": value}


def _mounts(pod: Pod, container: Container) -> list[Manifest]:
    mounts: list[Manifest] = []
    if pod.config and container.config:
        mounts.append({"name": _CONFIG, "mountPath": CONFIG_DIR, "readOnly": True})
    if pod.secrets and container.secrets:
        mounts.append({"name": _SECRETS, "mountPath": SECRETS_DIR, "readOnly": True})
    directories = (*container.writable, *container.memory)
    mounts.extend({"name": _volume_name(container, path), "mountPath": path} for path in directories)
    for path, claim in container.mounts.items():
        mounts.append({"name": claim.volume, "mountPath": path, **({"readOnly": True} if claim.read_only else {})})
    # The API server keeps the order given; a mount below another must come after it.
    return sorted(mounts, key=lambda mount: str(mount["mountPath"]))


def _volumes(scope: Scope, pod: Pod) -> list[Manifest]:
    volumes: dict[str, Manifest] = {}
    if pod.config:
        volumes[_CONFIG] = {"configMap": {"name": pod.config["metadata"]["name"]}}
    if pod.secrets:
        volumes[_SECRETS] = {"projected": {"defaultMode": 0o440, "sources": _projections(scope, pod.secrets)}}
    for container in (*pod.init, *pod.containers):
        for path in container.writable:
            volumes[_volume_name(container, path)] = {"emptyDir": {}}
        for path, limit in container.memory.items():
            volumes[_volume_name(container, path)] = {"emptyDir": {"medium": "Memory", "sizeLimit": limit}}
        for claim in container.mounts.values():
            if claim.claim:
                volumes[claim.volume] = {"persistentVolumeClaim": {"claimName": claim.claim}}
    return [{"name": name, **volumes[name]} for name in sorted(volumes)]


def _projections(scope: Scope, secrets: tuple[Secret, ...]) -> list[Manifest]:
    """One source a Secret, each key under `<component>/<key>`."""
    components = sorted({secret.component for secret in secrets})
    return [
        {
            "secret": {
                "name": scope.name(component),
                "items": [
                    {"key": secret.key, "path": f"{component}/{secret.key}"}
                    for secret in sorted(secrets, key=lambda secret: secret.key)
                    if secret.component == component
                ],
            }
        }
        for component in components
    ]


def volume_name(path: str) -> str:
    """The emptyDir of a directory, the same one in all containers of the pod that name it."""
    return path.strip("/").replace("/", "-")


def _volume_name(container: Container, path: str) -> str:
    """`/tmp` alone is each container's own."""
    own = path == "/tmp"  # noqa: S108 - the path inside the container
    return f"{container.name}-{volume_name(path)}" if own else volume_name(path)


def _near(scope: Scope, together: Together) -> Manifest:
    """The first of them may be anywhere."""
    names = {"key": f"{LABEL}/name", "operator": "In", "values": sorted(together.parts)}
    archive = {"matchLabels": {f"{LABEL}/instance": scope.archive.name}, "matchExpressions": [names]}
    term = {"labelSelector": archive, "topologyKey": "kubernetes.io/hostname"}
    if together.required:
        return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}


def _spread(scope: Scope, part: Part, key: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": scope.selector(part)},
    }
