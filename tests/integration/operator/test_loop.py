"""The operator's promises, each kept against a real API server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from integration.operator.conftest import Bench
from support.cluster import eventually


def now() -> datetime:
    return datetime.now(UTC)


def test_an_archive_becomes_ready(bench: Bench) -> None:
    bench.start()
    bench.apply()
    bench.await_ready()
    status = bench.archive()["status"]
    assert status["release"] == "0.1.0"
    port = bench.get("services", "gaia-proxy")["spec"]["ports"][0]["nodePort"]
    assert status["endpoints"] == {"site": f"http://192.0.2.7:{port}", "tap": f"http://192.0.2.7:{port}/tap"}
