"""The proxy: nginx, the one door of the archive."""

from __future__ import annotations

from almagest_operator.desired import nginx
from almagest_operator.desired.exposure import exposed
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import CONFIG_DIR, Container, Pod, Probes, config_map
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.sizes import LINGER, REPLICAS, size
from almagest_operator.desired.workload import deployment, disruption_budget, service
from almagest_operator.model.resource import Manifest, Resource, Stage

UID = 10016
PROXY = Part.of("proxy")
CACHE_DIR = "/var/cache/nginx"
HEALTHY = Probes({"httpGet": {"path": nginx.HEALTH, "port": PORTS["proxy"]}}, start=60)
COMMAND = ("/usr/local/bin/entrypoint", f"{CONFIG_DIR}/{nginx.PROXY_CONF}")


def proxy(scope: Scope) -> tuple[Resource, ...]:
    """A Deployment that is never short of a pod, its Service, which is the archive's, its configuration and its
    disruption budget."""
    wanted, environment = scope.archive.spec.proxy, scope.archive.spec.environment
    replicas = wanted.replicas or REPLICAS[environment]
    config = config_map(scope, PROXY, {nginx.PROXY_CONF: nginx.proxy(scope)})
    container = Container(
        name="nginx",
        image="proxy",
        uid=UID,
        command=COMMAND,
        size=size("proxy", environment, wanted.resources),
        port=PORTS["proxy"],
        probes=HEALTHY,
        writable=("/tmp", CACHE_DIR),  # noqa: S108 - an emptyDir of the container's own
        pre_stop={"sleep": {"seconds": LINGER}},
    )
    pod = Pod(PROXY, (container,), config=config, grace=75, replicas=replicas)
    special: Manifest = exposed(scope)
    return (
        resource(Stage.FOUNDATIONS, config),
        service(scope, PROXY, special),
        deployment(scope, pod),
        *disruption_budget(scope, PROXY, replicas),
    )
