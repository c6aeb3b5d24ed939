"""A real etcd, kube-apiserver and garbage collector of one's own: no kubelet, no scheduler, a few seconds to start.

The programs are the ones that `make cluster` compiles; ports are free ones of 127.0.0.1, state lies in a directory of
the test's, and every process is ended by its id.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support.cluster import CACHE
from support.waiting import eventually

PROGRAMS = CACHE / "kubernetes/current/bin"
OPERATOR = "system:serviceaccount:almagest-system:almagest-operator"
USERS = {
    "admin": ("admin", "system:masters"),
    "collector": ("system:kube-controller-manager", "system:masters"),
    "operator": (OPERATOR, "system:serviceaccounts"),
    "stranger": ("stranger", "nobody"),
}
"""Token (and name in kubeconfigs) → user and group."""

Manifest = dict[str, Any]

# Bodies are needed for nothing here, and Secrets' must not be written down.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata"}],
    "omitStages": ["RequestReceived"],
}


class Refused(Exception):  # noqa: N818 what the server did, not what went wrong here
    """The server's answer to a request that it did not like."""

    def __init__(self, status: int, body: Manifest) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status} {body.get('message', body)}")


@dataclass
class Program:
    """One of the programs, with its output in a file; runs within its context, or from `start` to `stop`."""

    directory: Path
    name: str
    flags: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(PROGRAMS / self.name), *(f"--{flag}={value}" for flag, value in self.flags.items())]
        with (self.directory / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)
            self.process = None

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True)
class ApiServer:
    """Where it is, and how to speak to it as one of USERS. directory: kubeconfigs, logs, the audit log."""

    directory: Path
    port: int
    program: Program
    _own: threading.local = field(default_factory=threading.local)
    _connections: list[http.client.HTTPSConnection] = field(default_factory=list)

    @property
    def audit(self) -> Path:
        return self.directory / "audit.log"

    def await_ready(self) -> None:
        def probe() -> bool:
            return self.certificate.exists() and self.request("GET", "/readyz")["message"] == "ok"

        eventually("the API server to be ready", probe, within=60, every=0.1)

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig file, with the context `almagest`, for one of USERS."""
        path = self.directory / f"{user}.kubeconfig"
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.certificate)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "almagest",
            "clusters": [{"name": "almagest", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": user}}],
            "contexts": [{"name": "almagest", "context": {"cluster": "almagest", "user": user}}],
        }
        path.write_text(yaml.safe_dump(content))
        return path

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, kind: str = "json", user: str = "admin"
    ) -> Manifest:
        """One request. kind: `json`, `merge-patch+json`, `apply-patch+yaml`. Raises Refused."""
        headers = {"Authorization": f"Bearer {user}", "Content-Type": f"application/{kind}"}
        status, answer = self._exchange(method, path, json.dumps(body) if body is not None else None, headers)
        found: Manifest = json.loads(answer) if answer[:1] == b"{" else {"message": answer.decode()}
        if status >= 300:
            raise Refused(status, found)
        return found

    def _exchange(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body, on this thread's connection: to greet the server each time costs more than the answer."""
        connection: http.client.HTTPSConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            context = ssl.create_default_context(cafile=str(self.certificate))
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
            self._own.connection = connection
            self._connections.append(connection)
        was_open = connection.sock is not None
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            if was_open:  # the server has been restarted since
                return self._exchange(method, path, body, headers)
            raise

    def hang_up(self) -> None:
        """Close the connections of all threads."""
        for connection in self._connections:
            connection.close()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """stdout of kubectl as the administrator; its stderr is the error."""
        command = [str(PROGRAMS / "kubectl"), "--kubeconfig", str(self.kubeconfig()), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    @property
    def certificate(self) -> Path:
        return self.directory / "pki/apiserver.crt"


def is_there() -> bool:
    """Whether the programs were compiled."""
    return (PROGRAMS / "kube-apiserver").exists()


@contextmanager
def run(directory: Path) -> Iterator[ApiServer]:
    """Start etcd and the API server, wait until it serves, and end them with the context."""
    etcd_port, peer_port, port = free_ports(3)
    _write_files(directory)
    api = Program(directory, "kube-apiserver", _api_server(directory, port, etcd_port))
    server = ApiServer(directory, port, api)
    with Program(directory, "etcd", _etcd(directory, etcd_port, peer_port)), api:
        server.await_ready()
        try:
            yield server
        finally:
            server.hang_up()


def collector(server: ApiServer) -> Program:
    """The garbage collector and the end of namespaces. It looks for new kinds of resources every half minute only: to
    be started when they are there."""
    return Program(server.directory, "kube-controller-manager", _collector(server))


def end(process: subprocess.Popen[bytes], within: float = 5) -> int:
    """SIGTERM, then SIGKILL; returns the exit code."""
    process.terminate()
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]


def _write_files(directory: Path) -> None:
    key = directory / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    rows = (f'{token},{user},{token},"{group}"\n' for token, (user, group) in USERS.items())
    (directory / "tokens.csv").write_text("".join(rows))
    (directory / "audit.yaml").write_text(yaml.safe_dump(AUDIT_POLICY))


def _etcd(directory: Path, port: int, peer_port: int) -> dict[str, str]:
    url, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return {
        "data-dir": str(directory / "etcd"),
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": "true",
    }


def _api_server(directory: Path, port: int, etcd_port: int) -> dict[str, str]:
    return {
        "etcd-servers": f"http://127.0.0.1:{etcd_port}",
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "secure-port": str(port),
        "cert-dir": str(directory / "pki"),
        "service-cluster-ip-range": "10.0.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(directory / "sa.key"),
        "service-account-signing-key-file": str(directory / "sa.key"),
        "authorization-mode": "RBAC",
        # Nobody here takes its finalizer off claims again, and a namespace with claims would never be gone.
        "disable-admission-plugins": "StorageObjectInUseProtection",
        "token-auth-file": str(directory / "tokens.csv"),
        "audit-policy-file": str(directory / "audit.yaml"),
        "audit-log-path": str(directory / "audit.log"),
        "profiling": "false",
    }


def _collector(server: ApiServer) -> dict[str, str]:
    """Of the controllers only the garbage collector: deployments and jobs are brought forward by the tests."""
    kubeconfig = str(server.kubeconfig("collector"))
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "controllers": "garbage-collector-controller,namespace-controller",
        "bind-address": "127.0.0.1",
        "secure-port": str(free_ports(1)[0]),
        "cert-dir": str(server.directory / "pki-controller-manager"),
        "leader-elect": "false",
    }
