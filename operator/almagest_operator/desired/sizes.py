"""How large each part is in each environment, where the spec does not say: all that environments differ in."""

from __future__ import annotations

from typing import NamedTuple

from almagest_operator.model.archive import Environment
from almagest_operator.model.base import amount
from almagest_operator.model.resource import Manifest
from almagest_operator.model.sizing import Resources

MIB = 2**20


class Size(NamedTuple):
    """Requests and limits of one container as Kubernetes quantities."""

    cpu: str
    memory: str
    cpu_limit: str
    memory_limit: str


# Requests of dev are what the parts hold when idle, so that the whole archive fits beside Kubernetes on two cores.
_DEV = {
    "web": Size("50m", "256Mi", "2", "1Gi"),
    "worker": Size("20m", "192Mi", "2", "1Gi"),
    "scheduler": Size("10m", "128Mi", "500m", "384Mi"),
    "migrate": Size("20m", "192Mi", "2", "512Mi"),
    "ingest": Size("50m", "384Mi", "2", "2Gi"),
    "appdb": Size("25m", "128Mi", "1", "512Mi"),
    "datadb": Size("50m", "256Mi", "2", "2Gi"),
    "broker": Size("50m", "192Mi", "1", "512Mi"),
    "cache": Size("10m", "32Mi", "500m", "128Mi"),
    "wordpress": Size("20m", "96Mi", "1", "384Mi"),
    "http": Size("5m", "16Mi", "500m", "64Mi"),
    "mariadb": Size("20m", "128Mi", "1", "512Mi"),
    "proxy": Size("10m", "16Mi", "1", "256Mi"),
}
_PRODUCTION = {
    "web": Size("500m", "1Gi", "4", "4Gi"),
    "worker": Size("250m", "512Mi", "4", "4Gi"),
    "scheduler": Size("50m", "192Mi", "500m", "512Mi"),
    "migrate": Size("100m", "256Mi", "2", "1Gi"),
    "ingest": Size("500m", "1Gi", "4", "8Gi"),
    "appdb": Size("250m", "1Gi", "2", "2Gi"),
    "datadb": Size("2", "8Gi", "8", "16Gi"),
    "broker": Size("250m", "512Mi", "2", "1Gi"),
    "cache": Size("50m", "64Mi", "1", "256Mi"),
    "wordpress": Size("100m", "256Mi", "2", "1Gi"),
    "http": Size("20m", "32Mi", "1", "128Mi"),
    "mariadb": Size("100m", "512Mi", "2", "1Gi"),
    "proxy": Size("100m", "64Mi", "2", "512Mi"),
}
SIZES = {Environment.DEV: _DEV, Environment.TEST: _DEV, Environment.PRODUCTION: _PRODUCTION}

REPLICAS = {Environment.DEV: 1, Environment.TEST: 1, Environment.PRODUCTION: 2}
"""Pods of the proxy and of web."""

LINGER = 15
"""Seconds that a pod of these goes on serving after it was told to go: the Service's clients need a moment to hear of
it, and one that was alone needs a successor that is ready."""

GRACE = {Environment.DEV: 60, Environment.TEST: 300, Environment.PRODUCTION: 6 * 3600}
"""Seconds that a worker which is told to go may spend on the query in its hands."""


def size(part: str, environment: Environment, wanted: Resources) -> Size:
    """The environment's size of a part, with what the spec says laid over it.

    A request above the environment's limit raises that limit, and a limit below its request lowers that request, as
    long as the spec does not give both.
    """
    default = SIZES[environment][part]
    cpu, cpu_limit = _pair(wanted.requests.cpu, wanted.limits.cpu, default.cpu, default.cpu_limit)
    memory, memory_limit = _pair(wanted.requests.memory, wanted.limits.memory, default.memory, default.memory_limit)
    return Size(cpu, memory, cpu_limit, memory_limit)


def resources(size: Size) -> Manifest:
    """The `resources` field of a container."""
    return {
        "requests": {"cpu": size.cpu, "memory": size.memory},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
    }


def _pair(request: str | None, limit: str | None, default_request: str, default_limit: str) -> tuple[str, str]:
    if request is not None and limit is not None:
        return request, limit
    if request is not None:
        return request, max(request, default_limit, key=amount)
    if limit is not None:
        return min(limit, default_request, key=amount), limit
    return default_request, default_limit
