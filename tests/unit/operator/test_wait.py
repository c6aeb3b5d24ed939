"""`almagest wait` against an API server that answers as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from almagest_operator.cli import wait as following
from almagest_operator.cli.app import app
from almagest_operator.cli.errors import NO_ANSWER, NOT_READY, CommandError
from support.archives import manifest

Answer = dict[str, Any] | int | None
"""An Archive, the status of a refusal, or no answer."""
Wait = Callable[..., None]


def an_archive(**conditions: tuple[str, str, str]) -> dict[str, Any]:
    """type → status, reason and message."""
    found = [
        {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-02"}
        for type_, (status, reason, message) in conditions.items()
    ]
    return {**manifest(), "status": {"conditions": found}}


MOVING = an_archive(Ready=("False", "Migrating", "bringing the databases to this release"))
READY = an_archive(Ready=("True", "Ready", "serving"))


def stuck(reason: str, message: str) -> dict[str, Any]:
    return an_archive(Ready=("False", "Migrating", "migrating"), Degraded=("True", reason, message))


@pytest.fixture
def wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wait]:
    """The command, with `timeout`, at a server that gives these answers, the last one for ever, one every 40 s."""
    left: list[Answer] = []
    clock = [0]
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            clock[0] += 40
            if answer is None:
                over.wait()
                return
            body = {"message": "no"} if isinstance(answer, int) else answer
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    def run(*answers: Answer, timeout: str = "60s") -> None:
        left[:] = answers
        app(["wait", "gaia", "--timeout", timeout, "--kubeconfig", str(config)], standalone_mode=False)

    monkeypatch.setattr(following, "_PERIOD", 0.001)
    monkeypatch.setattr(following, "monotonic", lambda: clock[0])
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        config = tmp_path / "config"
        context = {"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "gaia-dev"}}
        cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        users = [{"name": "me", "user": {}}]
        found = {"clusters": [cluster], "contexts": [context], "users": users, "current-context": "here"}
        config.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **found}))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield run
        over.set()
        server.shutdown()
        thread.join()


def test_the_end_is_told(wait: Wait, capsys: pytest.CaptureFixture[str]) -> None:
    wait(MOVING, MOVING, READY)
    assert capsys.readouterr().out.splitlines() == [
        "Migrating: bringing the databases to this release",
        "Ready: serving",
        "✓ archive gaia is ready",
    ]


@pytest.mark.parametrize(("silence", "why"), [(None, "Migrating: bringing"), (503, "get Archive gaia: no")])
def test_the_time_is_up_also_when_the_api_server_stays_away(wait: Wait, silence: Answer, why: str) -> None:
    with pytest.raises(CommandError, match=rf"^archive 'gaia' is not ready after 1 s: {why}") as caught:
        wait(MOVING, silence, timeout="1")
    assert caught.value.code == NOT_READY


def test_an_api_server_that_is_away_for_a_moment_is_asked_again(wait: Wait) -> None:
    wait(MOVING, 503, 429, READY)


@pytest.mark.parametrize("refusal", [401, 403])
def test_who_may_not_ask_hears_it_at_once(wait: Wait, refusal: int) -> None:
    with pytest.raises(CommandError, match=r"^not allowed: no$") as caught:
        wait(MOVING, refusal)
    assert caught.value.code == NO_ANSWER


REFUSED = stuck("Refused", "port 30080 is taken")


def test_a_refusal_is_given_a_minute_and_a_half_to_pass(wait: Wait) -> None:
    wait(MOVING, REFUSED, REFUSED, MOVING, REFUSED, REFUSED, READY)
    with pytest.raises(CommandError, match=r"^archive 'gaia' does not get on: Refused: port 30080 is taken$"):
        wait(MOVING, REFUSED)


def test_a_refusal_of_before_an_outage_is_given_as_long_after_it(wait: Wait) -> None:
    wait(MOVING, REFUSED, 503, 503, 503, REFUSED, REFUSED, READY)


@pytest.mark.parametrize("reason", ["PodsFailing", "ImagesMissing"])
def test_what_may_well_pass_is_waited_for(wait: Wait, reason: str) -> None:
    wait(*[stuck(reason, "it may pass")] * 20, READY)
