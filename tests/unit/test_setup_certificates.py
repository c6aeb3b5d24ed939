"""The cluster's certificates: made once, renewed in time, never trusted when they should not be."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from host import certificates
from host.certificates import Leaf
from host.node import Node

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEAVES = certificates.leaves(Node(Path("/state"), Path("/state/bin/x")))


def certificate(directory: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / f"{name}.crt").read_bytes())


def test_first_time_makes_everything_and_second_time_nothing(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, LEAVES, NOW)
    assert set(made) == {*certificates.AUTHORITIES, *(leaf.name for leaf in LEAVES), "sa"}
    assert certificates.ensure(tmp_path, LEAVES, NOW) == []


def test_keys_are_readable_by_root_alone(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, LEAVES, NOW)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(("days", "renewed"), [(334, False), (336, True)])
def test_leaf_is_renewed_when_less_than_30_days_are_left(tmp_path: Path, days: int, renewed: bool) -> None:
    certificates.ensure(tmp_path, LEAVES, NOW)
    made = certificates.ensure(tmp_path, LEAVES, NOW + timedelta(days=days))
    assert made == ([leaf.name for leaf in LEAVES] if renewed else [])


def test_crash_between_key_and_certificate_is_repaired(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, LEAVES, NOW)
    (tmp_path / "admin.key").write_bytes((tmp_path / "kubelet.key").read_bytes())
    (tmp_path / "scheduler.crt").write_text("-----BEGIN CERTI")
    assert certificates.ensure(tmp_path, LEAVES, NOW) == ["scheduler", "admin"]


def test_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, LEAVES, NOW)
    (tmp_path / "etcd.crt").unlink()
    assert certificates.ensure(tmp_path, LEAVES, NOW) == ["etcd", "etcd-server", "etcd-client"]


def test_another_host_name_makes_a_new_certificate(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, [Leaf("server", "ca", "server", hosts=("a.example", "10.0.0.1"))], NOW)
    changed = [Leaf("server", "ca", "server", hosts=("b.example", "10.0.0.1"))]
    assert certificates.ensure(tmp_path, changed, NOW) == ["server"]
    names = certificate(tmp_path, "server").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["b.example"]


def test_cluster_authority_opens_no_door_to_etcd(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, LEAVES, NOW)
    with pytest.raises(ValueError, match="does not match"):
        certificate(tmp_path, "admin").verify_directly_issued_by(certificate(tmp_path, "etcd"))


def test_files_are_what_tls_takes(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, LEAVES, datetime.now(UTC))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    context.load_cert_chain(tmp_path / "apiserver.crt", tmp_path / "apiserver.key")
