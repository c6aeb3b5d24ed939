"""The probes: live says nothing but itself, ready names what is missing, and neither takes long."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.application import Application, get

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(application: Application) -> Iterator[str]:
    with application.serving() as base:
        yield base


def ready(url: str) -> tuple[int, dict[str, Any]]:
    answer = get(f"{url}/health/ready", Host="localhost")
    return answer.status, json.loads(answer.body)


def test_live_and_ready_when_everything_answers(url: str) -> None:
    assert get(f"{url}/health/live", Host="localhost").status == 200
    assert ready(url) == (
        200,
        {
            "ready": True,
            "failed": [],
            "impaired": [],
            "checks": {"appdb": "ok", "migrations": "ok", "datadb": "ok", "cache": "ok", "broker": "ok"},
        },
    )


@pytest.mark.parametrize(
    ("variable", "status", "failed", "impaired"),
    [
        ("ALMAGEST_APPDB_PORT", 503, ["appdb", "migrations"], []),
        ("ALMAGEST_DATADB_PORT", 200, [], ["datadb"]),
        ("ALMAGEST_CACHE_PORT", 200, [], ["cache"]),
        ("ALMAGEST_BROKER_PORT", 200, [], ["broker"]),
    ],
)
def test_what_does_not_answer_is_named_and_only_the_applications_database_makes_unready(
    application: Application, variable: str, status: int, failed: list[str], impaired: list[str]
) -> None:
    with application.serving(**{variable: "1"}) as url:
        assert get(f"{url}/health/live").status == 200
        answer = ready(url)
        assert (answer[0], answer[1]["failed"], answer[1]["impaired"]) == (status, failed, impaired)
        assert "127.0.0.1" not in json.dumps(answer[1])
        document = get(f"{url}/tap/availability").body
        for name in (*failed, *impaired):
            assert f"<vosi:note>{name}: " in document
        available = not failed and "datadb" not in impaired
        assert f"<vosi:available>{'true' if available else 'false'}</vosi:available>" in document


def test_a_network_that_swallows_everything_is_reported_in_time(application: Application) -> None:
    """Before the kubelet's patience of five seconds ends, each time."""
    with application.serving(ALMAGEST_BROKER_HOST="192.0.2.1", ALMAGEST_DATADB_HOST="192.0.2.1") as url:
        for _ in range(3):
            began = time.monotonic()
            status, body = ready(url)
            assert time.monotonic() - began < 5
            assert (status, body["impaired"]) == (200, ["datadb", "broker"])


def test_a_probe_is_cheap(url: str) -> None:
    ready(url)
    began = time.monotonic()
    for _ in range(20):
        assert ready(url)[0] == 200
    assert time.monotonic() - began < 4
