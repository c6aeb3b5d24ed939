"""Redis as the archive's pods start it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from integration.images.conftest import Stage
from support.container import Container
from support.waiting import eventually

pytestmark = pytest.mark.integration

UID = 10013
PASSWORD = "correct horse"


@pytest.fixture
def server(stage: Stage) -> Container:
    pod = stage.pod()
    pod.secret("cache", {"password": PASSWORD}, UID)
    pod.configuration("redis.conf", "maxmemory 60000000\nmaxmemory-policy volatile-lru\n")
    container = stage.container(pod, "redis", {"/var/lib/redis": "data"})
    container.start()
    eventually("Redis to listen", lambda: pod.answers(6379), within=30, every=0.1)
    return container


def say(server: Container, *lines: str) -> list[str]:
    """Lines of the inline protocol, and the answers."""
    text = "".join(f"{line}\r\n" for line in (*lines, "QUIT"))
    speak = 'exec 3<>/dev/tcp/127.0.0.1/6379; printf %s "$REQUEST" >&3; cat <&3'
    done = server.pod.run("bash", "-c", speak, environment={"REQUEST": text})
    return done.stdout.splitlines()[:-1]


def test_nobody_gets_in_without_the_password(server: Container) -> None:
    assert say(server, "PING") == ["-NOAUTH Authentication required."]
    assert say(server, "AUTH wrong")[0].startswith("-WRONGPASS")
    assert say(server, f'AUTH "{PASSWORD}"', "PING") == ["+OK", "+PONG"]


def test_configuration_of_the_archive_is_read(server: Container) -> None:
    assert "volatile-lru" in say(server, f'AUTH "{PASSWORD}"', "CONFIG GET maxmemory-policy")


def test_password_is_in_no_argument_and_no_environment(server: Container) -> None:
    assert server.process is not None
    listed = subprocess.run(["pgrep", "--parent", str(server.process.pid)], capture_output=True, text=True, check=True)
    for pid in listed.stdout.split():
        for file in ("cmdline", "environ"):
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()


def test_ends_at_once_when_asked(server: Container) -> None:
    server.signal("TERM")
    assert server.wait(10) == 0
