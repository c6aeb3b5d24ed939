"""The documents around the rows, and which format a request means; rows of every type need PostgreSQL."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import ascii as text_tables
from astropy.io import fits
from astropy.io.ascii import InconsistentTableError
from astropy.io.votable import parse
from hypothesis import given
from hypothesis import strategies as st

from almagest.catalogue import Column, Datatype
from almagest.formats import (
    FORMATS,
    MEDIA_TYPE,
    About,
    Coordinates,
    Format,
    Input,
    Link,
    Origin,
    ServiceDescriptor,
    Status,
    UnsupportedFormat,
    error_document,
    negotiate,
)
from almagest.formats.chunks import base64_length, base64_lines
from almagest.formats.layout import Layout
from almagest.formats.rows import Field, Ragged, RawBlock, columns, padded, together
from support.answers import NOTHING, OK, Given, document, text_block, value_block

# A name that is no XML identifier is no fault: astropy says that it makes an ID of its own.
pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.W03")

COLUMNS = (
    Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main", utype="a:b", description='a < b & "c"\nd'),
    Column('na"me<', "char", "*"),
    Column("obs", "char", "*", "timestamp"),
)
NUMBERS = (Column("n", "long"), Column("x", "double"))
BROKEN = (Status.ERROR, 'a "quoted", <reason>\nin lines')


def numbers(form: Format, count: int) -> list[RawBlock]:
    """Rows of NUMBERS as PostgreSQL sends them for a format."""
    if form.copy(NUMBERS).binary:
        return [value_block(*([struct.pack(">q", n), struct.pack(">d", n / 2)] for n in range(count)))]
    separator = {"FORMAT csv": b","}.get(form.copy(NUMBERS).options, b"\t" if form.extension == "tsv" else b"\x1f")
    return [text_block(*(separator.join((b"%d" % n, b"%f" % (n / 2))) for n in range(count)))]


@pytest.mark.parametrize("name", ["votable", "votable/b", "votable/td"])
def test_document_carries_the_metadata_of_its_columns(name: str) -> None:
    about = About({"QUERY": "SELECT '<&>'\n\t\x01\"x\""})
    resource = parse(io.BytesIO(document(FORMATS[name], COLUMNS, about=about)), verify="warn").resources[0]
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


def test_votable_names_the_frames_of_positions_and_times() -> None:
    about = About(coordinates=Coordinates(epoch="J2016.0"))
    read = parse(io.BytesIO(document(FORMATS["votable"], COLUMNS, about=about)), verify="exception").resources[0]
    frame, time = read.coordinate_systems[0], read.time_systems[0]
    assert (frame.system, frame.epoch, time.timescale) == ("ICRS", "J2016.0", "UTC")
    assert [field.ref for field in read.tables[0].fields] == [frame.ID, None, time.ID]


def test_votable_without_positions_and_times_names_no_frames() -> None:
    whole = document(FORMATS["votable"], NUMBERS)
    assert b"COOSYS" not in whole
    assert b"TIMESYS" not in whole


def test_votable_tells_the_range_of_values() -> None:
    ranged = (Column("n", "int", minimum=-5, maximum=7), Column("x", "double", minimum=0.5))
    for name, null in (("votable", None), ("votable/b", -(2**31))):
        first, second = parse(io.BytesIO(document(FORMATS[name], ranged)), verify="exception").get_first_table().fields
        assert (first.values.min, first.values.max, first.values.null) == (-5, 7, null)
        assert (second.values.min, second.values.max) == (0.5, None)


def test_votable_tells_where_the_data_come_from() -> None:
    origin = Origin(
        publisher="The Archive", ivoids=("ivo://a/b", "ivo://a/c"), creators=("A. <B>",), request_date="2030-01-31"
    )
    about = About({"QUERY": "SELECT 1"}, origin, links=(Link("https://example.org/?a=1&b=2", "about"),))
    resource = parse(io.BytesIO(document(FORMATS["votable"], NUMBERS, about=about)), verify="exception").resources[0]
    assert [(info.name, info.value) for info in resource.infos[2:]] == [
        ("publisher", "The Archive"),
        ("request_date", "2030-01-31"),
        ("ivoid", "ivo://a/b"),
        ("ivoid", "ivo://a/c"),
        ("creator", "A. <B>"),
    ]
    assert [(link.href, link.title) for link in resource.links] == [("https://example.org/?a=1&b=2", "about")]


def test_votable_describes_services_over_its_columns() -> None:
    service = ServiceDescriptor(
        "https://example.org/links?x=1&y=2", (Input("ID", column="n"), Input("RADIUS", "double", None, unit="deg")),
        "ivo://ivoa.net/std/DataLink#links-1.1", name="links", description="more <of> it",
    )  # fmt: skip
    read = parse(
        io.BytesIO(document(FORMATS["votable"], NUMBERS, about=About(services=(service,)))), verify="exception"
    )
    results, meta = read.resources
    assert (meta.type, meta.utype, meta.description) == ("meta", "adhoc:service", "more <of> it")
    assert [(param.name, param.value) for param in meta.params] == [
        ("accessURL", "https://example.org/links?x=1&y=2"),
        ("standardID", "ivo://ivoa.net/std/DataLink#links-1.1"),
    ]
    assert results.tables[0].to_table().colnames == ["n", "x"]
    asked = meta.groups[0].entries
    assert meta.groups[0].name == "inputParams"
    assert [(param.name, param.ref) for param in asked] == [("ID", results.tables[0].fields[0].ID), ("RADIUS", None)]


@pytest.mark.parametrize("name", ["votable", "votable/b", "votable/td"])
@pytest.mark.parametrize("status", [Status.OVERFLOW, Status.ERROR])
def test_how_an_answer_ended_is_told_after_the_table(name: str, status: Status) -> None:
    whole = document(FORMATS[name], COLUMNS, Given((), (status, "a <b> & c")))
    assert f'</TABLE>\n<INFO name="QUERY_STATUS" value="{status}">a &lt;b&gt; &amp; c</INFO>'.encode() in whole
    infos = parse(io.BytesIO(whole), verify="warn").resources[0].infos
    assert [info.value for info in infos] == ["OK", str(status)]


def test_error_document_is_read_by_clients_that_look_for_its_spelling() -> None:
    whole = error_document("line 1, column 3: no <such> thing").decode()
    assert '<INFO name="QUERY_STATUS" value="ERROR">line 1, column 3: no &lt;such&gt; thing</INFO>' in whole
    assert "<TABLE" not in whole


def test_separated_values_begin_with_the_names() -> None:
    assert document(FORMATS["csv"], COLUMNS, about=About({"QUERY": "x"})) == b'ra,"na""me<",obs\r\n'
    assert document(FORMATS["tsv"], COLUMNS) == b'ra\tna"me<\tobs\n'


@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_separated_values_that_broke_off_are_no_table_any_more(name: str, delimiter: str) -> None:
    form = FORMATS[name]
    whole = document(form, NUMBERS, Given(numbers(form, 1)))
    assert document(form, NUMBERS, Given(numbers(form, 1), (Status.OVERFLOW, "cut"))) == whole
    broken = document(form, NUMBERS, Given(numbers(form, 1), BROKEN))
    assert broken.decode().splitlines()[-1].startswith("ERROR: a quoted <reason> in lines" + delimiter)
    assert len(text_tables.read(whole.decode(), format="csv", delimiter=delimiter)) == 1
    with pytest.raises(InconsistentTableError):
        text_tables.read(broken.decode(), format="csv", delimiter=delimiter)


def test_binary_formats_that_broke_off_cannot_be_read() -> None:
    def broken(name: str) -> io.BytesIO:
        return io.BytesIO(document(FORMATS[name], NUMBERS, Given(numbers(FORMATS[name], 5), BROKEN, count=6)))

    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(broken("parquet"))
    with pytest.raises((pa.ArrowInvalid, OSError)):
        pa.ipc.open_stream(broken("arrow")).read_all()
    with pytest.raises(json.JSONDecodeError):
        json.load(broken("json"))
    with pytest.warns(match="truncated"), pytest.raises((TypeError, ValueError)), fits.open(broken("fits")) as opened:
        assert len(opened[1].data) != 5


def test_pages_for_eyes_say_when_they_are_cut() -> None:
    for name in ("text", "html"):
        said = document(
            FORMATS[name], NUMBERS, Given(numbers(FORMATS[name], 2), (Status.OVERFLOW, "cut at <2>"))
        ).decode()
        assert ("OVERFLOW: cut at <2>" if name == "text" else "OVERFLOW: cut at &lt;2&gt;") in said


@given(st.lists(st.binary(max_size=200_000), max_size=6))
def test_base64_depends_on_the_bytes_alone(parts: list[bytes]) -> None:
    lines = b"".join(base64_lines(parts))
    assert base64.b64decode(lines) == b"".join(parts)
    assert lines == b"".join(base64_lines([b"".join(parts)]))
    assert len(lines) == base64_length(sum(map(len, parts)))


@pytest.mark.parametrize("name", ["votable", "votable/b", "fits"])
@pytest.mark.parametrize("count", [0, 1, 10_000])
def test_documents_of_equal_rows_know_their_length(name: str, count: int) -> None:
    form, overflow = FORMATS[name], (Status.OVERFLOW, "cut")
    for ending in (OK, overflow):
        whole = document(form, NUMBERS, Given(numbers(form, count), ending, count))
        assert form.length(NUMBERS, About(), count, ending) == len(whole)
    assert form.length(COLUMNS, About(), count, OK) is None


texts = st.none() | st.binary(max_size=9) | st.just(b"all alike") | st.just(b"much longer " * 50)
values = st.lists(st.tuples(texts, st.integers(-5, 5), texts), min_size=1, max_size=30)


def each(cell: Ragged) -> list[bytes]:
    ends = np.cumsum(cell.lengths)
    return [cell.data[start:end].tobytes() for start, end in zip(ends - cell.lengths, ends, strict=True)]


@given(values)
def test_rows_are_taken_apart_and_put_together(rows: list[tuple[bytes | None, int, bytes | None]]) -> None:
    block = value_block(*((first, struct.pack(">i", number), last) for first, number, last in rows))
    (first, no_first), (number, never), (last, no_last) = columns(
        block, [Field(None), Field(np.dtype(">i4")), Field(None)]
    )
    assert isinstance(first, Ragged)
    assert isinstance(last, Ragged)
    assert first.data.tobytes() == b"".join(row[0] or b"" for row in rows)
    assert np.asarray(number).tolist() == [row[1] for row in rows]
    assert never is None
    for cell in (first, last):
        cut = [value[:5].ljust(5, b" ") for value in each(cell)]
        assert padded(cell, 5, 0x20).tobytes() == b"".join(cut)
    for null, place in ((no_first, 0), (no_last, 2)):
        assert null is not None
        assert null.tolist() == [row[place] is None for row in rows]
    assert together([first, number, last]) == b"".join(
        (first or b"") + struct.pack(">i", number) + (last or b"") for first, number, last in rows
    )


@given(st.lists(st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5)), min_size=1, max_size=30))
def test_rows_that_are_shorter_for_a_null_are_read_beside_those_that_are_not(
    rows: list[tuple[int | None, int]],
) -> None:
    block = value_block(*((None if n is None else struct.pack(">q", n), struct.pack(">h", m)) for n, m in rows))
    (long, null), (number, _) = columns(block, [Field(np.dtype(">i8"), nullable=True), Field(np.dtype(">i2"))])
    assert np.asarray(long).tolist() == [n or 0 for n, _ in rows]
    assert np.asarray(number).tolist() == [m for _, m in rows]
    assert ([False] * len(rows) if null is None else null.tolist()) == [n is None for n, _ in rows]


@pytest.mark.parametrize(("datatype", "code", "bits"), [("short", ">i", 16), ("int", ">q", 32)])
def test_every_number_of_a_type_is_a_value_and_one_beyond_it_is_null(datatype: Datatype, code: str, bits: int) -> None:
    numbers = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    layout = Layout((Column("n", datatype),))
    part = layout.part(value_block(*([struct.pack(code, number)] for number in [*numbers, 2**bits])))
    assert np.asarray(part.cells[0]).tolist() == [*numbers, 0]
    assert part.nulls[0] is not None
    assert part.nulls[0].tolist() == [False] * len(numbers) + [True]
    assert layout.part(value_block(*([struct.pack(code, number)] for number in numbers))).nulls == [None]


def test_an_array_that_is_null_is_none_also_for_those_who_read_its_elements() -> None:
    point = Layout((Column("p", "double", "2"), Column("n", "long")))
    block = value_block([struct.pack(">2d", 1, 2), struct.pack(">q", 5)], [None, struct.pack(">q", 6)])
    part = point.part(block)
    np.testing.assert_equal(part.cells[0], [[1, 2], [np.nan, np.nan]])
    assert np.asarray(part.cells[1]).tolist() == [5, 6]
    assert part.bits().tolist() == [[0], [0x80]]


def test_which_columns_are_null_is_a_bit_each_of_any_number_of_columns() -> None:
    many = tuple(Column(f"c{number}", "double" if 64 <= number < 128 else "int") for number in range(130))
    missing = {0, 9, 129}
    fields = [
        struct.pack(">d", 0) if column.datatype == "double" else struct.pack(">q", (number in missing) << 32)
        for number, column in enumerate(many)
    ]
    present = [struct.pack(">d", 0) if column.datatype == "double" else struct.pack(">q", -1) for column in many]
    part = Layout(many).part(value_block(fields, present))
    assert part.bits().tolist() == [[0x80, 0x40, *([0] * 14), 0x40], [0] * 17]


def test_gzip_is_the_same_document() -> None:
    packed = negotiate("csv_gzip")
    assert packed.encoding == "gzip"
    assert packed.media_type == "text/csv;header=present"
    assert gzip.decompress(document(packed, NUMBERS, NOTHING)) == b"n,x\r\n"


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
        ("votable/b2", f"{MEDIA_TYPE};serialization=BINARY2", "vot"),
        ("votable/b", f"{MEDIA_TYPE};serialization=BINARY", "vot"),
        ("votable/binary", f"{MEDIA_TYPE};serialization=BINARY", "vot"),
        ("application/x-votable+xml;serialization=BINARY", f"{MEDIA_TYPE};serialization=BINARY", "vot"),
        ("text/xml;serialization=TABLEDATA", "text/xml;serialization=TABLEDATA", "vot"),
        ("votable_gzip", MEDIA_TYPE, "vot"),
        ("fits", "application/fits", "fits"),
        ("image/fits", "image/fits", "fits"),
        ("parquet", "application/vnd.apache.parquet", "parquet"),
        ("arrow", "application/vnd.apache.arrow.stream", "arrows"),
        ("json", "application/json", "json"),
        ("ecsv", "application/x-ecsv", "ecsv"),
        ("text/plain", "text/plain;charset=utf-8", "txt"),
        ("text/html", "text/html;charset=utf-8", "html"),
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
        "xlsx",
        "xlsx_gzip",
        "text/csv;header=absent",
        "application/x-votable+xml;serialization=BINARY3",
        "a;b;c",
        ";",
        "xml\x00",
    ],
)
def test_unknown_format_names_those_there_are(wanted: str) -> None:
    with pytest.raises(UnsupportedFormat, match="votable, votable/b2, votable/b, votable/td, csv, tsv, fits"):
        negotiate(wanted)
