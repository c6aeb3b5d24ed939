"""Parts of a stored result: the same bytes as the whole has there, whatever the format, and nothing run in vain."""

from __future__ import annotations

import pytest

from almagest import formats
from almagest.catalogue import Column
from almagest.formats import About, Origin
from almagest.query.answers.answer import Source
from almagest.query.answers.downloads import Conditions, Delivery, Document, deliver

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("web_process")]

ROWS = 30_000
COLUMNS = (Column("n", "int"), Column("x", "double"))
FORMATS = sorted({*formats.FORMATS, "csv_gzip"})


def document(name: str = "csv", *, rows: int = ROWS, sql: str | None = None, about: About | None = None) -> Document:
    query = sql or f"SELECT n, n / 7.0::float8 FROM generate_series(1, {rows}) AS n"
    source = Source(query, COLUMNS, rows, 30, "Wait.", overflow=False, count=rows)
    return Document(source, formats.negotiate(name), about or About({"QUERY": "SELECT 1"}))


def status(held: Document, asked: Conditions) -> int:
    """The status alone; what was opened for it is closed."""
    delivery = deliver(held, asked)
    if delivery.body is not None:
        delivery.body.close()
    return delivery.status


def read(delivery: Delivery) -> bytes:
    assert delivery.body is not None
    return b"".join(delivery.body)


@pytest.mark.parametrize("name", FORMATS)
def test_a_part_is_what_the_whole_has_there(name: str) -> None:
    whole = read(deliver(document(name), Conditions()))
    size = len(whole)
    for asked, start, stop in (
        (f"bytes={size - 9}-", size - 9, size),
        ("bytes=100-70000", 100, min(size, 70001)),
        ("bytes=-5", size - 5, size),
    ):
        part = deliver(document(name), Conditions(asked, document(name).etag))
        assert (part.status, part.headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{size}")
        assert read(part) == whole[start:stop]
        assert part.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("name", ["votable", "votable/b", "fits"])
def test_the_length_is_told_where_it_is_known(name: str) -> None:
    told = deliver(document(name), Conditions(), body=False)
    assert (told.status, told.body) == (200, None)
    assert told.headers["Content-Length"] == str(len(read(deliver(document(name), Conditions()))))
    assert told.headers["Accept-Ranges"] == "bytes"


def test_asking_for_the_headers_runs_nothing() -> None:
    told = deliver(document(sql="SELECT 1 / 0, 1.0"), Conditions("bytes=5-"), body=False)
    assert told.status == 200
    assert "Content-Length" not in told.headers


def test_who_has_it_already_gets_nothing() -> None:
    held = document(sql="SELECT 1 / 0, 1.0")
    for header in (held.etag, f'"other", W/{held.etag}', "*"):
        assert status(held, Conditions(if_none_match=header)) == 304
    assert status(document(), Conditions(if_none_match='"other"')) == 200


def test_a_part_of_another_document_is_the_whole() -> None:
    assert status(document(rows=10), Conditions("bytes=5-", '"other"')) == 200


@pytest.mark.parametrize(
    "header", ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=1-2,5-6", "bytes=a-b", "bytes=1", "x" * 99]
)
def test_what_is_no_part_is_the_whole(header: str) -> None:
    assert status(document(rows=10), Conditions(header)) == 200


def test_beyond_the_end_is_nothing() -> None:
    size = len(read(deliver(document(rows=10), Conditions())))
    told = deliver(document(rows=10), Conditions(f"bytes={size}-"))
    assert (told.status, told.body, told.headers["Content-Range"]) == (416, None, f"bytes */{size}")
    assert status(document(rows=10), Conditions("bytes=-0")) == 416


def test_tags_differ_when_bytes_do() -> None:
    other = About({"QUERY": "SELECT 1"}, Origin(publisher="other"))
    tags = {
        document().etag,
        document("tsv").etag,
        document("csv_gzip").etag,
        document(rows=10).etag,
        document(about=other).etag,
    }
    assert len(tags) == 5
    assert document().etag == document().etag


def test_leaving_a_part_ends_its_query() -> None:
    part = deliver(document("votable"), Conditions("bytes=5-"))
    assert part.body is not None
    next(iter(part.body))
    part.body.close()
    part.body.close()
    assert read(deliver(document(rows=10), Conditions()))
