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


def test_all_files_of_a_process_together_may_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEMPORARY_BYTES", 10_000)
    with TemporaryFile() as upload:
        upload.write(b"x" * 4000)
        spool = Spool([b"x" * 1000] * 5)
        with pytest.raises(BusyError, match="try again soon"):
            Spool([b"x" * 1000])
        with pytest.raises(BusyError, match="try again soon"):
            upload.write(b"x" * 1000)
        spool.close()
        spool.close()
        upload.write(b"x" * 5000)
    with closing(Spool([b"x" * 9000])) as again:
        assert [*again] == [b"x" * 9000]
