"""The frames around the rows, chunks, and which format a request means; the rows themselves need PostgreSQL."""

from __future__ import annotations

import base64
import io

import pytest
from astropy.io import ascii as text_tables
from astropy.io.ascii import InconsistentTableError
from astropy.io.votable import parse
from hypothesis import given
from hypothesis import strategies as st

from almagest.adql import Column
from almagest.formats import CHUNK, FORMATS, MEDIA_TYPE, Status, UnsupportedFormat, error_document, negotiate

# A name that is no XML identifier is no fault: astropy says that it makes an ID of its own.
pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.W03")

COLUMNS = (
    Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main", utype="a:b", description='a < b & "c"\nd'),
    Column('na"me<', "char", "*"),
    Column("obs", "char", "*", "timestamp"),
)


@pytest.mark.parametrize("name", ["votable", "votable/td"])
def test_document_carries_the_metadata_of_its_columns(name: str) -> None:
    document = FORMATS[name].header(COLUMNS, {"QUERY": "SELECT '<&>'\n\t\x01\"x\""}) + FORMATS[name].footer(Status.OK)
    resource = parse(io.BytesIO(document), verify="warn").resources[0]
    fields = resource.tables[0].fields
    assert [field.name for field in fields] == ["ra", 'na"me<', "obs"]
    assert (fields[0].unit.to_string(), fields[0].ucd, fields[0].utype) == ("deg", "pos.eq.ra;meta.main", "a:b")
    assert fields[0].description == 'a < b & "c"\nd'
    assert fields[2].xtype == "timestamp"
    assert resource.type == "results"
    assert [(info.name, info.value) for info in resource.infos] == [
        ("QUERY_STATUS", "OK"),
        ("QUERY", "SELECT '<&>'\n\t\ufffd\"x\""),
    ]


@pytest.mark.parametrize("name", ["votable", "votable/td"])
@pytest.mark.parametrize("status", [Status.OVERFLOW, Status.ERROR])
def test_how_an_answer_ended_is_told_after_the_table(name: str, status: Status) -> None:
    document = FORMATS[name].header(COLUMNS, {}) + FORMATS[name].footer(status, "a <b> & c")
    assert f'</TABLE>\n<INFO name="QUERY_STATUS" value="{status}">a &lt;b&gt; &amp; c</INFO>'.encode() in document
    infos = parse(io.BytesIO(document), verify="warn").resources[0].infos
    assert [info.value for info in infos] == ["OK", str(status)]


def test_error_document_is_read_by_clients_that_look_for_its_spelling() -> None:
    document = error_document("line 1, column 3: no <such> thing").decode()
    assert '<INFO name="QUERY_STATUS" value="ERROR">line 1, column 3: no &lt;such&gt; thing</INFO>' in document
    assert "<TABLE>" not in document


def test_separated_values_begin_with_the_names() -> None:
    assert FORMATS["csv"].header(COLUMNS, {"QUERY": "x"}) == b'ra,"na""me<",obs\r\n'
    assert FORMATS["tsv"].header(COLUMNS, {}) == b'ra\tna"me<\tobs\n'


@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_separated_values_that_broke_off_are_no_table_any_more(name: str, delimiter: str) -> None:
    whole = FORMATS[name].header(COLUMNS, {}) + delimiter.join("123").encode() + b"\n"
    assert FORMATS[name].footer(Status.OK) == FORMATS[name].footer(Status.OVERFLOW) == b""
    broken = whole + FORMATS[name].footer(Status.ERROR, 'a "quoted", reason\nin lines')
    assert broken.decode().splitlines()[-1].startswith("ERROR: a quoted reason in lines" + delimiter)
    assert len(text_tables.read(whole.decode(), format="csv", delimiter=delimiter)) == 1
    with pytest.raises(InconsistentTableError):
        text_tables.read(broken.decode(), format="csv", delimiter=delimiter)


@given(st.lists(st.binary(max_size=200_000), max_size=6))
def test_chunks_are_large_and_lose_nothing(blocks: list[bytes]) -> None:
    for name, decode in (("votable", base64.b64decode), ("csv", bytes)):
        chunks = list(FORMATS[name].encode(blocks))
        assert decode(b"".join(chunks)) == b"".join(blocks)
        assert all(len(chunk) >= CHUNK for chunk in chunks[:-2])


@pytest.mark.parametrize(
    ("wanted", "media_type", "extension"),
    [
        (None, MEDIA_TYPE, "vot"),
        ("", MEDIA_TYPE, "vot"),
        ("votable", MEDIA_TYPE, "vot"),
        ("VOTable", MEDIA_TYPE, "vot"),
        ("application/x-votable+xml", MEDIA_TYPE, "vot"),
        ("application/x-votable+xml; serialization=TABLEDATA", f"{MEDIA_TYPE};serialization=TABLEDATA", "vot"),
        ("application/x-votable+xml;serialization=binary2", f"{MEDIA_TYPE};serialization=BINARY2", "vot"),
        ("text/xml", "text/xml", "vot"),
        ("votable/td", f"{MEDIA_TYPE};serialization=TABLEDATA", "vot"),
        ("votable_plain", f"{MEDIA_TYPE};serialization=TABLEDATA", "vot"),
        ("csv", "text/csv;header=present", "csv"),
        ("text/csv", "text/csv;header=present", "csv"),
        ("text/csv;header=present", "text/csv;header=present", "csv"),
        ("tsv", "text/tab-separated-values", "tsv"),
        ("text/tab-separated-values", "text/tab-separated-values", "tsv"),
    ],
)
def test_formats_are_found_by_short_name_and_media_type(wanted: str | None, media_type: str, extension: str) -> None:
    found = negotiate(wanted)
    assert (found.media_type, found.extension) == (media_type, extension)


@pytest.mark.parametrize(
    "wanted",
    [
        "fits",
        "html",
        "text/csv;header=absent",
        "application/x-votable+xml;serialization=BINARY",
        "a;b;c",
        ";",
        "xml\x00",
    ],
)
def test_unknown_format_names_those_there_are(wanted: str) -> None:
    with pytest.raises(UnsupportedFormat, match="votable, votable/b2, votable/td, csv, tsv"):
        negotiate(wanted)
