"""Parts of an answer that wait until all of them are there."""

from __future__ import annotations

import tempfile
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.query import limits
from almagest.query.answers.spool import Spool
from almagest.query.errors import BusyError, TooLargeError
from almagest.query.temporary import TemporaryFile


@given(st.lists(st.binary(max_size=300)))
def test_parts_come_again_as_they_were_and_as_often_as_they_are_wanted(parts: list[bytes]) -> None:
    with closing(Spool(memoryview(part) for part in parts)) as spool:
        assert [*spool] == [*spool] == parts


def test_a_small_answer_touches_no_disk_and_a_large_one_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = [b"x" * 1000] * 1000, [b"x" * limits.MEMORY_BYTES, b"y"]
    with closing(Spool(large)) as spool:
        assert [*spool] == large
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with closing(Spool(small)) as spool:
        assert [*spool] == small
    with pytest.raises(FileNotFoundError):
        Spool(large)


def test_an_answer_may_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SPOOL_BYTES", 10_000)
    with pytest.raises(TooLargeError, match="choose another format"):
        Spool([b"x" * 1000] * 11)


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of 10,000 bytes, 6,000 of them for answers; what has no more than 1,000 stays in memory."""
    monkeypatch.setattr(limits, "MEMORY_BYTES", 1000)
    monkeypatch.setattr(limits, "TEMPORARY_BYTES", 10_000)
    monkeypatch.setattr(limits, "RESERVED_FOR_UPLOADS_BYTES", 4000)


@pytest.mark.usefixtures("small_disk")
def test_all_files_of_a_process_together_may_not_fill_the_disk() -> None:
    with TemporaryFile() as upload:
        upload.write(b"x" * 3000)
        spool = Spool([b"x" * 990] * 3)
        with pytest.raises(BusyError, match="choose VOTable"):
            Spool([b"x" * 990] * 2)
        upload.write(b"x" * 4000)
        with pytest.raises(BusyError, match="large uploads"):
            upload.write(b"x" * 1000)
        spool.close()
        spool.close()
        upload.write(b"x" * 3000)
    with closing(Spool([b"x" * 5000])) as again:
        assert [*again] == [b"x" * 5000]


@pytest.mark.usefixtures("small_disk")
def test_answers_leave_room_to_uploads() -> None:
    with closing(Spool([b"x" * 5900])), TemporaryFile() as upload:
        with pytest.raises(BusyError, match="choose VOTable"):
            Spool([b"x" * 1500])
        upload.write(b"x" * 4000)


@pytest.mark.usefixtures("small_disk")
def test_what_is_in_memory_takes_nothing_of_the_disk() -> None:
    with TemporaryFile() as full, TemporaryFile() as small:
        full.write(b"x" * 10_000)
        small.write(b"x" * 1000)
        with closing(Spool([b"x" * 900])) as spool:
            assert [*spool] == [b"x" * 900]
        with pytest.raises(BusyError, match="large uploads"):
            small.write(b"x")
