"""Limits, as granted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from almagest.config.environment import Queue
from almagest.query import limits

QUEUES = (Queue(name="default", timeout=30), Queue(name="long", timeout=3600), Queue(name="middle", timeout=600))
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "queue"),
    [(1, "default"), (30, "default"), (31, "middle"), (600, "middle"), (601, "long"), (10**9, "long"), (0, "long")],
)
def test_a_job_goes_to_the_fastest_queue_that_lets_it_run_so_long(seconds: int, queue: str) -> None:
    assert limits.queue_for(seconds, QUEUES).name == queue


@pytest.mark.parametrize(("asked", "granted"), [(5, 5), (3600, 3600), (10**17, 3600), (0, 3600)])
def test_no_job_runs_longer_than_the_slowest_queue(asked: int, granted: int) -> None:
    assert limits.duration(asked, QUEUES) == granted


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, limits.DEFAULT_ROWS),
        (0, 0),
        (7, 7),
        (limits.MAX_ROWS + 1, limits.MAX_ROWS),
        (10**18, limits.MAX_ROWS),
    ],
)
def test_maxrec_is_clamped(asked: int | None, granted: int) -> None:
    assert limits.rows(asked) == granted


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (NOW + timedelta(days=1), NOW + timedelta(days=1)),
        (NOW + timedelta(days=999), NOW + limits.MAX_RETENTION),
        (datetime.max.replace(tzinfo=UTC), NOW + limits.MAX_RETENTION),
        (datetime.min.replace(tzinfo=UTC), NOW),
    ],
)
def test_destruction_is_clamped(asked: datetime, granted: datetime) -> None:
    assert limits.destruction(asked, NOW) == granted


@pytest.mark.parametrize(
    ("sorts", "granted"), [(0, None), (8, None), (9, 29_127), (80, 3_276), (1_600, 163), (10_000, 64)]
)
def test_many_sorts_share_what_few_may_take(sorts: int, granted: int | None) -> None:
    assert limits.sort_kibibytes(sorts) == granted
