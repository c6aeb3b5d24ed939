"""The archive's URLs: one rule for the application, WordPress and the status."""

from __future__ import annotations

from urllib.parse import urlsplit

from almagest_operator.desired.graph import PORTS
from almagest_operator.model.archive import Archive
from almagest_operator.model.exposure import ExposureType
from almagest_operator.model.facts import Facts
from almagest_operator.model.status import Endpoints

UNKNOWN_PORT = 0
"""The port in a URL before the cluster has assigned a NodePort; no workload is applied before that."""


def site_url(archive: Archive, facts: Facts) -> str:
    """What users type, absolute and without a trailing slash.

    Ingress: `https://<hostname>`. NodePort: `http://<hostname, or the node's address>:<port>`. ClusterIP:
    `https://<hostname>` of the router in front of it, or the Service's own name when there is none.
    """
    spec = archive.spec
    hostname = spec.site.hostname
    if spec.exposure.type is ExposureType.NODE_PORT:
        port = spec.exposure.node_port or facts.node_port or UNKNOWN_PORT
        return f"http://{_host(hostname or facts.node_address or 'localhost')}:{port}"
    if hostname is not None:
        return f"https://{hostname}"
    return f"http://{_proxy(archive)}:{PORTS['proxy']}"


def endpoints(archive: Archive, facts: Facts) -> Endpoints:
    """The URLs for `status.endpoints`."""
    site = site_url(archive, facts)
    return Endpoints(site=site, tap=f"{site}/tap")


def allowed_hosts(archive: Archive, facts: Facts) -> tuple[str, ...]:
    """Host names under which the archive answers, without ports, sorted: the site's, the node's, the proxy's."""
    site = urlsplit(site_url(archive, facts)).hostname or ""
    node = facts.node_address if archive.spec.exposure.type is ExposureType.NODE_PORT else None
    return tuple(sorted({site, _proxy(archive), f"{archive.name}-proxy", *([node] if node else [])}))


def _proxy(archive: Archive) -> str:
    """The proxy's Service, by a name that also answers from other namespaces."""
    return f"{archive.name}-proxy.{archive.namespace}.svc"


def _host(name: str) -> str:
    """An IPv6 address stands in brackets in a URL."""
    return f"[{name}]" if ":" in name else name
