"""Where the archive is, by how it is exposed."""

from __future__ import annotations

from typing import Any

import pytest

from almagest_operator.desired.endpoints import allowed_hosts, endpoints
from almagest_operator.model.facts import Facts
from support.archives import archive, desired, pod_templates

NODE = Facts(node_port=31234, node_address="192.0.2.7")


@pytest.mark.parametrize(
    ("hostname", "exposure", "site"),
    [
        (None, {"type": "NodePort"}, "http://192.0.2.7:31234"),
        (None, {"type": "NodePort", "nodePort": 30080}, "http://192.0.2.7:30080"),
        ("127.0.0.1", {"type": "NodePort", "nodePort": 30080}, "http://127.0.0.1:30080"),
        ("sky.example.org", {"type": "Ingress"}, "https://sky.example.org"),
        ("sky.example.org", {"type": "ClusterIP"}, "https://sky.example.org"),
        (None, {"type": "ClusterIP"}, "http://gaia-proxy.gaia-dev.svc:8080"),
    ],
)
def test_site_url(hostname: str | None, exposure: dict[str, Any], site: str) -> None:
    spec = {"exposure": exposure, **({"site": {"hostname": hostname}} if hostname else {})}
    found = archive(spec)
    assert endpoints(found, NODE).site == site
    assert endpoints(found, NODE).tap == f"{site}/tap"
    for component in ("web", "wordpress"):
        env = pod_templates(desired(spec, NODE))[component]["spec"]["containers"][0]["env"]
        assert {"name": "ALMAGEST_SITE_URL", "value": site} in env, "one rule for all"


def test_node_address_of_ipv6_stands_in_brackets() -> None:
    facts = Facts(node_port=31234, node_address="2001:db8::7")
    assert endpoints(archive({"exposure": {"type": "NodePort"}}), facts).site == "http://[2001:db8::7]:31234"


def test_archive_answers_under_its_names_only() -> None:
    found = archive({"site": {"hostname": "127.0.0.1"}, "exposure": {"type": "NodePort", "nodePort": 30080}})
    assert allowed_hosts(found, NODE) == ("127.0.0.1", "192.0.2.7", "gaia-proxy", "gaia-proxy.gaia-dev.svc")
