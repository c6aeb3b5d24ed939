"""Parameters come as they were sent, in whatever way, or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import QueryDict
from django.http.request import UnreadablePostError
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.dali.body import MULTIPART, UNREADABLE, URLENCODED, Request

MOST = 200_000
BOUNDARY = "<<<--of-some-client-->>>"
Pairs = list[tuple[bytes, bytes]]


@pytest.fixture(autouse=True, scope="module")
def configured() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_SETTINGS_MODULE", "almagest.config.project")
        yield


class Source(io.RawIOBase):
    """Bytes that come in pieces of at most `piece`. taken: how many were read."""

    def __init__(self, data: bytes, piece: int) -> None:
        self.taken = 0
        self._data = data
        self._piece = piece

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "nobody may ask for all of it"
        start, self.taken = self.taken, min(self.taken + min(size, self._piece), len(self._data))
        return self._data[start : self.taken]


class Endless(Source):
    def __init__(self) -> None:
        super().__init__(b"", 1 << 16)

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        self.taken += min(size, self._piece)
        return b"x" * min(size, self._piece)


def request(source: Source, content_type: str = "", length: int | None = None, query: str = "") -> Request:
    """A POST. length: None for chunks, whose number of bytes nobody tells."""
    told = {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": query, "CONTENT_TYPE": content_type,
        "wsgi.input": source, **told,
    }  # fmt: skip
    return Request(environ, MOST)


def urlencoded(pairs: Pairs) -> bytes:
    return urlencode(pairs).encode()


def multipart(pairs: Pairs) -> bytes:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY.encode(), name, value)
        for name, value in pairs
    ]
    return b"".join([*parts, b"--", BOUNDARY.encode(), b"--\r\n"])


Write = Callable[[Pairs], bytes]
FORMS: list[tuple[str, Write]] = [
    (URLENCODED, urlencoded), (f'{MULTIPART}; boundary="{BOUNDARY}"', multipart)
]  # fmt: skip
NAMES = st.sampled_from([b"QUERY", b"lang", "größe".encode(), b"a b"])
TEXTS = st.text(max_size=30).map(str.encode)
BYTES = (
    TEXTS | st.binary(max_size=30) | st.sampled_from([b"\xe9", b"\xed\xa0\x80", b"\xc0\xaf", b"a\xff", b"\xef\xbf\xbd"])
)
either = pytest.mark.parametrize(("content_type", "write"), FORMS, ids=["urlencoded", "multipart"])
bounded = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def text(pairs: Pairs) -> list[tuple[str, str]] | None:
    """What the pairs say, None where they are not UTF-8."""
    try:
        return [(name.decode(), value.decode()) for name, value in pairs]
    except UnicodeDecodeError:
        return None


def listed(found: QueryDict) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, values in found.lists() for value in values]


@either
@bounded
@given(pairs=st.lists(st.tuples(NAMES, BYTES), max_size=4), piece=st.integers(1, 400), told=st.booleans())
def test_parameters_come_as_they_were_sent_or_are_refused(
    content_type: str, write: Write, pairs: Pairs, piece: int, told: bool
) -> None:
    body = write(pairs)
    expected = text(pairs)
    sent = request(Source(body, piece), content_type, len(body) if told else None)
    if expected is None:
        with pytest.raises(BadRequest, match="not UTF-8"):
            _ = sent.POST
    else:
        assert sorted(listed(sent.POST)) == sorted(expected)


@bounded
@given(pairs=st.lists(st.tuples(BYTES, BYTES), max_size=4), raw=st.booleans())
def test_an_address_comes_as_it_was_sent_or_is_refused(pairs: Pairs, raw: bool) -> None:
    query = urlencode(pairs)
    if raw:  # some clients leave what is not ASCII as it is
        query = "&".join(f"{quote_plus(n, safe=SAFE)}={quote_plus(v, safe=SAFE)}" for n, v in pairs)
    sent = request(Source(b"", 1), query=query)
    expected = text(pairs)
    if expected is None:
        with pytest.raises(BadRequest, match="not UTF-8"):
            _ = sent.GET
    else:
        assert sorted(listed(sent.GET)) == sorted(expected)


SAFE = bytes(range(128, 256))


def test_a_refusal_says_what_and_where() -> None:
    with pytest.raises(BadRequest, match=r"the parameter 'QUERY' is not UTF-8 \(byte 0xe9 at 3\)"):
        _ = request(Source(b"", 1), query="LANG=ADQL&QUERY=caf%E9").GET
    body = multipart([(b"mine", b"PAR1\xff")])
    with pytest.raises(BadRequest, match="a file needs a file name"):
        _ = request(Source(body, 9), FORMS[1][0], len(body)).POST


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-7", "nonsense", "unicode_escape"])
@either
def test_no_charset_changes_how_anything_is_read(content_type: str, write: Write, charset: str) -> None:
    body = write([(b"QUERY", "é".encode())])
    sent = request(Source(body, 10), f"{content_type}; charset={charset}", len(body), "RUNID=%C3%A9")
    assert listed(sent.GET) == [("RUNID", "é")]
    with pytest.raises(BadRequest, match="UTF-8 only"):
        _ = sent.POST


@either
@bounded
@given(cut=st.integers(0, 10_000), piece=st.integers(1, 400), told=st.booleans())
def test_a_part_of_a_body_is_not_taken_for_all_of_it(
    content_type: str, write: Write, cut: int, piece: int, told: bool
) -> None:
    body = write([(b"LANG", b"ADQL"), (b"QUERY", b"SELECT 1 FROM stars WHERE x < 3")])
    # What is behind the last boundary says nothing, and chunks without boundaries have no end that could be missed.
    end = len(body.removesuffix(b"\r\n"))
    if content_type == URLENCODED and not told:
        return
    sent = request(Source(body[: cut % end], piece), content_type, len(body) if told else None)
    with pytest.raises((UnreadablePostError, BadRequest)):
        _ = sent.POST


@either
def test_what_is_too_large_is_refused_unread(content_type: str, write: Write) -> None:
    del write
    source = Endless()
    with pytest.raises(RequestDataTooBig):
        _ = request(source, content_type, MOST + 1).POST
    assert source.taken == 0


@pytest.mark.parametrize("content_type", [form for form, _ in FORMS])
def test_what_has_no_end_is_read_as_far_as_it_may_be(content_type: str) -> None:
    source = Endless()
    with pytest.raises(UNREADABLE):
        _ = request(source, content_type).POST
    assert source.taken <= MOST + 1


def test_a_file_without_an_end_is_read_as_far_as_it_may_be() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    source = Source(head + b"y" * (2 * MOST), 1 << 16)
    with pytest.raises(RequestDataTooBig):
        _ = request(source, f"{MULTIPART}; boundary=x").POST
    assert source.taken == MOST + 1


@either
def test_thousands_of_parameters_are_refused(content_type: str, write: Write) -> None:
    body = write([(b"a", b"")] * 2000)
    with pytest.raises(SuspiciousOperation):
        _ = request(Source(body, 1 << 16), content_type, len(body)).POST


def test_files_that_nobody_asked_for_are_passed_over() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%d"; filename="f"\r\n\r\n1,2\r\n'
    body = b"".join(part % number for number in range(50)) + multipart([(b"RA", b"1")]).replace(BOUNDARY.encode(), b"x")
    sent = request(Source(body, 333), f"{MULTIPART}; boundary=x", len(body))
    assert listed(sent.POST) == [("RA", "1")]
    assert not sent.FILES


@bounded
@given(content_type=st.text(max_size=60), body=st.binary(max_size=200), told=st.booleans())
def test_any_body_is_read_or_refused(content_type: str, body: bytes, told: bool) -> None:
    sent = request(Source(body, 7), content_type, len(body) if told else None)
    with suppress(*UNREADABLE):
        listed(sent.POST)


def test_reading_gives_all_that_was_asked_for() -> None:
    for length in (8, None):
        sent = request(Source(b"abcdefgh", 3), "text/csv", length)
        assert (sent.read(7), sent.read(7), sent.read(7)) == (b"abcdefg", b"h", b"")
