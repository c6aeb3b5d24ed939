"""Readiness is bounded in time and in threads whatever the dependencies do."""

from __future__ import annotations

import threading
import time

import pytest

from almagest.health import checks


def test_a_check_that_hangs_is_late_and_never_runs_twice() -> None:
    release = threading.Event()
    started: list[float] = []

    def hang() -> None:
        started.append(time.monotonic())
        release.wait(20)

    try:
        for _ in range(2):
            began = time.monotonic()
            assert checks.run({"hangs": hang, "works": lambda: None}) == {
                "hangs": "no answer within 1 s",
                "works": None,
            }
            assert time.monotonic() - began < 1.5
        assert len(started) == 1
    finally:
        release.set()


def test_an_error_shows_its_kind_and_keeps_its_text_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError("amqp://almagest:secret@broker")

    assert checks.run({"refuses": refuse}) == {"refuses": "does not answer (ConnectionRefusedError)"}
    assert "secret" in str([vars(record).get("reason") for record in caplog.records])


def test_what_is_not_ready_says_why() -> None:
    def wait() -> None:
        raise checks.NotReadyError("2 migrations are not applied yet")

    assert checks.run({"waits": wait}) == {"waits": "2 migrations are not applied yet"}
