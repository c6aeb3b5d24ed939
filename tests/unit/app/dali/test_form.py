"""Files that come in a body take of the disk what all temporary files of the process may have, and give it back."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.dali.body import Request
from almagest.dali.form import form, pairs
from almagest.query import limits, temporary
from almagest.query.errors import BusyError, InvalidRequestError, TooLargeError
from almagest.query.tables.uploads import Part

FILE = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n%s\r\n'
END = b"--x--\r\n"


@pytest.fixture(autouse=True, scope="module")
def configured() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_SETTINGS_MODULE", "almagest.config.project")
        yield


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of 30,000 bytes; what a request has beyond 1,000 needs it. Nothing of it is taken when a test has ended."""
    monkeypatch.setattr(limits, "MEMORY_BYTES", 1000)
    monkeypatch.setattr(limits, "TEMPORARY_BYTES", 30_000)
    yield
    assert taken() == 0


def taken() -> int:
    return temporary._disk._taken


def request(*parts: bytes, chunked: bool = False) -> Request:
    body = b"".join(parts)
    told = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(len(body))}
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "wsgi.input": io.BytesIO(body), **told,
    }  # fmt: skip
    return Request(environ, 100_000)


def read(part: object) -> bytes:
    assert isinstance(part, Part)
    part.file.seek(0)
    return part.file.read()


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    sizes=st.lists(st.integers(1, 4000), max_size=limits.UPLOAD_TABLES),
    chunked=st.booleans(),
    field=st.binary(max_size=9),
)
def test_files_come_as_they_were_sent(sizes: list[int], chunked: bool, field: bytes) -> None:
    data = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    parts = [FILE % (b"t%d" % number, content) for number, content in enumerate(data)]
    with form(
        request(*parts, FILE.replace(b'; filename="f.csv"', b"") % (b"text", b"1,2"), END, chunked=chunked)
    ) as sent:
        assert [read(sent.parts[f"t{number}"]) for number in range(len(data))] == data
        assert sent.pairs == [("text", "1,2")]
        assert read(sent.parts["text"]) == b"1,2"
        held = sum(sizes)
        assert held - limits.MEMORY_BYTES <= taken() <= held
    assert taken() == 0


def test_a_request_keeps_no_more_in_memory_than_one_file_may(monkeypatch: pytest.MonkeyPatch) -> None:
    with form(request(*(FILE % (b"t%d" % number, b"x" * 900) for number in range(10)), END)) as sent:
        assert len(sent.parts) == 10
        assert taken() == 8100
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with form(request(FILE % (b"t", b"x" * 900), END)) as sent:
        assert len(sent.parts) == 1


def test_files_that_find_no_room_are_refused_and_leave_nothing() -> None:
    with form(request(FILE % (b"t", b"x" * 20_000), END)):
        with pytest.raises(BusyError), form(request(FILE % (b"u", b"x" * 500), FILE % (b"v", b"x" * 12_000), END)):
            pass
        assert taken() == 20_000


@pytest.mark.parametrize("end", [b"", b"--x\r\n", b"--y--\r\n"])
def test_a_file_that_broke_off_leaves_nothing(end: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="no end"), form(request(FILE % (b"t", b"x" * 5000), end)):
        pass


def test_more_files_than_a_query_may_have_are_refused() -> None:
    many = [FILE % (b"t%d" % number, b"x" * 200) for number in range(limits.UPLOAD_TABLES + 1)]
    with pytest.raises(TooLargeError, match="more files"), form(request(*many, END)):
        pass


def test_where_no_file_is_wanted_none_is_kept() -> None:
    sent = request(FILE % (b"t", b"x" * 50_000), b'--x\r\nContent-Disposition: form-data; name="RA"\r\n\r\n1\r\n', END)
    assert pairs(sent) == [("RA", "1")]
    assert taken() == 0


def test_a_body_that_is_too_large_is_refused_however_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEMPORARY_BYTES", 1_000_000)
    for chunked in (False, True):
        with pytest.raises(TooLargeError), form(request(FILE % (b"t", b"x" * 100_000), END, chunked=chunked)):
            pass
