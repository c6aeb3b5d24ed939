"""What the operator finds behind a proxy, asked of a real server, and how its looks become marks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from almagest_operator import smoke
from almagest_operator.observe.live import project
from almagest_operator.observe.look import APPLICATION, WORDPRESS, Look
from almagest_operator.observe.store import Indexes, Key, Store
from almagest_operator.smoke import Smoke
from support.archives import manifest

GAIA = Key("gaia-dev", "gaia")
READY = json.dumps({"ready": True, "checks": {"appdb": "ok", "cache": "ok"}})


@dataclass
class Door:
    """A server that answers a path with (status, body), hangs at None, and breaks off at anything that is no tuple."""

    answers: dict[str, object] = field(default_factory=lambda: {APPLICATION: (200, READY), WORDPRESS: (200, "")})
    asked: list[str] = field(default_factory=list)
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode()
        self.asked.append(path)
        if path == APPLICATION:
            self.came.release()
        match self.answers[path]:
            case (status, body):
                writer.write(f"HTTP/1.1 {status} So\r\nContent-Type: text/plain\r\n\r\n{body}".encode())
            case None:
                await reader.read()  # until whoever asked has gone
            case other:
                writer.write(str(other).encode())
        writer.close()


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[str]:
    server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def store(wordpress: bool = True) -> Store:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "gaia-proxy",
            "namespace": "gaia-dev",
            "uid": "s",
            "resourceVersion": "1",
            "labels": {"app.kubernetes.io/name": "proxy", "app.kubernetes.io/instance": "gaia"},
        },
        "spec": {"clusterIP": "192.0.2.1"},
    }
    body = manifest({"wordpress": {"enabled": wordpress}})
    body["metadata"]["resourceVersion"] = "1"
    return Store(Indexes({GAIA: [body]}, {}, {GAIA: [project(service)]}, {}, {}, {}))


def looking(door: Door, test: Callable[[Smoke, list[Key]], Awaitable[None]], wordpress: bool = True) -> None:
    async def run() -> None:
        async with opened(door) as address:
            marks: list[Key] = []
            await test(Smoke(store(wordpress), marks.append, address), marks)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing hangs, a busy machine has all the time that it needs."""
    monkeypatch.setattr(smoke, "PATIENCE", 60)
    monkeypatch.setattr(smoke, "PAUSE", 0.01)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({}, Look()),
        ({APPLICATION: (200, '{"checks": {"appdb": "ok", "cache": "away"}}')}, Look(impaired={"cache": "away"})),
        ({APPLICATION: (503, '{"checks": {"appdb": "away"}}')}, Look(application="HTTP 503 (appdb: away)")),
        ({APPLICATION: (503, "starting")}, Look(application="HTTP 503")),
        ({APPLICATION: (200, "[1]"), WORDPRESS: (500, "")}, Look(wordpress="HTTP 500")),
        ({APPLICATION: "nonsense\r\n"}, Look(application="no answer (ClientResponseError)")),
        ({APPLICATION: "HTTP/1.1 what\r\n\r\n"}, Look(application="no answer (ClientResponseError)")),
        ({APPLICATION: ""}, Look(application="no answer (ServerDisconnectedError)")),
    ],
)
def test_what_is_behind_the_door_is_found(answers: dict[str, object], found: Look) -> None:
    door = Door()
    door.answers |= answers

    async def test(eyes: Smoke, marks: list[Key]) -> None:
        await eyes.look(GAIA)
        assert eyes.store.looks == {GAIA: found}
        assert marks == [GAIA]

    looking(door, test)


def test_what_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PATIENCE", 0.2)
    door = Door({APPLICATION: None, WORDPRESS: None})

    async def test(eyes: Smoke, _: list[Key]) -> None:
        await eyes.look(GAIA)
        said = "no answer within 0.2 s"
        assert eyes.store.looks == {GAIA: Look(application=said, wordpress=said)}

    looking(door, test)


def test_an_archive_without_wordpress_is_not_asked_for_it() -> None:
    door = Door()

    async def test(eyes: Smoke, _: list[Key]) -> None:
        await eyes.look(GAIA)
        assert door.asked == [APPLICATION]

    looking(door, test, wordpress=False)


def test_a_proxy_without_an_archive_is_nobody_s_to_look_at() -> None:
    """Its archive was deleted before it, or never was: a mark would bring a pass that forgets it, and that a look."""
    door = Door()

    async def test(eyes: Smoke, marks: list[Key]) -> None:
        await eyes.look(GAIA)
        marks.clear()
        door.asked.clear()
        eyes.store.indexes = replace(eyes.store.indexes, archives={})
        assert eyes.store.observe(GAIA).archive is None
        await eyes.look(GAIA)
        assert (marks, door.asked, eyes.store.looks) == ([], [], {})

    looking(door, test)


def test_a_look_for_the_pass_that_asks_for_it_marks_nothing() -> None:
    async def test(eyes: Smoke, marks: list[Key]) -> None:
        assert await eyes.renew(GAIA)
        assert not await eyes.renew(GAIA)
        assert (marks, eyes.store.looks) == ([], {GAIA: Look()})

    looking(Door(), test)


def test_what_has_not_changed_marks_nothing_and_one_bad_answer_does_not_count() -> None:
    door = Door()

    async def test(eyes: Smoke, marks: list[Key]) -> None:
        await eyes.look(GAIA)
        await eyes.look(GAIA)
        assert marks == [GAIA]
        turns = iter([(502, ""), (200, READY)])

        class Once(dict[str, object]):
            def __getitem__(self, path: str) -> object:
                return next(turns) if path == APPLICATION else (200, "")

        door.answers = Once()
        await eyes.look(GAIA)
        assert marks == [GAIA]
        door.answers = {APPLICATION: (502, ""), WORDPRESS: (200, "")}
        await eyes.look(GAIA)
        assert marks == [GAIA, GAIA]
        assert eyes.store.observe(GAIA).look == Look(application="HTTP 502")

    looking(door, test)


def test_nobody_listening_is_an_answer_too() -> None:
    async def test() -> None:
        async with opened(Door()) as address:
            pass
        eyes = Smoke(store(), lambda _: None, address)
        await eyes.look(GAIA)
        assert eyes.store.looks[GAIA].application == "no answer (ConnectionRefusedError)"

    asyncio.run(test())


def test_a_proxy_that_hangs_holds_up_the_look_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PERIOD", 0.01)
    door = Door()
    hip = Key("hip-dev", "hip")

    async def test(eyes: Smoke, _marks: list[Key]) -> None:
        both: dict[Key, object] = {GAIA: None, hip: None}
        monkeypatch.setattr(eyes.store, "archives", lambda: list(both))

        async def look(key: Key) -> None:
            if key == hip:
                await asyncio.Event().wait()
            await Smoke.look(eyes, key)

        monkeypatch.setattr(eyes, "look", look)
        running = asyncio.create_task(eyes.run())
        async with asyncio.timeout(20):
            for _ in range(3):
                await door.came.acquire()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    looking(door, test)
