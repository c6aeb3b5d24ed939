"""What UPLOAD may point at: nothing that the asker could not reach without this server."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from almagest.query.errors import InvalidRequestError
from almagest.query.tables.fetch import fetched, public


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to connect fails the test."""

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"this machine was left for {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
    ],
)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/", "public internet"),
        ("http://127.1/", "public internet"),
        ("http://2130706433/", "public internet"),
        ("http://0x7f000001/", "public internet"),
        ("http://0177.0.0.1/", "public internet"),
        ("http://localhost/", "public internet"),
        ("http://LOCALHOST./x", "public internet|no such host"),
        ("http://[::1]/", "public internet"),
        ("http://[::ffff:169.254.169.254]/", "public internet"),
        ("https://10.96.0.1/api", "public internet"),
        ("http://169.254.169.254:80/latest", "public internet"),
        ("http://8.8.8.8:5432/", "ports"),
        ("https://8.8.8.8:22/", "ports"),
        ("http://8.8.8.8:99999/", "no http address"),
        ("http://user:password@8.8.8.8/", "password"),
        ("http://user@8.8.8.8/", "password"),
        ("http:///x", "http"),
        ("http://8.8.8.8\r\nHost: x/", "no http address"),
        ("http://8.8.8.8/a b", "no http address"),
        ("http://\u24d8\u24df.example/", "no http address"),
        ("ftp://8.8.8.8/x", "http"),
        ("file:///etc/passwd", "http"),
        ("gopher://8.8.8.8/", "http"),
        ("javascript:alert(1)", "http"),
        ("//8.8.8.8/", "http"),
        ("", "http"),
        ("http://[::1", "no http address"),
        ("http://" + "a" * 3000, "no http address"),
        ("http://" + "a" * 300 + "/", "no such host"),
    ],
)
def test_an_address_is_refused_before_anything_leaves_the_machine(url: str, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words), fetched(url, 1000):
        pass


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(InvalidRequestError, match="public internet"), fetched("http://rebinding.example/", 1000):
        pass
