"""The way in: what makes the proxy's Service reachable from outside."""

from __future__ import annotations

from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.model.exposure import ExposureType
from almagest_operator.model.resource import Manifest, Resource, Stage


def exposed(scope: Scope) -> Manifest:
    """What the proxy's Service says beyond the usual.

    `Local` keeps the visitor's address, and a node without a proxy answers nobody; so it is for clusters of one node
    (docs/decisions/addresses-of-visitors.md).
    """
    wanted = scope.archive.spec.exposure
    if wanted.type is not ExposureType.NODE_PORT:
        return {}
    port: Manifest = {"name": "main", "port": PORTS["proxy"], "targetPort": "main", "protocol": "TCP"}
    fixed = {"nodePort": wanted.node_port} if wanted.node_port else {}
    policy = "Cluster" if scope.facts.nodes > 1 else "Local"
    return {"type": "NodePort", "externalTrafficPolicy": policy, "ports": [{**port, **fixed}]}


def ingress(scope: Scope) -> tuple[Resource, ...]:
    """The Ingress of the site's host name, when the archive is exposed by one."""
    wanted = scope.archive.spec.exposure
    hostname = scope.archive.spec.site.hostname
    if wanted.type is not ExposureType.INGRESS:
        return ()
    backend = {"service": {"name": scope.name("proxy"), "port": {"name": "main"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec: Manifest = {"rules": [{"host": hostname, "http": {"paths": [path]}}]}
    if wanted.ingress_class_name:
        spec["ingressClassName"] = wanted.ingress_class_name
    if wanted.tls:
        spec["tls"] = [{"hosts": [hostname], "secretName": wanted.tls.secret_name}]
    metadata = {**scope.metadata(Part.of("proxy")), "annotations": dict(sorted((wanted.annotations or {}).items()))}
    manifest = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}
    return (resource(Stage.ROUTES, manifest),)
