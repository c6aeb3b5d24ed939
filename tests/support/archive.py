"""A whole archive of processes beside real servers: web, a worker a queue, scheduler; and the demo catalogues."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from support.application import Application, get
from support.catalogues import TABLES
from support.waiting import eventually

QUEUES = ("short", "long")


@dataclass
class Process:
    """One `almagest-app` process and its log file."""

    words: tuple[str, ...]
    popen: subprocess.Popen[str]
    log: Path

    def children(self) -> list[int]:
        """Ids of its child processes, as the kernel lists them."""
        task = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        return [int(pid) for pid in task.read_text().split()]

    def kill(self) -> None:
        """SIGKILL, to it and its children, at once, as when a node is lost."""
        for pid in self.children():
            subprocess.run(["kill", "-9", str(pid)], check=False)
        self.popen.kill()
        self.popen.wait()


@dataclass
class Archive:
    """The processes of one archive. url: of the site, also what it believes its address to be; port: of its web
    process, which is the site's own unless a proxy stands before it."""

    application: Application
    directory: Path
    url: str
    port: int
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def tap(self) -> str:
        return f"{self.url}/tap"

    def start(self, *words: str, name: str = "") -> Process:
        """Start a process, in place of the one of the same name that was killed. name: its words unless it is one more
        of the same."""
        name = name or "-".join(words)
        run = self.directory / name
        run.mkdir(exist_ok=True)
        variables = {
            "ALMAGEST_SITE_URL": self.url,
            "ALMAGEST_ALLOWED_HOSTS": f"127.0.0.1,{urlsplit(self.url).hostname}",
            "ALMAGEST_WEB_PORT": str(self.port),
            "ALMAGEST_RUN_DIR": str(run),
            "ALMAGEST_STATIC_DIR": str(self.directory / "static"),
        }
        log = self.directory / f"{name}.log"
        with log.open("a") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", "almagest", *words],
                env={**self.application.environment(), **variables},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.processes[name] = Process(words, popen, log)
        return self.processes[name]

    def worker(self, queue: str) -> Process:
        """The worker of a queue, with the process that runs its queries."""
        process = self.processes[f"worker-{queue}"]
        eventually(f"the worker {queue} to have a child", process.children)
        return process

    def ready(self) -> None:
        """Wait until everything answers: the site to HTTP, the others by their first heartbeat."""
        eventually("the site to answer", lambda: get(f"{self.url}/health/ready").status == 200, within=60)
        for name in self.processes.keys() - {"serve"}:
            eventually(f"a heartbeat of {name}", (self.directory / name / "heartbeat").exists, within=60)

    def stop(self) -> None:
        """SIGTERM to all, and SIGKILL to those that have work left."""
        for process in self.processes.values():
            process.popen.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.popen.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()

    def query(self, adql: str, **parameters: str) -> requests.Response:
        """The answer of `/tap/sync`."""
        data = {"LANG": "ADQL", "QUERY": adql, **parameters}
        return requests.post(f"{self.tap}/sync", data=data, timeout=100)

    def submit(self, adql: str, **parameters: str) -> str:
        """The address of a new job."""
        data = {"LANG": "ADQL", "QUERY": adql, **parameters}
        answer = requests.post(f"{self.tap}/async", data=data, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def phase(self, job: str) -> str:
        return requests.get(f"{job}/phase", timeout=30).text

    def until(self, job: str, *phases: str, within: float = 60) -> str:
        """The first of these phases that the job reaches."""
        reached = eventually(
            f"{job} to be {' or '.join(phases)}",
            lambda: phase if (phase := self.phase(job)) in phases else None,
            within=within,
        )
        assert reached
        return reached


def free_port() -> int:
    """A port of this machine that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def run_archive(
    application: Application, directory: Path, tables: Collection[str] = tuple(TABLES), *, port: int = 0, url: str = ""
) -> Iterator[Archive]:
    """An archive with these of the demo catalogues, until the end of the context. port, url: chosen unless given."""
    for table in tables:
        loaded = application.run("ingest", "--dataset", table)
        assert loaded.code == 0, loaded.err
    port = port or free_port()
    archive = Archive(application, directory, url or f"http://127.0.0.1:{port}", port)
    try:
        archive.start("serve")
        for queue in QUEUES:
            archive.start("worker", queue)
        archive.start("scheduler")
        archive.ready()
        yield archive
    finally:
        archive.stop()
