"""The node as data: the programs and files that a machine gets."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from host import bare, configuration, install, services, supervision
from host.compile import PROGRAMS
from host.node import OWN, Node
from host.services import Service

NODE = Node(Path("/state"), Path("/state/bin/v1-0"), "localhost/pause@sha256:0", ("192.0.2.53",))
SERVICES = {service.name: service for service in services.services(NODE)}


def flag(service: str, name: str) -> str:
    found = [word.partition("=")[2] for word in SERVICES[service].command if word.startswith(f"--{name}=")]
    assert len(found) == 1
    return found[0]


def test_every_program_is_one_that_is_compiled() -> None:
    ours = [Path(s.command[0]).name for s in SERVICES.values() if s.command[0].startswith(str(NODE.programs))]
    assert set(ours) == {"etcd", "kubelet", "kube-router"} | {name for name in PROGRAMS if name.startswith("kube-")}


def test_nothing_lies_outside_the_state_directory() -> None:
    words = [word for service in SERVICES.values() for word in (*service.command, *service.files)]
    paths = {path for word in words for path in re.findall(r"(?:^|=)(/[^\s=]+)", word)}
    assert {path for path in paths if not f"{path}/".startswith("/state/")} == {
        "/usr/bin/containerd",
        "/usr/bin/env",
        "/usr/bin/python3",
    }


def test_what_lies_in_the_state_directory_is_what_is_deleted_at_the_end() -> None:
    texts = [text for service in SERVICES.values() for text in (*service.command, *service.files.values())]
    found = {name for text in texts for name in re.findall(r"/state/([\w-]+)", text)}
    assert found <= set(OWN)


def test_etcd_syncs_and_is_reached_from_this_host_alone() -> None:
    assert not any("no-fsync" in word for word in SERVICES["etcd"].command)
    assert flag("etcd", "listen-client-urls") == "https://127.0.0.1:2379"
    assert flag("etcd", "client-cert-auth") == "true"


def test_services_and_pods_are_told_alike_everywhere() -> None:
    assert flag("kube-apiserver", "service-cluster-ip-range") == flag("kube-router", "service-cluster-ip-range")
    assert flag("kube-controller-manager", "cluster-cidr") == str(NODE.pods)
    assert json.loads(configuration.pod_network(NODE))["plugins"][0]["ipam"]["ranges"][0][0]["subnet"] == str(NODE.pods)


def test_container_runtime_reads_its_configuration() -> None:
    cri = tomllib.loads(configuration.containerd(NODE))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "localhost/pause@sha256:0"
    assert cri["restrict_oom_score_adj"] is True


def test_images_are_never_collected() -> None:
    kubelet = json.loads(configuration.kubelet(NODE))
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert not any("fs." in name for name in kubelet["evictionHard"])


def test_audit_keeps_the_operators_writes_and_drops_the_heartbeat() -> None:
    rules = json.loads(configuration.audit(NODE))["rules"]
    silent = [rule for rule in rules if rule["level"] == "None" and "users" in rule]
    assert all(user.startswith("system:") for rule in silent for user in rule["users"])
    kept = [rule for rule in rules if rule["level"] != "None"]
    assert kept == [{"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}]


def test_addons_use_the_addresses_of_the_node() -> None:
    defaults = (Path(bare.__file__).parents[1] / "roles/cluster_bare/defaults/main.yml").read_text()
    assert f"cluster_bare_dns: {NODE.dns}\n" in defaults
    assert f"cluster_bare_domain: {NODE.domain}\n" in defaults


def test_loopback_resolver_is_of_no_use_to_a_pod() -> None:
    text = "# comment\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nsearch example.org\n"
    assert bare.name_servers(text) == ("192.0.2.1", "fe80::1%eth0")


def test_service_becomes_its_program() -> None:
    program = supervision.run_script(Service("etcd", ("/bin/etcd", "--name=a b")))
    assert program.endswith("exec /bin/etcd '--name=a b'\n")


def run_job(tmp_path: Path, ends_with: str) -> list[str]:
    """What s6's run script of a job says and does, until it sleeps."""
    (tmp_path / "sleep").write_text("#!/bin/sh\necho sleeps $1\n")
    (tmp_path / "sleep").chmod(0o755)
    script = supervision.run_script(Service("job", ("/bin/sh", "-c", ends_with), every=86400))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh"], input=script, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_job_begins_anew_after_its_pause(tmp_path: Path) -> None:
    assert run_job(tmp_path, "echo done") == ["done", "sleeps 86400"]


def test_failed_job_says_so_and_tries_again_within_the_hour(tmp_path: Path) -> None:
    assert run_job(tmp_path, "echo oh; exit 3") == ["oh", "job failed, and is tried again in 3600 s", "sleeps 3600"]


def test_systemd_restarts_a_service_and_times_a_job() -> None:
    units = supervision.systemd_units(Service("etcd", ("/bin/etcd", "--name=%n")))
    assert "ExecStart=/bin/etcd --name=%%n\nRestart=always" in units["almagest-etcd.service"]
    job = supervision.systemd_units(Service("job", ("/bin/job",), every=60))
    assert "OnUnitActiveSec=60" in job["almagest-job.timer"]
    assert "Restart=on-failure\nRestartSec=3600" in job["almagest-job.service"]


def modules(node: Node, *more: Path) -> dict[str, str]:
    return {"PYTHONPATH": ":".join(map(str, (node.state / "lib", *more)))}


def test_what_starts_at_boot_needs_nothing_but_python_and_the_state_directory(tmp_path: Path) -> None:
    node = Node(tmp_path, tmp_path / "bin")
    assert install.library(node)
    assert not install.library(node)
    command = [sys.executable, "-S", "-c", "import host.prepare; print(host.prepare.__file__)"]
    done = subprocess.run(command, env=modules(node), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{tmp_path}/lib/host/prepare.py"
    assert f"PYTHONPATH={tmp_path}/lib /usr/bin/python3 -m host.prepare" in supervision.node_unit(node)


def test_what_renews_certificates_needs_debians_cffi_besides(tmp_path: Path) -> None:
    node = Node(tmp_path / "state", tmp_path / "state/bin")
    install.library(node)
    backend = Path(importlib.import_module("_cffi_backend").__file__ or "")
    (tmp_path / backend.name).symlink_to(backend)
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
import host.maintenance
from host import certificates
from host.node import Node
node = Node(Path({str(node.state)!r}), Path({str(node.programs)!r}))
print(*certificates.ensure(node.pki, certificates.leaves(node), datetime.now(UTC)))
"""
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, env=modules(node, tmp_path), capture_output=True, text=True, check=True)
    assert "apiserver" in done.stdout.split()


def test_library_of_an_older_version_is_replaced(tmp_path: Path) -> None:
    node = Node(tmp_path, tmp_path / "bin")
    install.library(node)
    (tmp_path / "lib/host/prepare.py").write_text("old")
    (tmp_path / "lib/host/gone.py").touch()
    assert install.library(node)
    assert (tmp_path / "lib/host/prepare.py").read_text() != "old"
    assert not (tmp_path / "lib/host/gone.py").exists()


def test_definition_is_written_once_and_only_its_service_restarts(tmp_path: Path) -> None:
    node = Node(tmp_path, tmp_path / "bin")
    one, two = Service("one", ("/bin/one",)), Service("two", ("/bin/two",), {f"{tmp_path}/etc/two": "a"})
    assert supervision.write_s6(node, [one, two]) == ["one", "two"]
    assert supervision.write_s6(node, [one, two]) == []
    changed = Service("two", ("/bin/two",), {f"{tmp_path}/etc/two": "b"})
    assert supervision.write_s6(node, [one, changed]) == ["two"]
    assert (tmp_path / "services/two/run").stat().st_mode & 0o777 == 0o700


def test_status_of_a_former_life_is_recognised() -> None:
    def pod(name: str, **state: object) -> dict[str, object]:
        return {"metadata": {"namespace": "n", "name": name}, "status": {"containerStatuses": [{"state": state}]}}

    pods = [
        pod("stale", running={"startedAt": "2026-01-01T11:59:59Z"}),
        pod("back", running={"startedAt": "2026-01-01T12:00:00Z"}),
        pod("waiting", waiting={"reason": "CrashLoopBackOff"}),
        {"metadata": {"namespace": "n", "name": "new"}, "status": {}},
    ]
    began = datetime(2026, 1, 1, 12, 0, 0, 500, tzinfo=UTC)
    assert bare.running_since_before({"items": pods}, began) == ["n/stale"]
