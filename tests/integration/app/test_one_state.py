"""What an answer says of its data is what the metadata say at that moment, whichever process it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from support.application import Application
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

_LICENSE = """
from almagest.metadata import models
from almagest.metadata.publish import change
with change() as made:
    made.save(models.Schema.objects.all(), {{"name": "hipparcos"}}, {{"licence": {licence!r}}})
"""


@pytest.fixture
def job(archive: Archive) -> str:
    job = archive.submit("SELECT TOP 5 hip, ra FROM hipparcos.main ORDER BY hip", PHASE="RUN")
    archive.until(job, "COMPLETED")
    return job


@pytest.fixture
def licence(application: Application) -> Iterator[None]:
    """The metadata as they were, afterwards."""
    with application.app() as connection:
        row = connection.execute("SELECT licence FROM metadata_schema WHERE name = 'hipparcos'").fetchone()
    assert row is not None
    yield
    state(application, row[0])


def state(application: Application, licence: str) -> None:
    application.console.python(_LICENSE.format(licence=licence))


def test_every_process_says_the_same_of_a_result_at_once(
    application: Application, archive: Archive, job: str, licence: None
) -> None:
    result = f"{job}/results/result"
    with application.serving(ALMAGEST_SITE_URL=archive.url) as other:
        elsewhere = result.replace(archive.url, other)
        tags = []
        for name in ("First licence", "Second licence"):
            state(application, name)
            # Neither process has been asked for anything else since.
            here, there = (requests.get(url, timeout=60) for url in (result, elsewhere))
            assert here.content == there.content
            assert here.headers["ETag"] == there.headers["ETag"]
            assert re.findall(r'name="rights" value="([^"]*)"', here.text) == [name]
            tags.append(here.headers["ETag"])
        assert tags[0] != tags[1]
        for url in (result, elsewhere):
            parts = requests.get(url, headers={"Range": "bytes=9-19", "If-Range": tags[0]}, timeout=60)
            assert parts.status_code == 200, "the part of a document that is no more"
            assert requests.get(url, headers={"If-None-Match": tags[1]}, timeout=60).status_code == 304


def test_an_example_with_a_function_that_is_not_told_of_is_not_shown(
    application: Application, archive: Archive
) -> None:
    shown = requests.get(f"{archive.tap}/examples", timeout=60).text
    used = next(name for name in ("DISTANCE", "CONTAINS", "COUNT", "POINT") if f"{name}(" in shown)
    application.console.must("access", f"{used}()", "private")
    try:
        assert f"{used}(" not in requests.get(f"{archive.tap}/examples", timeout=60).text
    finally:
        application.console.must("access", f"{used}()", "public")
    assert f"{used}(" in requests.get(f"{archive.tap}/examples", timeout=60).text
