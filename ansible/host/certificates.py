"""The cluster's own certificate authorities and what they sign, made when missing and renewed before they end.

Three authorities, because each opens another door: `ca` names users and servers of the cluster, `etcd` lets a client
read and write everything, `front-proxy` lets an extension server speak for any user (Kubernetes documentation, "PKI
certificates and requirements"). Every server and client here reads its files again when they change, so a renewal
needs no restart.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host.errors import HostError
from host.node import Node

AUTHORITIES = ("ca", "etcd", "front-proxy")
AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Leaf:
    """One certificate: `user` and `groups` are the name that Kubernetes sees, `hosts` what a server answers to."""

    name: str
    authority: str
    user: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    client: bool = True


def leaves(node: Node) -> tuple[Leaf, ...]:
    """Every certificate of a node that is control plane and worker in one."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{node.domain}")
    api = (*service, node.name, "localhost", "127.0.0.1", node.address, node.first_service)
    here = (node.name, "localhost", "127.0.0.1", node.address)
    return (
        Leaf("etcd-server", "etcd", "etcd", hosts=here),
        Leaf("etcd-client", "etcd", "kube-apiserver"),
        Leaf("apiserver", "ca", "kube-apiserver", hosts=api, client=False),
        Leaf("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", ("system:masters",)),
        Leaf("front-proxy-client", "front-proxy", "front-proxy-client"),
        Leaf("kubelet", "ca", f"system:node:{node.name}", ("system:nodes",), hosts=here),
        Leaf("controller-manager", "ca", "system:kube-controller-manager", hosts=here),
        Leaf("scheduler", "ca", "system:kube-scheduler", hosts=here),
        Leaf("kube-proxy", "ca", "system:kube-proxy"),
        Leaf("kube-router", "ca", "system:kube-router"),
        Leaf("admin", "ca", "almagest-admin", ("system:masters",)),
    )


def ensure(directory: Path, wanted: Sequence[Leaf], now: datetime) -> list[str]:
    """Make or renew what is missing, ending, unsigned by its authority or for other names; returns what was made.

    directory: gets `<name>.crt`, `<name>.key` (mode 0600) and the service account keys `sa.key`, `sa.pub`.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [name for name in AUTHORITIES if ensure_authority(directory, name, now)]
    made += [leaf.name for leaf in wanted if ensure_leaf(directory, leaf, now)]
    if not (directory / "sa.key").exists() or not (directory / "sa.pub").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write(directory / "sa.pub", public_pem(key))
        write(directory / "sa.key", private_pem(key))
        made.append("sa")
    return made


def ensure_authority(directory: Path, name: str, now: datetime) -> bool:
    """An authority lives ten years; what it signed is worthless without it, so it is made once and kept."""
    if read_certificate(directory / f"{name}.crt") and (directory / f"{name}.key").exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    subject = distinguished(f"almagest-{name}", ())
    builder = base(subject, subject, key, now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(key_usage(authority=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    store(directory, name, key, builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()))
    return True


def ensure_leaf(directory: Path, leaf: Leaf, now: datetime) -> bool:
    authority = x509.load_pem_x509_certificate((directory / f"{leaf.authority}.crt").read_bytes())
    old = read_certificate(directory / f"{leaf.name}.crt")
    if old and has_key(old, directory / f"{leaf.name}.key") and is_good(old, leaf, authority, now):
        return False
    signer = read_key(directory / f"{leaf.authority}.key")
    if signer is None:
        raise HostError(
            f"{directory}/{leaf.authority}.key is missing or no key: `make down` and `make up` make new ones"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    life = min(LEAF_LIFE, authority.not_valid_after_utc - now)
    builder = base(distinguished(leaf.user, leaf.groups), authority.subject, key, now, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(key_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes(leaf)), critical=False)
    # RFC 5280 §4.2.1.1 demands it, and Python 3.13 refuses a server's certificate without.
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False)
    if leaf.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(names(leaf.hosts)), critical=False)
    store(directory, leaf.name, key, builder.sign(signer, hashes.SHA256()))
    return True


def has_key(certificate: x509.Certificate, path: Path) -> bool:
    """Whether the key file belongs to the certificate; a crash between the two writes leaves another."""
    key = read_key(path)
    return key is not None and key.public_key() == certificate.public_key()


def is_good(certificate: x509.Certificate, leaf: Leaf, authority: x509.Certificate, now: datetime) -> bool:
    """Whether a certificate still serves: long enough, for these names, by this authority."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    if certificate.not_valid_after_utc - now < RENEW_BEFORE:
        return False
    try:
        certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return False
    try:
        hosts = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        hosts = []
    return certificate.subject == distinguished(leaf.user, leaf.groups) and hosts == names(leaf.hosts)


def base(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def purposes(leaf: Leaf) -> list[x509.ObjectIdentifier]:
    found = [ExtendedKeyUsageOID.SERVER_AUTH] if leaf.hosts else []
    return [*found, ExtendedKeyUsageOID.CLIENT_AUTH] if leaf.client else found


def distinguished(user: str, groups: Sequence[str]) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [x509.IPAddress(ip_address(host)) if is_address(host) else x509.DNSName(host) for host in hosts]


def read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """None when the file is missing, cut off, or holds a kind of key that is never made here."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def read_certificate(path: Path) -> x509.Certificate | None:
    """None when the file is missing or was cut off by a crash: both mean that it must be made again."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def store(directory: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """The key first: a certificate without its key would look finished."""
    write(directory / f"{name}.key", private_pem(key))
    write(directory / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def write(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by root alone."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)
