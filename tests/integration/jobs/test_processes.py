"""`almagest-app worker` and `scheduler`: they say that they live while they do their work, and stop when told."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from support.application import Application
from support.relay import Relay
from support.services import Services
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("words", [["worker", "short"], ["scheduler"]])
def test_a_process_keeps_its_heartbeat_and_stops_when_told(
    application: Application, services: Services, tmp_path: Path, words: list[str]
) -> None:
    running = Application(services, {"ALMAGEST_RUN_DIR": str(tmp_path)})
    heartbeat = tmp_path / "heartbeat"
    process = running.start(*words)
    try:
        first = eventually("the first heartbeat", lambda: heartbeat.exists() and heartbeat.stat().st_mtime, within=60)
        eventually("the next heartbeat", lambda: heartbeat.stat().st_mtime > first, within=25)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, out + err
    assert "Traceback" not in out + err


def test_a_worker_without_a_broker_has_no_heartbeat(services: Services, tmp_path: Path) -> None:
    process = Application(services, {"ALMAGEST_RUN_DIR": str(tmp_path), "ALMAGEST_BROKER_PORT": "1"}).start(
        "worker", "short"
    )
    try:
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:
            assert process.poll() is None
            assert not (tmp_path / "heartbeat").exists()
            time.sleep(0.5)
    finally:
        process.kill()
        process.communicate()


def test_a_heartbeat_ends_with_the_broker_and_comes_back_with_it(services: Services, tmp_path: Path) -> None:
    there = services.environment
    relay = Relay(there["ALMAGEST_BROKER_HOST"], int(there["ALMAGEST_BROKER_PORT"]))
    beside = {
        "ALMAGEST_RUN_DIR": str(tmp_path),
        "ALMAGEST_BROKER_HOST": "127.0.0.1",
        "ALMAGEST_BROKER_PORT": str(relay.port),
    }
    heartbeat = tmp_path / "heartbeat"
    process = Application(services, beside).start("worker", "short")
    try:
        eventually("the first heartbeat", heartbeat.exists, within=60)
        relay.cut()
        time.sleep(1)  # a beat that had begun
        last = heartbeat.stat().st_mtime
        deadline = time.monotonic() + 13
        while time.monotonic() < deadline:
            assert heartbeat.stat().st_mtime == last
            time.sleep(0.5)
        relay.mend()
        eventually("a heartbeat after the broker came back", lambda: heartbeat.stat().st_mtime > last, within=60)
    finally:
        process.kill()
        process.communicate()


def test_a_worker_of_no_queue_says_which_there_are(application: Application) -> None:
    outcome = application.run("worker", "enormous")
    assert outcome.code == 1
    assert outcome.err == "almagest-app: there is no queue 'enormous' in queues.json; it has short, long\n"
