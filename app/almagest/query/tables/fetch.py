"""Tables that a request only points at: fetched by us, from where anybody on the internet could fetch them.

An address is an order to this server from whoever asks, so it is carried out only where it reaches nothing that the
asker could not reach himself: http and https on their own ports, to public addresses. The name is looked up once, and
the connection goes to the address that was judged; every redirect begins anew. Nothing of ours is sent along.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from almagest.query import limits
from almagest.query.errors import InvalidRequestError, TooLargeError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]

PORTS = {"http": (80, 8080), "https": (443, 8443)}
"""Schemes, and the ports that they may go to."""

REDIRECTS = 5

PIECE = 1 << 16
URL_CHARACTERS = 2000

_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
"""What of IPv4 is not the public internet (RFC 6890 and the IANA registry of special addresses)."""

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.ip_network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""What of IPv6's global range is none: tunnels, which carry an IPv4 address inside, and documentation. NAT64 and mapped
IPv4 addresses lie outside that range already."""


@contextmanager
def fetched(url: str, most: int, allowed: Networks = ()) -> Iterator[tuple[BinaryIO, str]]:
    """The content, in a file that ends with the context, and the media type of an http or https address.

    most: bytes that are read; allowed: private networks that may be entered, at any port. Raises InvalidRequestError
    when the address may not be read, does not answer, or does not answer with 200; TooLargeError when there is more.
    """
    with SpooledTemporaryFile(limits.MEMORY_BYTES) as file:
        media_type = _download(url, file, most, time.monotonic() + limits.FETCH_SECONDS, allowed)
        file.seek(0)
        yield cast("BinaryIO", file), media_type


def _download(url: str, file: IO[bytes], most: int, deadline: float, allowed: Networks) -> str:
    for _ in range(REDIRECTS + 1):
        with closing(_get(url, deadline, allowed)) as response:
            target = response.get_redirect_location()
            if not target:
                _write(response, url, file, most, deadline)
                return response.headers.get("Content-Type", "")
            url = urljoin(url, target)
    raise InvalidRequestError(f"{_shown(url)} redirects more than {REDIRECTS} times")


def _get(url: str, deadline: float, allowed: Networks) -> BaseHTTPResponse:
    """The beginning of the answer, from one of the addresses that were judged."""
    parts, port = _parsed(url, allowed)
    host = cast("str", parts.hostname)
    problem: Exception | None = None
    for address in _addresses(host, port, url, allowed):
        pool = _pool(parts.scheme, host, str(address), port, deadline - time.monotonic())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "Almagest"}
        try:
            return pool.urlopen(
                "GET", target, headers=headers, redirect=False, retries=False, preload_content=False,
                decode_content=False, assert_same_host=False,
            )  # fmt: skip
        except HTTPError as error:
            problem = error
    raise InvalidRequestError(f"{_shown(url)} does not answer") from problem


def _pool(scheme: str, host: str, address: str, port: int, seconds: float) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=min(limits.FETCH_CONNECT_SECONDS, max(seconds, 0.1)), read=max(seconds, 0.1))
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=timeout, maxsize=1, server_hostname=host, assert_hostname=host
    )


def _parsed(url: str, allowed: Networks) -> tuple[SplitResult, int]:
    if len(url) > URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidRequestError(f"{_shown(url)} is no http address; write it as a browser would send it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError(f"{_shown(url)} is no http address") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidRequestError(f"{_shown(url)} cannot be read; UPLOAD takes param:…, http:… and https:… only")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError("an address to upload from cannot carry a password; send the file itself")
    port = port if port is not None else PORTS[parts.scheme][0]
    if port not in PORTS[parts.scheme] and not allowed:
        usual = " and ".join(map(str, PORTS[parts.scheme]))
        raise InvalidRequestError(f"{_shown(url)}: {parts.scheme} is read from the ports {usual} only")
    return parts, port


def _addresses(host: str, port: int, url: str, allowed: Networks) -> Sequence[Address]:
    """What the host's name means, when all of it is public: a name that means both is made for no good."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InvalidRequestError(f"{_shown(url)}: there is no such host") from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    for address in addresses:
        if not public(address) and not any(address in network for network in allowed):
            raise InvalidRequestError(f"{_shown(url)} is not on the public internet and is not read from here")
    return addresses


def public(address: Address) -> bool:
    """Whether anybody on the internet could reach this address."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED)
    return address in _PUBLIC_V6 and not any(address in network for network in _REFUSED_V6)


def _write(response: BaseHTTPResponse, url: str, file: IO[bytes], most: int, deadline: float) -> None:
    if response.status != 200:
        raise InvalidRequestError(f"{_shown(url)} answers with {response.status}")
    for piece in _pieces(response, url, deadline):
        file.write(piece)
        if file.tell() > most:
            raise TooLargeError(f"{_shown(url)} has more than {most:,} bytes, which is the most allowed")


def _pieces(response: BaseHTTPResponse, url: str, deadline: float) -> Iterator[bytes]:
    """The body as it comes, within the time for all of it: a server may send a byte a minute."""
    try:
        while piece := response.read1(PIECE):
            if time.monotonic() > deadline:
                raise InvalidRequestError(f"{_shown(url)} took longer than {limits.FETCH_SECONDS:g} s")
            yield piece
    except HTTPError as error:
        raise InvalidRequestError(f"{_shown(url)} broke off") from error


def _shown(url: str) -> str:
    return repr(url if len(url) <= 80 else url[:80] + "…")
