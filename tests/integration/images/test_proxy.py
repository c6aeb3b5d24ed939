"""The proxy in front of an application that answers with the address of the visitor as the proxy gave it, or with the
cookies and credentials; and of a WordPress that does so too."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from integration.images.conftest import Stage
from support.container import Pod
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
  server {
    listen 8000;
    location = /secrets { return 200 "$http_cookie|$http_authorization"; }
    location / { return 200 $http_x_real_ip; }
  }
  server { listen 8001; location / { return 200 "$http_cookie|$http_authorization"; } }
}
"""
WORDPRESS = re.compile(r"server (\S+-wordpress):\d+")
"""Its port is the proxy's own, and they share a pod here."""
VISITOR, LIE, CONTROLLER, BALANCER = "203.0.113.5", "198.51.100.9", "10.244.0.7", "192.168.7.1"

Ask = Callable[[str, str], str]


@pytest.fixture
def front(stage: Stage, exposed: str) -> Pod:
    """A pod with the proxy of the rendered case `exposed` and what it passes on to."""
    manifests = yaml.safe_load_all((RENDERED / exposed / "output/proxy.yaml").read_text())
    config = next(part["data"]["nginx.conf"] for part in manifests if part["kind"] == "ConfigMap")
    pod = stage.pod(*re.findall(r"server ([\w-]+):", config))
    config = WORDPRESS.sub(r"server \1:8001", config)
    for address in (VISITOR, CONTROLLER):
        pod.run("ip", "address", "add", address, "dev", "lo")
    for name, text, port in (("proxy", config, 8080), ("echo", ECHO, 8000)):
        pod.configuration(f"{name}.conf", text)
        cache = {"/var/cache/nginx": f"cache-{name}"}
        stage.container(pod, "proxy", cache, {}, (f"/etc/almagest/{name}.conf",), name).start()
        eventually(name, partial(pod.answers, port), within=30, every=0.1)
    return pod


@pytest.fixture
def ask(front: Pod) -> Ask:
    """Ask from an address, with such an X-Forwarded-For."""

    def ask(address: str, forwarded_for: str) -> str:
        headers = ("-H", f"X-Forwarded-For: {forwarded_for}", "-H", f"X-Real-IP: {LIE}")
        return front.run("curl", "-s", "--interface", address, *headers, "http://127.0.0.1:8080/").stdout

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


OWN = ("almagest_session=s3cret", "almagest_visitor=s3cret", "almagest_csrf=s3cret")
FOREIGN = ("wordpress_logged_in_1=ada|almagest_x", "wp-settings-1=a=b&almagest_c=d")


def headers(cookies: tuple[str, ...]) -> tuple[str, ...]:
    return ("-H", f"Cookie: {'; '.join(cookies)}", "-H", "Authorization: Basic s3cret")


@pytest.mark.parametrize("exposed", ["minimal"])
def test_wordpress_sees_neither_the_cookies_nor_the_credentials_of_the_application(front: Pod) -> None:
    def told(path: str, cookies: tuple[str, ...]) -> str:
        return front.run("curl", "-s", "--path-as-is", *headers(cookies), f"http://127.0.0.1:8080{path}").stdout

    for number in range(len(OWN) + 1):
        for cookies in permutations((*OWN[:number], *FOREIGN)):
            kept = [cookie for cookie in cookies if cookie in FOREIGN]
            got, credentials = told("/cms/", cookies).rsplit("|", 1)
            assert ([cookie for cookie in got.split("; ") if cookie], credentials) == (kept, ""), cookies
    for path in ("/cms/wp-admin/", "//cms/x", "/%63ms/", "/cms/../cms/?a=b", "/x/../cms/"):
        assert "s3cret" not in told(path, OWN), path
    # Whoever has more of them than there are names was given some by a page that wants to get one through.
    assert told("/cms/", (*OWN, *OWN, *FOREIGN)) == "|"
    assert told("/secrets", (*OWN, *FOREIGN)) == f"{'; '.join((*OWN, *FOREIGN))}|Basic s3cret"
