"""The proxy in front of an application that answers with the address of the visitor as the proxy gave it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from integration.images.conftest import Stage
from support.waiting import eventually

pytestmark = pytest.mark.integration

RENDERED = Path(__file__).resolve().parents[2] / "data/render"
ECHO = """
pid /var/cache/nginx/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path /var/cache/nginx/body;
  proxy_temp_path /var/cache/nginx/proxy;
  fastcgi_temp_path /var/cache/nginx/fastcgi;
  uwsgi_temp_path /var/cache/nginx/uwsgi;
  scgi_temp_path /var/cache/nginx/scgi;
  server { listen 8000; return 200 $http_x_real_ip; }
}
"""
VISITOR, LIE, CONTROLLER, BALANCER = "203.0.113.5", "198.51.100.9", "10.244.0.7", "192.168.7.1"

Ask = Callable[[str, str], str]


@pytest.fixture
def ask(stage: Stage, exposed: str) -> Ask:
    """Ask from an address, with such an X-Forwarded-For, the proxy of the rendered case `exposed`."""
    manifests = yaml.safe_load_all((RENDERED / exposed / "output/proxy.yaml").read_text())
    config = next(part["data"]["nginx.conf"] for part in manifests if part["kind"] == "ConfigMap")
    pod = stage.pod(*re.findall(r"server ([\w-]+):", config))
    for address in (VISITOR, CONTROLLER):
        pod.run("ip", "address", "add", address, "dev", "lo")
    for name, text, port in (("proxy", config, 8080), ("echo", ECHO, 8000)):
        pod.configuration(f"{name}.conf", text)
        cache = {"/var/cache/nginx": f"cache-{name}"}
        stage.container(pod, "proxy", cache, {}, (f"/etc/almagest/{name}.conf",), name).start()
        eventually(name, partial(pod.answers, port), within=30, every=0.1)

    def ask(address: str, forwarded_for: str) -> str:
        headers = ("-H", f"X-Forwarded-For: {forwarded_for}", "-H", f"X-Real-IP: {LIE}")
        return pod.run("curl", "-s", "--interface", address, *headers, "http://127.0.0.1:8080/").stdout

    return ask


@pytest.mark.parametrize("exposed", ["assigned-node-port", "minimal"])
def test_without_an_ingress_no_visitor_can_choose_his_address(ask: Ask) -> None:
    for address in (VISITOR, CONTROLLER):
        assert ask(address, "") == address
        assert ask(address, LIE) == address


@pytest.mark.parametrize("exposed", ["production"])
def test_behind_an_ingress_visitors_keep_their_addresses(ask: Ask) -> None:
    assert ask(CONTROLLER, VISITOR) == VISITOR
    assert ask(CONTROLLER, f"{LIE}, {VISITOR}") == VISITOR, "what the visitor sent himself comes first"
    assert ask(CONTROLLER, f"{VISITOR}, {BALANCER}") == VISITOR, "a balancer before the ingress controller"
    assert ask(CONTROLLER, "") == CONTROLLER
    assert ask(VISITOR, LIE) == VISITOR, "nobody from outside speaks for others"
