"""The NetworkPolicies allow the graph and nothing else, judged as a network plugin judges them."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from itertools import chain, product
from typing import Any

import pytest

from almagest.query.tables import fetch
from almagest_operator.desired import Desired
from almagest_operator.desired.graph import PORTS, WORLD, Edge, edges, parts
from almagest_operator.desired.policies import FETCHED_PORTS, INTERNET
from almagest_operator.model.dns import DNS
from almagest_operator.model.facts import Facts
from almagest_operator.model.resource import Manifest
from support.archives import ROOT, archive, desired, pod_templates

HOST = "93.184.215.14"
"""Somebody on the internet."""

STRANGER = {
    "app.kubernetes.io/name": "web",
    "app.kubernetes.io/instance": "other",
    "app.kubernetes.io/part-of": "almagest",
}


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    matched = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return matched and all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", []))


def allowed(policies: list[Manifest], source: dict[str, str], target: dict[str, str], port: int) -> bool:
    """Whether pods of one namespace may connect: the source may leave, and the target may be entered."""
    return one_way(policies, "Egress", source, target, port) and one_way(policies, "Ingress", target, source, port)


def one_way(policies: list[Manifest], direction: str, pod: dict[str, str], peer: dict[str, str], port: int) -> bool:
    key, other = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    mine = [
        p["spec"] for p in policies if selects(p["spec"]["podSelector"], pod) and direction in p["spec"]["policyTypes"]
    ]
    if not mine:
        return True
    rules = [rule for spec in mine for rule in spec.get(key, [])]
    return any(
        any(found["port"] == port for found in rule["ports"])
        and (
            other not in rule
            or any(p.keys() == {"podSelector"} and selects(p["podSelector"], peer) for p in rule[other])
        )
        for rule in rules
    )


def reaches(found: Desired, part: str, address: str, port: int) -> bool:
    """Whether pods of a part may connect to an address outside of the cluster."""
    rules = [
        rule
        for policy in policies(found)
        if selects(policy["spec"]["podSelector"], labels(found)[part])
        for rule in policy["spec"].get("egress", [])
        if {"protocol": "TCP", "port": port} in rule["ports"]
    ]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule["to"] if "ipBlock" in peer]
    return any(
        ip_address(address) in ip_network(block["cidr"])
        and not any(ip_address(address) in ip_network(special) for special in block.get("except", []))
        for block in blocks
    )


def labels(found: Desired) -> dict[str, dict[str, str]]:
    """The labels of each part's pods."""
    templates = pod_templates(found).values()
    return {t["metadata"]["labels"]["app.kubernetes.io/name"]: t["metadata"]["labels"] for t in templates}


def policies(found: Desired) -> list[Manifest]:
    return [resource.manifest for resource in found.resources if resource.kind == "NetworkPolicy"]


@pytest.mark.parametrize("wordpress", [True, False])
def test_policies_allow_exactly_the_graph(wordpress: bool) -> None:
    spec: dict[str, Any] = {"wordpress": {"enabled": wordpress}, "datasets": [{"table": "a.b", "source": "demo:gaia"}]}
    found = desired(spec)
    pods = labels(found)
    assert set(pods) == set(parts(archive(spec).spec))
    open_edges = {
        Edge(source, target)
        for source, target in product(pods, pods)
        for port in {*PORTS.values(), 443}
        if allowed(policies(found), pods[source], pods[target], port)
    }
    assert open_edges == {edge for edge in edges(archive(spec).spec) if edge.source != WORLD}


def test_strangers_reach_the_proxy_only() -> None:
    found = desired()
    reached = {
        component
        for component, template in pod_templates(found).items()
        for port in PORTS.values()
        if allowed(policies(found), STRANGER, template["metadata"]["labels"], port)
    }
    assert reached == {"proxy"}


@pytest.mark.parametrize(
    "network", [*chain.from_iterable(INTERNET.values()), *INTERNET, "fc00::/7", "fe80::/10", "::/96"]
)
def test_web_reaches_the_addresses_that_the_application_fetches_from(network: str) -> None:
    """The first and the last of each special network, and their neighbours."""
    first, last = ip_network(network)[0], ip_network(network)[-1]
    neighbours = [first, last]
    neighbours += [first - 1] if int(first) else []
    neighbours += [last + 1] if last != ip_network("::/0" if first.version == 6 else "0.0.0.0/0")[-1] else []
    for address in neighbours:
        assert reaches(desired(), "web", str(address), 443) == fetch.public(address), address


def test_web_reaches_the_ports_that_the_application_fetches_from() -> None:
    open_ports = {
        port for port in (22, 25, 53, *PORTS.values(), *FETCHED_PORTS) if reaches(desired(), "web", HOST, port)
    }
    assert open_ports == set(chain.from_iterable(fetch.PORTS.values()))


@pytest.mark.parametrize(
    ("namespace", "server", "port"),
    [
        ("kube-system", {"k8s-app": "kube-dns"}, 53),
        ("kube-system", {"k8s-app": "kube-dns"}, 5353),
        ("kube-system", {"k8s-app": "node-local-dns"}, 53),
        ("openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}, 5353),
    ],
)
def test_every_pod_asks_the_name_servers_of_the_usual_clusters(
    namespace: str, server: dict[str, str], port: int
) -> None:
    found = desired()
    for pod in labels(found).values():
        assert asks(found, pod, namespace, server, port)
        assert not asks(found, pod, "elsewhere", server, port)
        assert not asks(found, pod, namespace, {"k8s-app": "other"}, port)
        assert not asks(found, pod, namespace, server, 443)
    assert reaches(found, "proxy", "169.254.20.10", 53)
    assert not reaches(found, "proxy", "169.254.169.254", 53), "a cloud's metadata"


def test_the_name_servers_are_those_that_are_set() -> None:
    peers = ({"ipBlock": {"cidr": "10.96.0.10/32"}}, {"namespaceSelector": {"matchLabels": {"a": "b"}}})
    found = desired({}, Facts(dns=DNS(peers, (1053,))))
    (policy,) = (policy["spec"] for policy in policies(found) if policy["metadata"]["name"] == "gaia-dns")
    (rule,) = policy["egress"]
    assert rule["to"] == list(peers)
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("TCP", 1053), ("UDP", 1053)}


def asks(found: Desired, pod: dict[str, str], namespace: str, server: dict[str, str], port: int) -> bool:
    """Whether a pod may send to a pod of another namespace, by UDP."""
    return any(
        {"protocol": "UDP", "port": port} in rule["ports"]
        and any(
            selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
            and selects(peer["podSelector"], server)
            for peer in rule.get("to", [])
            if "namespaceSelector" in peer
        )
        for policy in policies(found)
        if selects(policy["spec"]["podSelector"], pod)
        for rule in policy["spec"].get("egress", [])
    )


def test_nobody_but_web_reaches_the_internet() -> None:
    found = desired({"datasets": [{"table": "a.b", "source": "demo:gaia"}]})
    reaching = {part for part in labels(found) for port in FETCHED_PORTS if reaches(found, part, HOST, port)}
    assert reaching == {"web"}


def test_fetching_can_be_switched_off() -> None:
    assert not reaches(desired({"web": {"fetchUploads": False}}), "web", HOST, 443)


def test_every_host_in_the_environment_has_an_edge() -> None:
    """Whatever a process is told the address of, it may reach, except what it has no password for."""
    allowed_targets = {(edge.source, edge.target) for edge in edges(archive().spec)}
    for component, template in pod_templates(desired()).items():
        part = template["metadata"]["labels"]["app.kubernetes.io/name"]
        secrets = {
            item["path"].split("/")[0]
            for volume in template["spec"]["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
            for item in source["secret"]["items"]
        }
        for target in (secrets & {"appdb", "datadb", "broker", "cache", "mariadb"}) - {part}:
            assert (part, target) in allowed_targets, f"{component} has the password of {target}, but no way to it"


def test_the_drawn_graph_is_the_graph() -> None:
    drawn = re.findall(r"^  (\w+) --> (\w+)$", (ROOT / "docs/operator/network.md").read_text(), re.MULTILINE)
    assert sorted(drawn) == sorted((edge.source, edge.target) for edge in edges(archive().spec))
