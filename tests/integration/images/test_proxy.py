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

from almagest_operator.desired.graph import PORTS
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
@servers@
}
"""
ECHOES = """\
  server {
    listen 8000;
    location = /secrets { return 200 "$http_cookie|$http_authorization"; }
    location / { return 200 $http_x_real_ip; }
  }
  server { listen 8001; location / { return 200 "$http_cookie|$http_authorization"; } }
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
    for name, text, port in (("proxy", config, 8080), ("echo", ECHO.replace("@servers@", ECHOES), 8000)):
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
            assert ([cookie for cookie in got.rstrip("; ").split("; ") if cookie], credentials) == (kept, ""), cookies
    for path in ("/cms/wp-admin/", "//cms/x", "/%63ms/", "/cms/../cms/?a=b", "/x/../cms/"):
        assert "s3cret" not in told(path, OWN), path
    # Whoever has more of them than there are names was given some by a page that wants to get one through.
    assert told("/cms/", (*OWN, *OWN, *FOREIGN)) == "|"
    assert told("/secrets", (*OWN, *FOREIGN)) == f"{'; '.join((*OWN, *FOREIGN))}|Basic s3cret"


SERVERS = {"a": "203.0.113.5", "b": "10.244.0.7", "six": "fd00::5"}
"""Servers behind the proxy: what each says, and where it is."""
DOOR = 8081
"""Where the proxy listens here, because WordPress's nginx has the same port as it has in a pod."""


class Door:
    """A proxy with servers behind it, whose names the pod's own hosts file gives addresses, as the DNS would."""

    def __init__(self, stage: Stage) -> None:
        manifests = yaml.safe_load_all((RENDERED / "minimal/output/proxy.yaml").read_text())
        config = next(part["data"]["nginx.conf"] for part in manifests if part["kind"] == "ConfigMap")
        self.pod = stage.pod()
        self.pod.configuration("proxy.conf", config.replace(f"listen {PORTS['proxy']}", f"listen {DOOR}"))
        for name, address in SERVERS.items():
            self.pod.run("ip", "address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
            self.pod.configuration(f"{name}.conf", _server(name, f"[{address}]" if ":" in address else address))
        self.containers = {
            name: stage.container(
                self.pod, "proxy", {"/var/cache/nginx": f"cache-{name}"}, {}, (f"/etc/almagest/{name}.conf",), name
            )
            for name in (*SERVERS, "proxy")
        }

    def start(self, **names: str) -> None:
        """names: as for `hosts`."""
        for name in SERVERS:
            self.containers[name].start()
        for address in SERVERS.values():
            eventually(f"the server at {address}", partial(self._listens, address), within=30)
        self.containers["proxy"].start()
        self.hosts(**names)
        eventually("the proxy", partial(self.pod.answers, DOOR), within=30)

    def hosts(self, **names: str) -> None:
        """Give the names of these components the addresses of these servers, and forget all others."""
        lines = ["127.0.0.1 localhost", *(f"{SERVERS[server]} gaia-{component}" for component, server in names.items())]
        (self.pod.directory / "hosts").write_text("\n".join(lines) + "\n")

    def ask(self, path: str = "/") -> tuple[str, str]:
        """Status and text: which server answered, and the number of the connection on which it was asked."""
        format_ = "\n%{http_code}"
        said = self.pod.run("curl", "-s", "-m", "10", "-w", format_, f"http://127.0.0.1:{DOOR}{path}").stdout
        text, _, status = said.rpartition("\n")
        return status, text.strip()

    def answered_by(self, name: str, path: str = "/") -> bool:
        status, text = self.ask(path)
        return status == "200" and text.split()[0] == name

    def _listens(self, address: str) -> bool:
        return self.pod.run("bash", "-c", f"exec 3<>/dev/tcp/{address}/{PORTS['web']}").returncode == 0


def _server(name: str, address: str) -> str:
    listen = "".join(f"listen {address}:{PORTS[part]}; " for part in ("web", "wordpress"))
    return ECHO.replace("@servers@", f'  server {{ {listen} return 200 "{name} $connection"; }}')


@pytest.fixture
def door(stage: Stage) -> Door:
    return Door(stage)


def _one_connection(door: Door, name: str) -> bool:
    """Whether this server answers everything over one connection. Each worker of nginx looks names up for itself."""
    answers = {door.ask() for _ in range(6)}
    return len(answers) == 1 and door.answered_by(name)


def test_the_proxy_follows_its_servers_to_other_addresses_and_keeps_its_connections(door: Door) -> None:
    door.start(web="a", wordpress="b")
    for name in ("a", "b", "six"):
        door.hosts(web=name, wordpress="b")
        eventually(f"one connection to the server {name}", partial(_one_connection, door, name), within=20)
    door.containers["six"].kill()
    status, text = door.ask()
    assert status == "503"
    assert "does not answer at this moment" in text


def test_a_name_that_nobody_knows_takes_nothing_else_out_of_service(door: Door) -> None:
    door.start(web="a")
    eventually("the server that is known", partial(door.answered_by, "a"), within=20)
    assert door.ask("/cms/")[0] == "503"
    door.hosts(wordpress="b")
    eventually("the server that came later", partial(door.answered_by, "b", "/cms/"), within=20)
    assert door.answered_by("a"), "a name that is not known any more keeps its address"
