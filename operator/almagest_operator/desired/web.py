"""The web processes: Django behind the proxy."""

from __future__ import annotations

from almagest_operator.desired.application import APPDB, BROKER, CACHE, DJANGO, QUERY, process
from almagest_operator.desired.connections import PROCESSES, THREADS
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Probes
from almagest_operator.desired.scope import Part, Scope
from almagest_operator.desired.sizes import LINGER, REPLICAS
from almagest_operator.desired.workload import deployment, disruption_budget, service
from almagest_operator.model.resource import Manifest, Resource

WEB = Part.of("web")


def web(scope: Scope) -> tuple[Resource, ...]:
    """A Deployment that is never short of a pod during a roll-out, its Service and its disruption budget."""
    wanted = scope.archive.spec.web
    replicas = wanted.replicas or REPLICAS[scope.archive.spec.environment]
    pod = process(
        scope,
        WEB,
        "serve",
        secrets=(APPDB, QUERY, BROKER, CACHE, DJANGO),
        wanted=wanted.resources,
        port=PORTS["web"],
        variables={"ALMAGEST_WEB_PROCESSES": str(PROCESSES), "ALMAGEST_WEB_THREADS": str(THREADS)},
        probes=Probes(_get("/health/ready"), alive=_get("/health/live")),
        pre_stop={"sleep": {"seconds": LINGER}},
        grace=75,
        replicas=replicas,
    )
    return deployment(scope, pod), service(scope, WEB), *disruption_budget(scope, WEB, replicas)


def _get(path: str) -> Manifest:
    """A request as `localhost`, the one name that the application accepts from the kubelet."""
    return {"httpGet": {"path": path, "port": PORTS["web"], "httpHeaders": [{"name": "Host", "value": "localhost"}]}}
