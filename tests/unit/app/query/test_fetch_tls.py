"""A server that UPLOAD points at by https is who its address says, or is not read."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from almagest.query.errors import InvalidRequestError
from almagest.query.tables.fetch import fetched

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\n1\n"


def certificate(directory: Path, host: str) -> tuple[Path, Path]:
    """One that signed itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    kind, unlocked = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths = directory / "certificate.pem", directory / "key.pem"
    paths[0].write_bytes(made.public_bytes(encoding))
    paths[1].write_bytes(key.private_bytes(encoding, kind, unlocked))
    return paths


@contextmanager
def server(paths: tuple[Path, Path]) -> Iterator[str]:
    """The address of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)

    def answer() -> None:
        with listening.accept()[0] as plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(1 << 16)
            secure.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"https://localhost:{listening.getsockname()[1]}/t"
        thread.join()


def test_a_server_is_read_whose_certificate_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    with server(paths) as url, fetched(url, 1 << 20, (*HERE, ipaddress.ip_network("::1/128"))) as (file, _):
        assert file.read() == b"a\n1\n"


@pytest.mark.parametrize(("host", "trusted"), [("another.example", True), ("localhost", False)])
def test_nobody_else_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, *, trusted: bool) -> None:
    paths = certificate(tmp_path, host)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    with (
        server(paths) as url,
        pytest.raises(InvalidRequestError, match="does not answer"),
        fetched(url, 1 << 20, (*HERE, ipaddress.ip_network("::1/128"))),
    ):
        pass
