"""What a new job may come with beside its query, and what of it is granted (UWS 1.1 §2.2.3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from almagest.query import limits
from support import askers
from support.archive import Archive
from support.askers import Asker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

QUERY = "SELECT TOP 1 hip FROM hipparcos.main"
SOON = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
LATE = datetime.now(UTC) + timedelta(days=400)


@pytest.fixture
def asker(archive: Archive) -> Iterator[Asker]:
    with askers.browser(archive) as browser:
        yield browser


def said(asker: Asker, job: str, name: str) -> datetime:
    return datetime.fromisoformat(asker.said(job, name))


def test_a_job_is_created_as_it_was_wished(asker: Asker) -> None:
    job = asker.submit(
        QUERY, EXECUTIONDURATION="7", DESTRUCTION=SOON.isoformat(), RUNID="of mine", TABLE_NAME="wished", PHASE="RUN"
    )
    assert asker.until(job, *askers.ENDS) == "COMPLETED"
    assert (asker.said(job, "executionDuration"), asker.said(job, "runId")) == ("7", "of mine")
    assert said(asker, job, "destruction") == SOON
    assert (asker.info(job, "queue"), asker.info(job, "table")) == ("short", "tap_user.wished")


@pytest.mark.parametrize(
    ("wish", "granted", "queue"),
    [("31", "31", "long"), ("30", "30", "short"), ("999999", "3600", "long"), ("0", "3600", "long")],
)
def test_its_duration_decides_its_queue(asker: Asker, wish: str, granted: str, queue: str) -> None:
    job = asker.submit(QUERY, executionduration=wish)
    assert (asker.said(job, "executionDuration"), asker.info(job, "queue")) == (granted, queue)
    assert asker.said(job, "phase") == "PENDING"


def test_no_job_lives_longer_than_jobs_do(asker: Asker) -> None:
    job = asker.submit(QUERY, DESTRUCTION=LATE.isoformat())
    assert said(asker, job, "destruction") <= datetime.now(UTC) + limits.MAX_RETENTION


def test_a_job_that_brings_a_table_is_created_so_too(asker: Asker, archive: Archive) -> None:
    form: dict[str, Any] = {
        "LANG": (None, "ADQL"), "QUERY": (None, "SELECT a FROM TAP_UPLOAD.t"), "UPLOAD": (None, "t,param:t"),
        "PHASE": (None, "RUN"), "EXECUTIONDURATION": (None, "31"), "DESTRUCTION": (None, SOON.isoformat()),
        "t": ("t.csv", "a\n1\n", "text/csv"),
    }  # fmt: skip
    answer = asker.session.post(f"{archive.tap}/async", files=form, allow_redirects=False, timeout=60)
    assert answer.status_code == 303, answer.text
    job = answer.headers["Location"]
    assert asker.until(job, *askers.ENDS) == "COMPLETED"
    assert (asker.said(job, "executionDuration"), asker.info(job, "queue")) == ("31", "long")
    assert said(asker, job, "destruction") == SOON


@pytest.mark.parametrize(
    "wish", [{"EXECUTIONDURATION": "1h"}, {"EXECUTIONDURATION": "-1"}, {"DESTRUCTION": "soon"}, {"PHASE": "ABORT"}]
)
def test_of_a_wish_that_is_none_comes_no_job(asker: Asker, wish: dict[str, str]) -> None:
    first = asker.submit(QUERY)
    answer = asker.create(QUERY, **wish)
    assert answer.status_code == 400
    assert next(iter(wish)) in answer.text
    assert asker.listed() == [first]
