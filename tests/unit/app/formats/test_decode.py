"""Files of every format that is not VOTable, as typed columns and rows; and which format a file is."""

from __future__ import annotations

import contextlib
import gzip
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from almagest.formats.decode import Bounds, Decoded, DecodingError, TooMuchError, decode
from support.types_grammar import pythonic

BOUNDS = Bounds(bytes=20_000_000, rows=100_000, columns=200, cell=1_000_000, row=4_000_000)
CSV = b"id,name,mag\n1,one,1.5\n2,two,\n"


def read(data: bytes, media_type: str = "", bounds: Bounds = BOUNDS) -> Decoded:
    return decode(io.BytesIO(data), media_type, bounds)


def rows(data: bytes, media_type: str = "", bounds: Bounds = BOUNDS) -> list[tuple[Any, ...]]:
    blocks = list(read(data, media_type, bounds).blocks)
    return [row for block in blocks for row in zip(*(pythonic(column) for column in block.columns), strict=True)]


def types(data: bytes) -> dict[str, tuple[str, str | None, str | None]]:
    return {column.name: (column.datatype, column.arraysize, column.xtype) for column in read(data).columns}


def fits_file(table: Table) -> bytes:
    written = io.BytesIO()
    table.write(written, format="fits")
    return written.getvalue()


def parquet_file(table: pa.Table, **options: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, **options)
    return written.getvalue()


SMALL = Table({"id": np.array([1, 2], dtype="i4"), "name": ["one", "two"]})
VOTABLE = (
    b'<?xml version="1.0"?>\n<VOTABLE><RESOURCE><TABLE><FIELD name="id" datatype="int"/>'
    b'<FIELD name="name" datatype="char" arraysize="*"/><DATA><TABLEDATA><TR><TD>1</TD><TD>one</TD></TR>'
    b"<TR><TD>2</TD><TD>two</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
)


@pytest.mark.parametrize("media_type", ["", "None", "application/octet-stream", "text/plain", "multipart/x; y"])
@pytest.mark.parametrize(
    "data",
    [
        VOTABLE,
        fits_file(SMALL),
        parquet_file(pa.table({"id": pa.array([1, 2], pa.int32()), "name": ["one", "two"]})),
        b"id,name\n1,one\n2,two\n",
        b"\xef\xbb\xbfid\tname\r\n1\tone\r\n2\ttwo",
        gzip.compress(VOTABLE),
        gzip.compress(b"# mine\nid;name\n1;one\n2;two\n"),
        gzip.compress(fits_file(SMALL)),
    ],
)
def test_a_file_is_what_its_content_says(data: bytes, media_type: str) -> None:
    assert rows(data, media_type) == [(1, "one"), (2, "two")]


def test_csv_columns_get_the_narrowest_type_that_holds_all_values() -> None:
    data = (
        b"flag,small,large,real,time,code,long_code,text,none\n"
        b"true,1,3000000000,1,2020-01-01T00:00:00Z,007,12345678901234567890,a,\n"
        b"FALSE,-2,1,1e-3,2000-01-01,12,2,NaN,\n"
        b"NaN,NaN,,inf,,,,,\n"
    )
    text = ("char", "*", None)
    assert types(data) == {
        "flag": ("boolean", None, None),
        "small": ("int", None, None),
        "large": ("long", None, None),
        "real": ("double", None, None),
        "time": ("char", "*", "timestamp"),
        "code": text,
        "long_code": text,
        "text": text,
        "none": text,
    }
    assert rows(data)[1:] == [
        (False, -2, 1, 0.001, 0, "12", "2", "NaN", None),
        (None, None, None, float("inf"), None, None, None, None, None),
    ]


def test_csv_quotes_follow_rfc_4180() -> None:
    assert rows(b'a,b\r\n"x, ""y""\r\nz",1\r\n') == [('x, "y"\r\nz', 1)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n3\n", "row 2: has 1 fields"),
        (b"a,b\n" + b"1,2\n" * 200 + b"1,\0\n", "NUL"),
        (b"a,b\n1,\0\n", "none of"),
        (b"a,b\n1,\xff\xfe\n", "UTF-8"),
        (b'a,b\n"1,2\n', "row 1: is not readable as CSV: a quote opens here"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "row 2: is not readable as CSV: a quote opens here"),
        (b'a\n1\n"2', "row 2: is not readable as CSV: a quote opens here"),
        (b'"a\n1\n2', "no header|not readable"),
        (b"\n\n", "no header"),
        (b"", "empty"),
        (b"\x00\x01\x02\x03", "none of"),
        (b'a,b\n1,"' + b"x" * 1_200_000 + b'"\n', "column 'b': a value claims 1,200,000 bytes"),
        (b'a,b\n1,"' + b"x,\n" * 3_000_000 + b'"\n', "a row has more than"),
        (b"a,b\n" + b"1,2\n" * 110_000, "100,000 rows"),
        (b"a\n" + b"\n" * 110_000, "100,000 rows"),
        (b"a," * 300 + b"b\n", "200 columns"),
        (b"a," * 600_000 + b"b\n", "header is longer"),
    ],
)
def test_what_is_no_csv_is_refused_in_words(data: bytes, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        rows(data)


def test_fits_tables_are_read_as_astropy_reads_them() -> None:
    size = 70_000
    generator = np.random.default_rng(1)
    columns = [
        fits.Column("id", "K", array=generator.integers(-(2**62), 2**62, size)),
        fits.Column("ra", "D", array=generator.uniform(0, 360, size), unit="deg"),
        fits.Column("flag", "L", array=generator.integers(0, 2, size).astype(bool)),
        fits.Column("u", "J", array=generator.integers(0, 2**32, size, dtype="u4"), bzero=2**31),
        fits.Column("name", "8A", array=np.char.mod("s%d ", np.arange(size))),
        fits.Column("pair", "2I", array=generator.integers(-9, 9, (size, 2)).astype("i2")),
        fits.Column("n", "I", array=np.arange(size, dtype="i2") % 5, null=3),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(np.zeros((7, 9))), table]).writeto(written)
    found = rows(written.getvalue())
    expected = table.data
    for index, name in enumerate(("id", "ra", "flag", "u")):
        assert [row[index] for row in found] == expected[name].tolist()
    assert [row[4] for row in found] == [f"s{number}" for number in range(size)]
    assert [row[5] for row in found] == expected["pair"].tolist()
    assert [row[6] for row in found[:5]] == [0, 1, 2, None, 4]
    assert types(written.getvalue())["u"] == ("long", None, None)
    assert read(written.getvalue()).columns[1].unit == "deg"


def patched(data: bytes, card: str, value: str) -> bytes:
    start = data.index(f"{card:8}=".encode())
    return data[:start] + f"{card:8}= {value:>20}".encode().ljust(80) + data[start + 80 :]


FITS = fits_file(SMALL)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (patched(FITS, "NAXIS2", "99999"), DecodingError),
        (patched(FITS, "NAXIS2", "900000000000"), TooMuchError),
        (patched(FITS, "NAXIS1", "900000000000"), DecodingError),
        (patched(FITS, "NAXIS2", "-1"), DecodingError),
        (patched(FITS, "TFIELDS", "1000000"), TooMuchError),
        (patched(FITS, "TFORM1", "'900000000D'"), TooMuchError),
        (patched(FITS, "TFORM1", "'1PD(9)'"), DecodingError),
        (patched(FITS, "TFORM1", "'0J'"), DecodingError),
        (FITS[:4000], DecodingError),
        (FITS[:2880], DecodingError),
        (b"SIMPLE  =                    T".ljust(80) * 36 * 1100, TooMuchError),
        (b"SIMPLE  =                    T" + b"\0" * 10_000, DecodingError),
    ],
)
def test_a_fits_header_that_lies_is_refused(data: bytes, error: type[DecodingError]) -> None:
    with pytest.raises(error):
        rows(data)


def test_no_control_character_comes_in_with_what_a_file_says_of_a_column() -> None:
    cards = [("TUNIT1", "d?eg"), ("TUCD1", "pos?.eq"), ("TUTYP1", "u?t"), ("TCOMM1", "one?two")]
    fits_table = fits.BinTableHDU(np.array([(1,)], dtype=[("a?b", "i4")]))
    fits_table.header.update(cards)
    written = io.BytesIO()
    fits_table.writeto(written)
    notes = {"unit": "d\0eg", "ucd": "pos\0.eq", "utype": "u\x1bt", "description": "one\ntwo"}
    arrow_table = pa.table([[1]], pa.schema([pa.field("a\0b", pa.int32(), metadata=notes)]))
    for data in (written.getvalue().replace(b"?", b"\0"), parquet_file(arrow_table)):
        (column,) = read(data).columns
        told = (column.name, column.unit, column.ucd, column.utype, column.description)
        assert told == ("a_b", "d eg", "pos .eq", "u t", "one two")


def test_parquet_types_and_metadata_are_kept() -> None:
    notes = {b"unit": b"deg", b"ucd": b"pos.eq.ra", b"description": b"Right ascension"}
    table = pa.table(
        [
            pa.array([1.5, None]),
            pa.array(["a", None], pa.dictionary(pa.int8(), pa.string())),
            pa.array([0, 1], pa.timestamp("s")),
            pa.array([[1, None], []], pa.list_(pa.int16())),
            pa.array([True, None]),
        ],
        pa.schema(
            [
                pa.field("ra", pa.float64(), metadata=notes),
                pa.field("name", pa.dictionary(pa.int8(), pa.string())),
                pa.field("time", pa.timestamp("s")),
                pa.field("list", pa.list_(pa.int16())),
                pa.field("flag", pa.bool_()),
            ]
        ),
    )
    data = parquet_file(table)
    epoch = -946_684_800_000_000
    assert rows(data) == [(1.5, "a", epoch, [1, None], True), (None, None, epoch + 1_000_000, None, None)]
    column = read(data).columns[0]
    assert (column.unit, column.ucd, column.description) == ("deg", "pos.eq.ra", "Right ascension")


PLAIN = {"use_dictionary": False}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (parquet_file(pa.table({"x": np.zeros(200_000)})), TooMuchError),
        (parquet_file(pa.table({f"c{number}": [1] for number in range(201)})), TooMuchError),
        (parquet_file(pa.table({"x": ["0" * 900_000] * 30}), compression="zstd", use_dictionary=False), TooMuchError),
        (parquet_file(pa.table({"x": ["0" * 900_000] * 30})), TooMuchError),
        (parquet_file(pa.table({"x": pa.array(["0" * 900_000] * 30, pa.large_string())})), TooMuchError),
        (parquet_file(pa.table({"x": ["0" * 21_000_000]}), compression="zstd"), TooMuchError),
        (parquet_file(pa.table({"x": [[1] * 6_000_000]})), TooMuchError),
        (parquet_file(pa.table({"x": ["0" * 9]}), column_encoding="DELTA_BYTE_ARRAY", **PLAIN), DecodingError),
        (parquet_file(pa.table({"x": [{"a": 1}]})), DecodingError),
        (parquet_file(pa.table({"x": ["a\0b"]})), DecodingError),
        (parquet_file(pa.table({"name": [1]}), store_schema=False).replace(b"name", b"na\xffe"), DecodingError),
        (b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1", TooMuchError),
        (b"PAR1" + b"\xff" * 100 + b"\x10\0\0\0PAR1", DecodingError),
        (b"PAR1", DecodingError),
        (gzip.compress(parquet_file(pa.table({"x": [1]}))), DecodingError),
    ],
)
def test_what_is_no_sensible_parquet_is_refused(data: bytes, error: type[DecodingError]) -> None:
    with pytest.raises(error):
        rows(data)


@pytest.mark.parametrize("position", range(0, 400, 7))
def test_a_damaged_parquet_file_is_read_or_refused(position: int) -> None:
    data = bytearray(parquet_file(pa.table({"x": [1, 2, 3], "y": ["a", "b", "c"]})))
    data[position % len(data)] ^= 0x55
    with contextlib.suppress(DecodingError):
        rows(bytes(data))


@pytest.mark.parametrize("tail", [b"a,b,c\n" + b"1,2,3\n" * 200_000, b"<VOTABLE>" + b" " * 21_000_000])
def test_a_compressed_bomb_ends_at_the_bound(tail: bytes) -> None:
    with pytest.raises(TooMuchError):
        rows(gzip.compress(tail, 1))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_every_page_of_an_honest_parquet_file_is_read(version: str, compression: str) -> None:
    words = ["a", "bb", None, "a"] * 10_000
    table = pa.table({"n": list(range(40_000)), "word": words})
    data = parquet_file(table, data_page_version=version, compression=compression, row_group_size=15_000)
    assert rows(data) == list(zip(range(40_000), words, strict=True))
