"""Tables that a request only points at: fetched by us, from where anybody on the internet could fetch them.

An address is an order to this server from whoever asks, so it is carried out only where it reaches nothing that the
asker could not reach anyway: http and https on their own ports, to public addresses. The name is looked up once, and
the connection goes to the address that was judged; every redirect begins anew. Nothing of ours is sent along.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPException
from typing import IO, BinaryIO, cast
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from almagest.query import limits
from almagest.query.errors import InvalidRequestError, TooLargeError
from almagest.query.temporary import TemporaryFile

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
def fetched(
    url: str, most: int, allowed: Networks = (), seconds: float | None = None
) -> Iterator[tuple[BinaryIO, str]]:
    """The content, in a file that ends with the context, and the media type of an http or https address.

    most: bytes that are read; allowed: private networks that may be entered, at any port; seconds: for all of it,
    FETCH_SECONDS unless told.

    Raises InvalidRequestError
    when the address may not be read, does not answer, or does not answer with 200; TooLargeError when there is more.
    """
    with TemporaryFile() as file:
        media_type = _download(
            url, file, most, _Deadline(limits.FETCH_SECONDS if seconds is None else seconds), allowed
        )
        file.seek(0)
        yield cast("BinaryIO", file), media_type


class _Deadline:
    """The end of the time for the whole of a file, from its first address on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, below 0 when it has passed."""
        return self._end - time.monotonic()

    def check(self, url: str) -> None:
        """Raise InvalidRequestError when it has passed."""
        if self.left <= 0:
            raise InvalidRequestError(f"{_shown(url)} took longer than {self._seconds:g} s")

    @contextmanager
    def ending(self, connection: socket.socket) -> Iterator[None]:
        """Shut the connection down when it passes. A timeout of the socket's is one for the next byte only, and a
        server may send a byte a minute, of its headers too."""
        timer = threading.Timer(max(self.left, 0), _shut_down, [connection])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        # An SSLSocket's own shutdown would take the encryption away under the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _download(url: str, file: IO[bytes], most: int, deadline: _Deadline, allowed: Networks) -> str:
    for _ in range(REDIRECTS + 1):
        with ExitStack() as stack:
            response = _get(url, deadline, allowed, stack)
            target = response.get_redirect_location()
            if not target:
                _write(response, url, file, most, deadline)
                return response.headers.get("Content-Type", "")
            url = urljoin(url, target)
    raise InvalidRequestError(f"{_shown(url)} redirects more than {REDIRECTS} times")


def _get(url: str, deadline: _Deadline, allowed: Networks, stack: ExitStack) -> BaseHTTPResponse:
    """The beginning of the answer, from one of the addresses that were judged. stack: ends the connection."""
    parts, port = _parsed(url, allowed)
    host = cast("str", parts.hostname)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": "Almagest"}
    problem: Exception | None = None
    for address in _addresses(host, port, url, allowed):
        deadline.check(url)
        seconds = min(limits.FETCH_CONNECT_SECONDS, max(deadline.left, 0.1))
        connection = _connection(parts.scheme, host, str(address), port, seconds)
        with ExitStack() as attempt:
            attempt.callback(connection.close)
            try:
                connection.connect()
                attempt.enter_context(deadline.ending(connection.sock))
                connection.timeout = max(deadline.left, 0.1)
                connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
                response = attempt.enter_context(closing(connection.getresponse()))
            except (HTTPError, HTTPException, OSError) as error:
                problem = error
            else:
                stack.callback(attempt.pop_all().close)
                return response
    deadline.check(url)
    raise InvalidRequestError(f"{_shown(url)} does not answer") from problem


def _connection(scheme: str, host: str, address: str, port: int, seconds: float) -> HTTPConnection:
    """Not connected yet. seconds: for its server to take it, encryption included."""
    if scheme == "http":
        return HTTPConnection(address, port, timeout=seconds)
    return HTTPSConnection(address, port, timeout=seconds, server_hostname=host)


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


def _write(response: BaseHTTPResponse, url: str, file: IO[bytes], most: int, deadline: _Deadline) -> None:
    if response.status != 200:
        raise InvalidRequestError(f"{_shown(url)} answers with {response.status}")
    for piece in _pieces(response, url, deadline):
        file.write(piece)
        if file.tell() > most:
            raise TooLargeError(f"{_shown(url)} has more than {most:,} bytes, which is the most allowed")


def _pieces(response: BaseHTTPResponse, url: str, deadline: _Deadline) -> Iterator[bytes]:
    """The body as it comes."""
    try:
        while piece := response.read1(PIECE):
            yield piece
    except HTTPError as error:
        deadline.check(url)
        raise InvalidRequestError(f"{_shown(url)} broke off") from error
    # A body without a length ends wherever the connection does.
    deadline.check(url)


def _shown(url: str) -> str:
    return repr(url if len(url) <= 80 else url[:80] + "…")
