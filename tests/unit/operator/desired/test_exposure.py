"""The Service by which the world comes in."""

from __future__ import annotations

import pytest

from almagest_operator.model.facts import Facts
from support.archives import desired, one


@pytest.mark.parametrize(("nodes", "policy"), [(1, "Local"), (3, "Cluster")])
def test_a_node_port_keeps_addresses_where_every_node_has_a_proxy(nodes: int, policy: str) -> None:
    found = desired({"exposure": {"type": "NodePort"}}, Facts(nodes=nodes))
    assert one(found, "Service", "gaia-proxy")["spec"]["externalTrafficPolicy"] == policy


def test_other_services_have_no_way_in_from_outside() -> None:
    assert "externalTrafficPolicy" not in one(desired(), "Service", "gaia-proxy")["spec"]
