"""`almagest-app` as tests use it: real processes, configured as in a pod."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import psycopg.sql

from support.console import Console, Outcome
from support.services import Services
from support.waiting import eventually

APP = Path(__file__).resolve().parents[2] / "app"
Awaited = TypeVar("Awaited")
_SECRETS = {"almagest": "owner", "almagest_query": "query", "almagest_job": "job"}


@dataclass(frozen=True)
class Application:
    """The application beside `services`. extra: variables that differ from those of the services."""

    services: Services
    extra: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ALMAGEST_")}
        return {**inherited, "PYTHONPATH": str(APP), **self.services.environment, **self.extra}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The command as a running process with its output on pipes."""
        command = [sys.executable, "-m", "almagest", *words]
        return subprocess.Popen(
            command,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, *words: str) -> Outcome:
        """The command, waited for."""
        process = self.start(*words)
        out, err = process.communicate(timeout=110)
        return Outcome(process.returncode, out, err)

    @cached_property
    def console(self) -> Console:
        """A process that runs commands in turn, for those that only prepare something."""
        return Console(self.start)

    def data(self, user: str = "almagest") -> psycopg.Connection[Any]:
        """A connection to the data database as one of its roles, as the jobs' login role where it has no password."""
        if user in _SECRETS:
            return psycopg.connect(self._conninfo("DATADB", user), autocommit=True)
        connection = psycopg.connect(self._conninfo("DATADB", "almagest_job"), autocommit=True)
        connection.execute(psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(user)))
        return connection

    def app(self) -> psycopg.Connection[Any]:
        """A connection to the application's database as its owner."""
        return psycopg.connect(self._conninfo("APPDB", "almagest"), autocommit=True)

    def reading(self) -> int:
        """How many queries of requests run."""
        with self.data("almagest_query") as data:
            running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sync' AND state <> 'idle'"
            row = data.execute(running).fetchone()
        return int(row[0]) if row else 0

    def _conninfo(self, prefix: str, user: str) -> str:
        variables = self.environment()
        password = Path(variables["ALMAGEST_SECRETS_DIR"]) / prefix.lower() / f"{_SECRETS[user]}-password"
        return psycopg.conninfo.make_conninfo(
            host=variables[f"ALMAGEST_{prefix}_HOST"],
            port=variables[f"ALMAGEST_{prefix}_PORT"],
            dbname=variables[f"ALMAGEST_{prefix}_NAME"],
            user=user,
            password=password.read_text(),
        )

    @contextmanager
    def serving(self, **extra: str) -> Iterator[str]:
        """The base URL of a web process that runs inside the context."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        static = Path(self.services.environment["ALMAGEST_CONFIG_DIR"]).parent / f"static-{port}"
        variables = {"ALMAGEST_WEB_PORT": str(port), "ALMAGEST_STATIC_DIR": str(static), **self.extra, **extra}
        log = static.with_suffix(".log")
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "almagest", "serve"],
                env={**Application(self.services, variables).environment()},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            eventually("the web process to answer", lambda: get(f"{url}/health/live").status == 200)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=40)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status; 0 is none at all."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def get(url: str, **headers: str) -> Answer:
    """The answer to a GET; header names have underscores for hyphens."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode())
    except OSError:
        return Answer(0)


def until_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Read the process's output up to the first line that matches."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"the process ended before it wrote {pattern!r}")
