"""VOTables of every kind, written by hand and by astropy, as typed columns and rows."""

from __future__ import annotations

import base64
import encodings
import encodings.aliases
import gzip
import io
import pkgutil
import re
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from astropy.io import votable as astropy_votable
from astropy.table import MaskedColumn, Table

from almagest.adql.catalogue import Column
from almagest.formats.decode import Bounds, Decoded, DecodingError, TooMuchError, votable
from support.types_grammar import pythonic

BOUNDS = Bounds(bytes=50_000_000, rows=100_000, columns=200, cell=1_000_000, row=4_000_000)


def document(inside: str, version: str = "1.4") -> bytes:
    space = "" if version in ("1.0", "1.1") else f' xmlns="http://www.ivoa.net/xml/VOTable/v{version}"'
    return f'<VOTABLE version="{version}"{space}><RESOURCE>{inside}</RESOURCE></VOTABLE>'.encode()


def tabledata(fields: str, *rows: tuple[str, ...]) -> bytes:
    lines = "\n".join("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>" for row in rows)
    return document(f"<TABLE>{fields}<DATA><TABLEDATA>\n{lines}\n</TABLEDATA></DATA></TABLE>")


def stream(fields: str, rows: bytes, kind: str = "BINARY", attributes: str = 'encoding="base64"') -> bytes:
    text = base64.encodebytes(rows).decode()
    return document(f"<TABLE>{fields}<DATA><{kind}><STREAM {attributes}>{text}</STREAM></{kind}></DATA></TABLE>")


def decode(data: bytes, bounds: Bounds = BOUNDS) -> Decoded:
    return votable.decode(io.BytesIO(data), bounds)


def rows(data: bytes, bounds: Bounds = BOUNDS) -> list[tuple[Any, ...]]:
    """Every row as Python values, None for null."""
    blocks = list(decode(data, bounds).blocks)
    return [row for block in blocks for row in zip(*(pythonic(column) for column in block.columns), strict=True)]


SCALARS = """
  <FIELD name="flag" datatype="boolean"/><FIELD name="byte" datatype="unsignedByte"/>
  <FIELD name="small" datatype="short"/><FIELD name="whole" datatype="int"><VALUES null="-1"/></FIELD>
  <FIELD name="large" datatype="long"/><FIELD name="single" datatype="float"/>
  <FIELD name="real" datatype="double" unit="deg" ucd="pos.eq.ra;meta.main" utype="stc:ra">
    <DESCRIPTION>Right
      ascension</DESCRIPTION></FIELD>
  <FIELD name="word" datatype="char" arraysize="*"/><FIELD name="wide" datatype="unicodeChar" arraysize="8"/>
  <FIELD name="time" datatype="char" arraysize="*" xtype="timestamp"/>
"""
SECOND = 1_000_000


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"])
def test_every_version_reads_alike(version: str) -> None:
    field = '<FIELD name="n" datatype="int"/>'
    inside = f"<TABLE>{field}<DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>"
    assert rows(document(inside, version)) == [(1,)]


def test_prefixed_elements_are_read_as_those_without() -> None:
    data = tabledata('<FIELD name="n" datatype="int"/>', ("1",), ("2",)).decode()
    prefixed = data.replace("</", "\0").replace("<", "<v:").replace("\0", "</v:").replace("xmlns=", "xmlns:v=")
    assert rows(prefixed.encode()) == [(1,), (2,)]


def test_all_scalar_types_are_read_from_tabledata() -> None:
    full = (
        "T",
        "255",
        "-7",
        "0x10",
        "9007199254740993",
        "1.5",
        " 1e-3 ",
        "a &lt; b",
        "\u03b1 Cen",
        "2000-01-01T00:00:01Z",
    )
    empty = ("", "", "", "-1", "", "NaN", "", "", "", "")
    expected = (True, 255, -7, 16, 9007199254740993, 1.5, 0.001, "a < b", "\u03b1 Cen", SECOND)
    assert rows(tabledata(SCALARS, full, empty)) == [expected, (None,) * 10]


def test_columns_keep_what_the_file_says_of_them() -> None:
    columns = {column.name: column for column in decode(tabledata(SCALARS)).columns}
    assert columns["real"] == Column(
        "real", "double", None, None, "deg", "pos.eq.ra;meta.main", "stc:ra", "Right ascension"
    )
    assert (columns["byte"].datatype, columns["wide"].arraysize) == ("short", "*")
    assert (columns["time"].datatype, columns["time"].xtype) == ("char", "timestamp")


def test_all_scalar_types_are_read_from_binary() -> None:
    def row(*numbers: Any, word: bytes, wide: bytes, time: bytes) -> bytes:
        return (
            b"".join((struct.pack(">cBhiqfd", *numbers), struct.pack(">I", len(word)), word, wide.ljust(16, b"\0")))
            + struct.pack(">I", len(time))
            + time
        )

    full = row(
        b"T", 255, -7, 16, 2**60, 1.5, 0.001, word=b"abc", wide="\u03b1 Cen".encode("utf-16-be"), time=b"2000-01-01"
    )
    empty = row(b"?", 0, 0, -1, 0, float("nan"), float("nan"), word=b"", wide=b"", time=b"")
    expected = [(True, 255, -7, 16, 2**60, 1.5, 0.001, "abc", "\u03b1 Cen", 0), (None, 0, 0, None, 0, *(None,) * 5)]
    assert rows(stream(SCALARS, full + empty)) == expected
    zipped = gzip.compress(full + empty)
    assert rows(stream(SCALARS, zipped, attributes='encoding="gzip"')) == expected


@pytest.mark.parametrize(
    ("null", "cells", "missing"),
    [
        ("-099", ("-99", "-099", "99"), (True, True, False)),
        ("-99.0", ("-99", "1", "-9"), (True, False, False)),
        (" +7 ", ("7", "07", "-7"), (True, True, False)),
        ("0x1F", ("31", "0x1f", "1"), (True, True, False)),
        ("N/A", ("N/A", "1", "2"), (True, False, False)),
        ("99999999999999999999", ("1", "2", "3"), (False, False, False)),
    ],
)
def test_null_is_a_number_however_it_is_written(null: str, cells: tuple[str, ...], missing: tuple[bool, ...]) -> None:
    field = f'<FIELD name="n" datatype="int"><VALUES null="{null}"/></FIELD>'
    found = rows(tabledata(field, *((cell,) for cell in cells)))
    assert [row[0] is None for row in found] == list(missing)
    binary = stream(
        field, struct.pack(">3i", *(0 if cell == "N/A" else int(cell, 0 if "x" in cell else 10) for cell in cells))
    )
    assert [row[0] is None for row in rows(binary)] == [
        gone and cell != "N/A" for gone, cell in zip(missing, cells, strict=True)
    ]


@pytest.mark.parametrize("arraysize", ["", ' arraysize="4"', ' arraysize="*"'])
def test_booleans_are_read_in_any_capitalisation(arraysize: str) -> None:
    field = f'<FIELD name="f" datatype="boolean"{arraysize}/>'
    words = ["tRUe", "FalsE", "t", "?"]
    found = rows(tabledata(field, *([(" ".join(words),)] if arraysize else [(word,) for word in words])))
    assert (found[0][0] if arraysize else [row[0] for row in found]) == [True, False, True, None]


BITS = """
  <FIELD name="one" datatype="bit"/><FIELD name="ten" datatype="bit" arraysize="10"/>
  <FIELD name="any" datatype="bit" arraysize="*"/><FIELD name="after" datatype="short"/>
"""
TEN = [True, False, True, True, False, False, False, False, True, True]


def test_bits_are_booleans_in_every_serialisation() -> None:
    """Packed from the left, each value filled up to whole bytes (VOTable 1.5 §6)."""
    expected = [(True, TEN, TEN[:3], 7), (False, [not bit for bit in TEN], None, 8), (True, TEN, TEN + TEN[:7], 9)]
    text = [
        ("1", "1011000011", "1 0 1", "7"),
        ("0", "0 1 0 0 1 1 1 1 0 0", "", "8"),
        ("1", "1011 000011", "10110000111011000", "9"),
    ]
    assert rows(tabledata(BITS, *text)) == expected

    def row(one: int, ten: bytes, any_: bytes, count: int, after: int) -> bytes:
        return bytes([one]) + ten + struct.pack(">I", count) + any_ + struct.pack(">h", after)

    packed = [
        row(0x80, b"\xb0\xc0", b"\xa0", 3, 7),
        row(0, b"\x4f\x00", b"", 0, 8),
        row(8, b"\xb0\xc0", b"\xb0\xec\x00", 17, 9),
    ]
    assert rows(stream(BITS, b"".join(packed))) == expected
    masked = b"".join(bytes([0x20 if number == 1 else 0]) + part for number, part in enumerate(packed))
    assert rows(stream(BITS, masked, "BINARY2")) == expected
    fixed_only = "".join(BITS.splitlines(keepends=True)[:2]).replace('<FIELD name="any"', "")
    assert {column.name: (column.datatype, column.arraysize) for column in decode(tabledata(fixed_only)).columns} == {
        "one": ("boolean", None), "ten": ("boolean", "10"),
    }  # fmt: skip


def test_a_bit_takes_a_whole_byte_of_what_a_row_may_have() -> None:
    for fields in (
        '<FIELD name="b" datatype="bit" arraysize="1000001"/>',
        '<FIELD name="b" datatype="bit" arraysize="*"/>',
    ):
        with pytest.raises(TooMuchError, match="1,000,001 bytes"):
            rows(stream(fields, struct.pack(">I", 1_000_001) + bytes(125_001)))
    many = "".join(f'<FIELD name="b{number}" datatype="bit" arraysize="*"/>' for number in range(5))
    with pytest.raises(TooMuchError, match="row 1: a row has more"):
        rows(stream(many, (struct.pack(">I", 900_000) + bytes(112_500)) * 5))


def test_complex_numbers_are_pairs_in_every_serialisation() -> None:
    fields = """
      <FIELD name="z" datatype="floatComplex" unit="V"/><FIELD name="two" datatype="doubleComplex" arraysize="2"/>
      <FIELD name="any" datatype="doubleComplex" arraysize="*"/><FIELD name="after" datatype="short"/>
    """
    expected = [([1.5, -2.0], [1.0, 2.0, 3.0, 4.0], [0.1, 5e-324], 7), (None, [0.0] * 4, None, 8)]
    assert rows(tabledata(fields, ("1.5 -2", "1 2 3 4", "0.1 5e-324", "7"), ("", "0 0 0 0", "", "8"))) == expected
    packed = [
        struct.pack(">2f4dI2dh", 1.5, -2, 1, 2, 3, 4, 1, 0.1, 5e-324, 7), struct.pack(">2f4dIh", 0, 0, 0, 0, 0, 0, 0, 8)
    ]  # fmt: skip
    assert rows(stream(fields, b"\0" + packed[0] + b"\xa0" + packed[1], "BINARY2")) == expected
    assert rows(stream(fields, b"".join(packed))) == [expected[0], ([0.0, 0.0], *expected[1][1:])]
    columns = {
        column.name: (column.datatype, column.arraysize, column.xtype, column.unit)
        for column in decode(tabledata(fields)).columns
    }
    assert columns == {
        "z": ("float", "2", "complex", "V"), "two": ("double", "2x2", "complex", None),
        "any": ("double", "2x*", "complex", None), "after": ("short", None, None, None),
    }  # fmt: skip


@pytest.mark.parametrize("serialization", ["tabledata", "binary", "binary2"])
def test_booleans_and_complex_numbers_of_astropy_are_read(serialization: str) -> None:
    """astropy writes every boolean as a bit."""
    table = Table(
        {
            "flag": [True, False, True],
            "flags": np.array([TEN, TEN[::-1], TEN]),
            "wave": np.array([1 + 2j, -0.5j, complex("nan")], dtype="c8"),
            "waves": np.array([[1 + 2j, 3], [4, 5j], [0, 0]]),
        }
    )
    written = io.BytesIO()
    astropy_votable.from_table(table).to_xml(written, tabledata_format=serialization)
    found = rows(written.getvalue())
    assert [row[:2] for row in found] == [(True, TEN), (False, TEN[::-1]), (True, TEN)]
    assert [row[2] for row in found][:2] == [[1.0, 2.0], [0.0, -0.5]]
    assert [row[3] for row in found] == [[1, 2, 3, 0], [4, 0, 0, 5], [0, 0, 0, 0]]


def test_binary2_tells_an_empty_text_or_array_from_none() -> None:
    fields = TEXT + '<FIELD name="a" datatype="int" arraysize="*"/>'
    empty = bytes(8)
    assert rows(stream(fields, b"\x00" + empty + b"\xc0" + empty, "BINARY2")) == [("", []), (None, None)]
    assert rows(stream(fields, empty)) == [(None, None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1"])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE VOTABLE SYSTEM "http://us-vo.org/xml/VOTable.dtd">',
        '<!DOCTYPE VOTABLE PUBLIC "-//IVOA//DTD VOTable//EN" "file:///etc/passwd" >',
        "<!DOCTYPE\n  VOTABLE>",
    ],
)
def test_a_doctype_that_declares_nothing_itself_changes_nothing(encoding: str, doctype: str) -> None:
    text = tabledata(TEXT, ("\u00e9 &lt;",)).decode()
    name = "utf-16" if encoding == "utf-16-le" else encoding
    data = f'<?xml version="1.0" encoding="{name}"?><!-- <!DOCTYPE x> -->\n{doctype}\n{text}'.encode(encoding)
    assert rows(data) == [("\u00e9 <",)]


def test_every_encoding_is_read_rightly_or_refused() -> None:
    names = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    names |= {*encodings.aliases.aliases, "UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII", "klingon", "UTF-7"}
    text = tabledata(TEXT, ("\u00e9\u0434",)).decode()
    read = set()
    for name in sorted(names):
        if not name[0].isalpha():
            continue  # XML allows no such name of an encoding
        try:
            data = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode(name, "xmlcharrefreplace")
        except (LookupError, UnicodeError):
            data = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode("ascii", "xmlcharrefreplace")
        try:
            found = rows(data)
        except DecodingError as error:
            said = str(error)
        else:
            said = "read" if found == [("\u00e9\u0434",)] else f"read as {found}"
            read.add(name)
        assert re.search("encoding|well-formed|^read$", said), (name, said)
    assert {"UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII", "iso8859_15", "cp1252", "koi8_r"} <= read
    assert not read & {"utf_7", "UTF-7", "hz", "gbk", "idna", "unicode_escape", "base64_codec", "klingon"}


def test_binary2_flags_are_null_whatever_the_value() -> None:
    fields = "".join(f'<FIELD name="c{number}" datatype="short"/>' for number in range(9))
    data = b"\x80\x80" + struct.pack(">9h", *range(9)) + b"\x00\x00" + struct.pack(">9h", *range(9))
    assert rows(stream(fields, data, "BINARY2")) == [(None, 1, 2, 3, 4, 5, 6, 7, None), tuple(range(9))]


ARRAYS = """
  <FIELD name="pair" datatype="int" arraysize="2"><VALUES null="-1"/></FIELD>
  <FIELD name="any" datatype="float" arraysize="*"/>
  <FIELD name="flags" datatype="boolean" arraysize="3*"/>
  <FIELD name="grid" datatype="unsignedByte" arraysize="2x2"/>
  <FIELD name="place" datatype="double" arraysize="2" xtype="point"/>
  <FIELD name="edge" datatype="float" arraysize="*" xtype="polygon"/>
"""


def test_arrays_are_read_from_tabledata() -> None:
    data = tabledata(ARRAYS, ("1 -1", "0.5  NaN", "T ? F", "1 2 3 4", "10 -20", "0 0 1 0 1 1"), ("",) * 6)
    found, missing = rows(data)
    assert np.isnan(found[1][1])
    assert (*found[:1], *found[2:]) == ([1, None], [True, None, False], [1, 2, 3, 4], [10, -20], [0, 0, 1, 0, 1, 1])
    assert missing == (None,) * 6
    described = {column.name: (column.datatype, column.arraysize, column.xtype) for column in decode(data).columns}
    assert described["grid"] == ("short", "2x2", None)
    assert described["place"] == ("double", "2", "point")
    assert described["edge"] == ("double", "*", "polygon")


def test_arrays_are_read_from_binary() -> None:
    def row(any_: list[float], flags: bytes, edge: list[float]) -> bytes:
        head = struct.pack(f">2iI{len(any_)}f", 1, 2, len(any_), *any_)
        return (
            head
            + struct.pack(">I", len(flags))
            + flags
            + bytes([1, 2, 3, 4])
            + struct.pack(f">2dI{len(edge)}f", 10, -20, len(edge), *edge)
        )

    data = row([0.5, 2.0], b"TF", [1.0] * 6) + row([], b"", []) + row([1.5], b"F", [2.0])
    assert rows(stream(ARRAYS, data)) == [
        ([1, 2], [0.5, 2.0], [True, False], [1, 2, 3, 4], [10, -20], [1.0] * 6),
        ([1, 2], None, None, [1, 2, 3, 4], [10, -20], None),
        ([1, 2], [1.5], [False], [1, 2, 3, 4], [10, -20], [2.0]),
    ]


@pytest.mark.parametrize("serialization", ["tabledata", "binary", "binary2"])
def test_what_astropy_writes_is_read_back(serialization: str) -> None:
    generator = np.random.default_rng(1)
    size = 60_000 if serialization != "tabledata" else 3_000
    table = Table(
        {
            "id": generator.integers(-(2**62), 2**62, size),
            "ra": generator.uniform(0, 360, size),
            "mag": generator.normal(15, 3, size).astype("f4"),
            "name": [f"star {number}" * (number % 3) for number in range(size)],
            "pair": generator.integers(0, 9, (size, 2)).astype("i2"),
        }
    )
    table["n"] = MaskedColumn(np.arange(size, dtype="i4"), mask=np.arange(size) % 2 == 0, fill_value=-9)
    written = io.BytesIO()
    whole = astropy_votable.from_table(table)
    whole.get_first_table().get_field_by_id_or_name("n").values.null = -9
    whole.to_xml(written, tabledata_format=serialization)
    found = rows(written.getvalue())
    assert [row[:3] for row in found] == list(zip(*(table[name].tolist() for name in ("id", "ra", "mag")), strict=True))
    assert [row[3] or "" for row in found] == table["name"].tolist()
    assert [row[4] for row in found] == table["pair"].tolist()
    assert [row[5] for row in found] == table["n"].tolist()


def test_names_stay_as_they_are_unless_a_table_cannot_have_them() -> None:
    names = ("ra", "ra", 'we"ird; DROP', "\u03b1 \u03b4", "", "ctid", "x" * 70, "x" * 80, "RA", "line&#10;break")
    escaped = (name.replace('"', "&quot;") for name in names)
    fields = "".join(f'<FIELD name="{name}" datatype="int"/>' for name in escaped)
    found = [column.name for column in decode(tabledata(fields)).columns]
    assert found[:6] == ["ra", "ra_2", 'we"ird; DROP', "\u03b1 \u03b4", "col_5", "ctid_2"]
    assert found[6:] == ["x" * 63, "x" * 61 + "_2", "RA", "line_break"]


def test_only_the_first_table_is_read() -> None:
    one = '<TABLE><FIELD name="a" datatype="int"/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>'
    other = '<TABLE><FIELD name="b" datatype="int"/><DATA><FITS><STREAM href="file:///x"/></FITS></DATA></TABLE>'
    assert rows(document(one + other)) == [(1,)]


def test_a_table_without_data_has_no_rows() -> None:
    decoded = decode(document('<TABLE><DESCRIPTION>Mine</DESCRIPTION><FIELD name="a" datatype="int"/></TABLE>'))
    assert (decoded.description, list(decoded.blocks)) == ("Mine", [])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("1", "x"), "row 2, column 'n': 'x' is no short"),
        (("1", "40000"), "row 2, column 'n': 40000 is no short, which goes from -32768 to 32767"),
        (("1", "1_000"), "row 2, column 'n': '1_000' is no short"),
        (("1", "9" * 30), "row 2, column 'n'"),
        (("1", "\u0663"), "row 2, column 'n'"),
    ],
)
def test_a_wrong_number_is_told_with_its_place(cells: tuple[str, ...], message: str) -> None:
    with pytest.raises(DecodingError) as caught:
        rows(tabledata('<FIELD name="n" datatype="short"/>', *((cell,) for cell in cells)))
    assert message in str(caught.value)


@pytest.mark.parametrize("time", ["now", "NaT", "2000-13-01", "yesterday", "2000-01-01T25:00:00", "1e5"])
def test_a_wrong_time_is_told_with_its_place(time: str) -> None:
    field = '<FIELD name="t" datatype="char" arraysize="*" xtype="timestamp"/>'
    with pytest.raises(DecodingError, match="row 1, column 't'"):
        rows(tabledata(field, (time,)))


INT = '<FIELD name="n" datatype="int"/>'
TEXT = '<FIELD name="t" datatype="char" arraysize="*"/>'
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    f"<VOTABLE><RESOURCE><TABLE>{INT}<DATA><TABLEDATA><TR><TD>&b;&c;</TD></TR></TABLEDATA></DATA></TABLE>"
    "</RESOURCE></VOTABLE>"
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (stream(INT, b"", attributes='href="file:///etc/passwd"'), "elsewhere"),
        (stream(INT, b"", "BINARY2", 'href="http://169.254.169.254/latest" encoding="gzip"'), "elsewhere"),
        (document(f'<TABLE>{INT}<DATA><FITS><STREAM href="file:///x"/></FITS></DATA></TABLE>'), "FITS"),
        (document(f'<TABLE>{INT}<DATA><PARQUET type="VOTable-remote-file"/></DATA></TABLE>'), "PARQUET"),
        (LAUGHS.encode(), "DOCTYPE"),
        (b'<!DOCTYPE VOTABLE SYSTEM "x" []>' + document(""), "DOCTYPE declares"),
        (b"<!-- " + b"x" * 70_000 + b' --><!DOCTYPE VOTABLE SYSTEM "x">' + document(""), "first 65,536 bytes"),
        (b"<!DOCTYPE a><!DOCTYPE b>" + document(""), "not the only one"),
        (b'<!DOCTYPE VOTABLE SYSTEM "x">' + tabledata(TEXT, ("a&nbsp;b",)), "undefined entity"),
        (b'<!DOCTYPE VOTABLE SYSTEM "x">' + tabledata('<FIELD name="a&nbsp;b" datatype="int"/>'), "undefined entity"),
        (document(f'<TABLE nrows="900000000000">{INT}<DATA><TABLEDATA><TR/></TABLEDATA></DATA></TABLE>'), "0 cells"),
        (document("<TABLE><DATA><TABLEDATA/></DATA></TABLE>"), "no FIELD"),
        (document(""), "no TABLE"),
        (b"", "not well-formed"),
        (b"not xml", "not well-formed"),
        (document("<TABLE>")[:40], "not well-formed"),
        (tabledata(INT, ("1",))[:-60], "not well-formed"),
        (tabledata(INT, ("1", "2")), "2 cells"),
        (tabledata(INT, ("<TD>1</TD>",)), "does not belong"),
        (tabledata('<FIELD name="b" datatype="quad"/>'), "'quad'"),
        (tabledata('<FIELD name="b" datatype="bit"/>', ("2",)), "row 1, column 'b': '2' is no bit; 0 and 1 are"),
        (tabledata('<FIELD name="b" datatype="bit" arraysize="3"/>', ("01",)), "has 2 elements where arraysize says 3"),
        (tabledata('<FIELD name="z" datatype="floatComplex"/>', ("1 2 3",)), "has 1.5 elements where arraysize says 1"),
        (tabledata('<FIELD name="z" datatype="doubleComplex" arraysize="*"/>', ("1",)), "each has two parts"),
        (tabledata('<FIELD name="b"/>'), "datatype ''"),
        (tabledata('<FIELD name="b" datatype="int" arraysize="-5"/>'), "arraysize"),
        (tabledata('<FIELD name="b" datatype="int" arraysize="0"/>'), "without elements"),
        (stream(INT, b"\0" * 5), "middle of this row"),
        (stream(INT, b"\0" * 4).replace(b"AAAAAA==", b"AAAAAA="), "ends too early"),
        (stream(INT, b"\0" * 4).replace(b"AAAAAA==", b"AAAA*A=="), "not base64"),
        (stream(INT, gzip.compress(b"\0" * 4000)[:-20], attributes='encoding="gzip"'), "end too early"),
        (stream(INT, b"\0" * 40, attributes='encoding="gzip"'), "damaged"),
        (stream(INT, b"", attributes='encoding="dynamic"'), "'dynamic'"),
        (b'<?xml version="1.0" encoding="klingon"?><VOTABLE/>', "well-formed|encoding"),
        (document(f"<TABLE>{INT}<DATA><TABLEDATA/><TABLEDATA/></DATA></TABLE>"), "twice"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        rows(data)


@pytest.mark.parametrize(
    "data",
    [
        tabledata('<FIELD name="b" datatype="double" arraysize="9000000000"/>'),
        tabledata('<FIELD name="b" datatype="double" arraysize="900000000x900000000"/>'),
        stream('<FIELD name="b" datatype="double" arraysize="*"/>', b"\xff\xff\xff\xff"),
        tabledata(INT * 201),
        document("<RESOURCE>" * 1000),
        tabledata('<FIELD name="b" datatype="char" arraysize="*"/>', ("x" * 1_200_000,)),
        document(f'<TABLE><FIELD name="{"x" * 2_000_000}" datatype="int"/></TABLE>'),
        tabledata(INT, *[("1",)] * 100_001),
        stream(INT, bytes(4 * 100_001)),
    ],
)
def test_what_is_too_much_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(TooMuchError):
        rows(data)


def test_a_gzip_bomb_stays_small_in_memory() -> None:
    """120 MB of zeros in 120 kB: nothing near the whole is ever held."""
    bomb = gzip.compress(bytes(30_000_000)) * 4
    data = stream('<FIELD name="b" datatype="char" arraysize="100000"/>', bomb, attributes='encoding="gzip"')
    tracemalloc.start()
    with pytest.raises(TooMuchError, match="50,000,000 bytes"):
        for _ in decode(data).blocks:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000
