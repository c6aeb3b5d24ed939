"""FITS tables down to the byte: scaled numbers, bits, arrays in the heap, ASCII tables, and headers that lie."""

from __future__ import annotations

import gzip
import io
import itertools
import struct
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest.formats.decode import Bounds, DecodingError, TooMuchError, decode
from almagest.ingest.errors import IngestError
from support.binary_types import BOUNDS, WAYS, Read
from support.types_grammar import rows

LONG = (-(2**63), 2**63 - 1)
STORED = {"B": (">u1", 0, 2**8 - 1), "I": (">i2", -(2**15), 2**15 - 1), "J": (">i4", -(2**31), 2**31 - 1)}
STORED["K"] = (">i8", *LONG)
ZEROS = ("0", "-128", "32768", "2147483648", "9223372036854775808", "1.0E1", "-1.5", "-9223372036854775807")
SCALES = ("1", "-1", "2.0D0", "1000", "1.0E20", "0.5")


def fits_file(cards: dict[str, str], data: bytes, *, rows: int, width: int, kind: str = "BINTABLE") -> bytes:
    """A table by hand. cards: as written in the header."""
    mandatory = {
        "XTENSION": f"'{kind}'", "BITPIX": "8", "NAXIS": "2", "NAXIS1": str(width), "NAXIS2": str(rows), "PCOUNT": "0",
        "GCOUNT": "1", "TFIELDS": str(sum(key.startswith("TFORM") for key in cards)),
    }  # fmt: skip
    primary = {"SIMPLE": "T", "BITPIX": "8", "NAXIS": "0"}
    headers = [
        "".join(f"{key:8}= {value:>20}".ljust(80) for key, value in said.items()) + "END".ljust(80)
        for said in (primary, mandatory | cards)
    ]
    parts = [header.encode().ljust(-(-len(header) // 2880) * 2880) for header in headers]
    return b"".join(parts) + data.ljust(-(-len(data) // 2880) * 2880, b" " if kind == "TABLE" else b"\0")


def column(form: str, data: bytes, number: int, **cards: str) -> bytes:
    """A table of one column `x`."""
    said = {"TTYPE1": "'x'", "TFORM1": f"'{form}'", **{f"{key}1": value for key, value in cards.items()}}
    return fits_file(said, data, rows=number, width=len(data) // max(1, number))


def heap(form: str, rows: Sequence[tuple[int, int]], octets: bytes, **cards: str) -> bytes:
    """A table of one column of arrays of variable length. rows: number of elements, and where they are."""
    code = ">2i" if form.lstrip("01")[0] == "P" else ">2q"
    table = b"".join(struct.pack(code, *row) for row in rows)
    said = {"PCOUNT": str(len(octets)), "TTYPE1": "'x'", "TFORM1": f"'{form}'", **cards}
    return fits_file(said, table + octets, rows=len(rows), width=struct.calcsize(code))


def read(data: bytes, bounds: Bounds = BOUNDS) -> list[Any]:
    """The values of a table's first column."""
    decoded = decode(io.BytesIO(data), "", bounds)
    return [row[0] for row in rows(decoded.columns, decoded.blocks)]


def datatype(data: bytes) -> tuple[str, str | None]:
    (found,) = decode(io.BytesIO(data), "", BOUNDS).columns
    return found.datatype, found.arraysize


def exact(written: str) -> Fraction:
    return Fraction(written.replace("D", "E"))


@pytest.mark.parametrize(("scale", "zero"), list(itertools.product(SCALES, ZEROS)))
@pytest.mark.parametrize("letter", STORED)
def test_a_scaled_whole_number_is_exact_or_refused_with_its_row(letter: str, scale: str, zero: str) -> None:
    dtype, low, high = STORED[letter]
    null = low + 5
    stored = [max(0, low), low, high, null, low + 1, high - 1, 1, low // 2, high // 2]
    wanted = [None if number == null else exact(scale) * number + exact(zero) for number in stored]
    data = np.array(stored, dtype).tobytes()
    cards = {"TSCAL": scale, "TZERO": zero, "TNULL": str(null)}
    beyond = [n for n, number in enumerate(wanted) if number is not None and not LONG[0] <= number <= LONG[1]]
    whole = exact(scale).denominator == exact(zero).denominator == 1
    if beyond and abs(exact(scale)) != 1 and letter != "K":
        whole = False  # 1.0E20 × 7 is a measurement
    if whole and beyond:
        with pytest.raises(DecodingError, match=rf"^row {beyond[0] + 1}, column 'x': {wanted[beyond[0]]} is no long"):
            read(column(letter, data, len(stored), **cards))
        kept = [n for n in range(len(stored)) if n not in beyond]
        data, wanted = np.array([stored[n] for n in kept], dtype).tobytes(), [wanted[n] for n in kept]
    found = read(column(letter, data, len(wanted), **cards))
    if whole:
        assert found == wanted
        assert all(value is None or isinstance(value, int) for value in found)
    else:
        assert all(isinstance(value, float) for value in found if value is not None)
        assert [value is None for value in found] == [value is None for value in wanted]
        pairs = zip(found, wanted, strict=True)
        assert all(one == pytest.approx(float(other), rel=1e-15) for one, other in pairs if other is not None)


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("unsigned", ["u2", "u4", "u8"])
def test_unsigned_numbers_of_astropy_are_read_as_they_are(unsigned: str, read: Read, tmp_path: Path) -> None:
    numbers = np.array([1, 2, 1500, 2**15 + 1, 2 ** (8 * int(unsigned[1]) - 1) - 1], unsigned)
    written = io.BytesIO()
    Table({"x": numbers, "pair": np.stack([numbers, numbers], axis=1)}).write(written, format="fits")
    _, found = read(written.getvalue(), "fits", tmp_path)
    assert found == [(int(n), [int(n)] * 2) for n in numbers]


def unsigned_file(form: str, numbers: list[Any]) -> bytes:
    written = io.BytesIO()
    fits.BinTableHDU.from_columns([fits.Column("x", form, array=np.array(numbers, "u8"), bzero=2**63)]).writeto(written)
    return written.getvalue()


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "data",
    [
        unsigned_file("K", [1, 2**63, 3]),
        unsigned_file("2K", [[1, 2], [3, 2**63], [5, 6]]),
        heap("1PK(1)", [(1, 0), (1, 8), (1, 16)], struct.pack(">3q", 1 - 2**63, 0, 0), TZERO1="9223372036854775808"),
    ],
    ids=["one", "pair", "heap"],
)
def test_an_unsigned_number_that_is_no_long_is_named(data: bytes, read: Read, tmp_path: Path) -> None:
    with pytest.raises((DecodingError, IngestError), match=r"row 2, column '?x'?: 9223372036854775808 is no long"):
        read(data, "fits", tmp_path)


@pytest.mark.parametrize("code", ["E", "D"])
def test_scaled_real_numbers_are_doubles(code: str) -> None:
    data = np.array([1.5, np.nan, np.inf], f">f{4 if code == 'E' else 8}").tobytes()
    assert datatype(column(code, data, 3, TSCAL="2", TZERO="10")) == ("double", None)
    assert read(column(code, data, 3, TSCAL="2", TZERO="10")) == [13.0, None, float("inf")]


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"TNULL": "'none'"}, "'none' for TNULL1, which is no whole number"),
        ({"TNULL": "1.5"}, "'1.5' for TNULL1"),
        ({"TSCAL": "0"}, "TSCAL1 0"),
        ({"TSCAL": "'big'"}, "'big' for TSCAL1"),
        ({"TZERO": "1E999999999"}, "TZERO1"),
        ({"TZERO": "NaN"}, "TZERO1"),
    ],
)
def test_scaling_that_means_nothing_is_refused(cards: dict[str, str], said: str) -> None:
    with pytest.raises(DecodingError, match=said):
        read(column("J", bytes(4), 1, **cards))


@pytest.mark.parametrize("null", ["-99", "'-99     '", "-99.", "-9.9E1", "-099"])
def test_tnull_is_a_number_however_it_is_written(null: str) -> None:
    assert read(column("J", struct.pack(">2i", -99, 7), 2, TNULL=null)) == [None, 7]


@pytest.mark.parametrize(("form", "size"), [("1X", None), ("X", None), ("8X", "8"), ("32X", "32"), ("13X", "13")])
def test_bits_are_flags(form: str, size: str | None) -> None:
    number = int(form.rstrip("X") or 1)
    flags = np.random.default_rng(1).integers(0, 2, (50, number)).astype("u1")
    data = column(form, np.packbits(flags, axis=1).tobytes(), 50)
    assert datatype(data) == ("boolean", size)
    wanted = flags.astype(bool).tolist()
    assert read(data) == (wanted if size else [flag for (flag,) in wanted])
    with fits.open(io.BytesIO(data)) as opened:
        assert opened[1].data["x"].reshape(50, -1).tolist() == wanted


@pytest.mark.parametrize("form", [*(f"0{letter}" for letter in "LXBIJKAEDCM"), "0PJ(0)", "0QD"])
def test_a_column_without_elements_is_a_column_of_nulls(form: str) -> None:
    cards = {"TTYPE1": "'none'", "TFORM1": f"'{form}'", "TTYPE2": "'n'", "TFORM2": "'J'"}
    decoded = decode(io.BytesIO(fits_file(cards, struct.pack(">3i", 1, 2, 3), rows=3, width=4)), "", BOUNDS)
    assert rows(decoded.columns, decoded.blocks) == [(None, 1), (None, 2), (None, 3)]
    assert read(fits_file({"TTYPE1": "'none'", "TFORM1": f"'{form}'"}, b"", rows=3, width=0)) == [None] * 3


@pytest.mark.parametrize("pointer", ["P", "Q"])
@pytest.mark.parametrize(
    ("letter", "octets", "values"),
    [
        ("L", b"TF\0T", [True, False, None, True]),
        ("B", bytes([1, 2, 255, 0]), [1, 2, 255, 0]),
        ("I", struct.pack(">4h", 1, -2, 3, -4), [1, -2, 3, -4]),
        ("J", struct.pack(">4i", 1, -2, 3, -4), [1, -2, 3, -4]),
        ("K", struct.pack(">4q", 1, -(2**62), 3, -4), [1, -(2**62), 3, -4]),
        ("E", struct.pack(">4f", 1, -2, 3, 0.5), [1.0, -2.0, 3.0, 0.5]),
        ("D", struct.pack(">4d", 1, -2, 3, 0.1), [1.0, -2.0, 3.0, 0.1]),
    ],
)
def test_arrays_are_found_wherever_their_rows_say(pointer: str, letter: str, octets: bytes, values: list[Any]) -> None:
    width = len(octets) // 4
    pointers = [(4, 0), (1, 3 * width), (0, 10**9), (2, width), (4, 0), (3, width)]
    data = heap(f"1{pointer}{letter}(4)", pointers, octets)
    assert read(data) == [values, values[3:], None, values[1:3], values, values[1:]]


def test_bits_texts_and_complex_numbers_stand_in_the_heap_too() -> None:
    assert read(heap("PX(9)", [(9, 0), (3, 1), (0, 0)], b"\xf0\x80")) == [
        [True] * 4 + [False] * 4 + [True], [True, False, False], None,
    ]  # fmt: skip
    assert read(heap("PA(5)", [(5, 0), (3, 0), (2, 3)], b"one  ")) == ["one", "one", None]
    assert read(heap("PC(1)", [(1, 0), (0, 0)], struct.pack(">2f", 1, 2))) == [[1.0, 2.0], None]


def test_a_heap_behind_a_gap_and_far_apart_is_read() -> None:
    octets = bytes(100_000) + struct.pack(">2i", 1, 2) + bytes(900_000) + struct.pack(">i", 3)
    data = heap("1PJ(2)", [(2, 99_992), (1, 1_000_000)], octets, THEAP="24")
    assert read(data) == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("form", "pointer", "said"),
    [
        ("PJ(3)", (3, 0), "points at 12 bytes from 0 on in the heap, which has 8"),
        ("PJ(3)", (1, 5), "points at"),
        ("PJ(3)", (1, -4), "points at"),
        ("PJ(3)", (-1, 0), "claims"),
        ("QJ(3)", (1, -(2**63)), "points at"),
        ("QJ(3)", (1, 2**63 - 1), "points at"),
        ("QJ(3)", (-(2**63), 0), "claims"),
        ("QJ(3)", (2**63 - 1, 0), "claims"),
        ("QJ(3)", (2**61, 0), "claims"),
        ("PM(3)", (900_000, 0), "claims|points at"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_a_pointer_that_leads_nowhere_is_named(
    form: str, pointer: tuple[int, int], said: str, way: str, tmp_path: Path
) -> None:
    data = heap(form, [(0, 0), (0, 0), pointer], bytes(8))
    with pytest.raises((DecodingError, IngestError), match=said) as caught:
        WAYS[way](data, "fits", tmp_path)
    assert getattr(caught.value, "column", None) == "x"


def test_many_pointers_to_one_array_end_at_the_bound() -> None:
    octets = bytes(100_000)
    data = heap("PB(100000)", [(100_000, 0)] * 1000, octets)
    with pytest.raises(TooMuchError, match="decompresses to"):
        read(data)


def test_a_heap_that_is_not_there_is_named() -> None:
    data = heap("PJ(3)", [(3, 0), (3, 10_000_000)], bytes(12), PCOUNT="20000000")
    with pytest.raises(DecodingError, match=r"row 2, column 'x': the file ends before the values of this row"):
        read(data)


def test_a_compressed_heap_of_many_blocks_is_refused_in_words(tmp_path: Path) -> None:
    data = gzip.compress(heap("PJ(3)", [(1, 0)] * 60_000, bytes(12)))
    for readers in WAYS.values():
        with pytest.raises((DecodingError, IngestError), match="send it uncompressed"):
            readers(data, "fits", tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_table_of_noise_is_read_or_refused(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["1PJ(3)", "1QD(2)", "PA(9)", "PX(9)", "QK(1)", "0PJ(0)"]))
    count, place = st.integers(-3, 30), st.integers(-3, 60)
    pointers = data.draw(st.lists(st.tuples(count, place), min_size=1, max_size=8))
    content = bytearray(heap(form, pointers, data.draw(st.binary(max_size=60))))
    for at, octets in data.draw(st.lists(st.tuples(st.integers(2880, 5759), st.binary(min_size=1, max_size=4)))):
        content[at : at + len(octets)] = octets
    with suppress(DecodingError):
        read(bytes(content))


ASCII_ROW = "  12-0.5000 1.25D+2 word      123.5+3"


def ascii_file(lines: Sequence[str], **cards: str) -> bytes:
    said = {
        "TTYPE1": "'n'", "TFORM1": "'I4'", "TBCOL1": "1",
        "TTYPE2": "'x'", "TFORM2": "'F7.4'", "TBCOL2": "5",
        "TTYPE3": "'y'", "TFORM3": "'D8.2'", "TBCOL3": "12",
        "TTYPE4": "'word'", "TFORM4": "'A9'", "TBCOL4": "21",
        "TTYPE5": "'z'", "TFORM5": "'E8.2'", "TBCOL5": "30",
    }  # fmt: skip
    width = len(ASCII_ROW)
    data = "".join(line.ljust(width) for line in lines).encode("latin-1")
    return fits_file(said | cards, data, rows=len(lines), width=width, kind="TABLE")


@pytest.mark.parametrize("way", WAYS)
def test_ascii_tables_are_read_as_fortran_writes_them(way: str, tmp_path: Path) -> None:
    data = ascii_file([ASCII_ROW, "", "9999 -99.0    3                 1"], TNULL2="'-99.0'", TUNIT3="'m'")
    columns, found = WAYS[way](data, "fits", tmp_path)
    assert [(one.name, one.datatype, one.unit) for one in columns] == [
        ("n", "short", None),
        ("x", "double", None),
        ("y", "double", "m"),
        ("word", "char", None),
        ("z", "double", None),
    ]
    assert found == [(12, -0.5, 125.0, "word", 123500.0), (None,) * 5, (9999, None, 0.03, None, 0.01)]


def test_whole_numbers_of_ascii_tables_are_exact_or_refused() -> None:
    def table(*words: str, **cards: str) -> bytes:
        said = {"TTYPE1": "'x'", "TFORM1": "'I20'", "TBCOL1": "1"} | {f"{key}1": value for key, value in cards.items()}
        data = "".join(word.rjust(20) for word in words).encode()
        return fits_file(said, data, rows=len(words), width=20, kind="TABLE")

    assert read(table("9223372036854775807", "-9223372036854775808", "+7")) == [2**63 - 1, -(2**63), 7]
    assert read(table("1", "2", TSCAL="10", TZERO="9007199254740993")) == [9007199254741003, 9007199254741013]
    for words in (("1", "9223372036854775808"), ("1", "1.5"), ("1", "1 2"), ("1", "1_0"), ("1", "0x10z")):
        with pytest.raises(DecodingError, match="row 2, column 'x'"):
            read(table(*words))


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"TBCOL1": "0"}, "TBCOL"),
        ({"TBCOL5": "31"}, "TBCOL"),
        ({"TFORM1": "'I99999999'"}, "claims"),
        ({"TFORM1": "'A0'"}, "characters"),
        ({"TFORM1": "'J4'"}, "TFORM"),
        ({"NAXIS2": "9"}, "row 2: the file ends"),
        ({"NAXIS2": "999999999999"}, "rows"),
    ],
)
def test_an_ascii_table_that_lies_is_refused(cards: dict[str, str], said: str) -> None:
    data = ascii_file([ASCII_ROW], **cards).rstrip(b" ")
    with pytest.raises(DecodingError, match=said):
        read(data)


def test_texts_may_go_on_over_several_cards_and_not_for_ever() -> None:
    long = "word & 'quoted' " * 20
    table = fits.BinTableHDU.from_columns([fits.Column("x", "J", array=np.array([1]))])
    table.header["TCOMM1"] = long
    written = io.BytesIO()
    table.writeto(written)
    (found,) = decode(io.BytesIO(written.getvalue()), "", BOUNDS).columns
    assert found.description == long.strip()


def test_the_first_table_is_found_behind_images_and_compressed_images(tmp_path: Path) -> None:
    written = io.BytesIO()
    table = fits.BinTableHDU.from_columns([fits.Column("x", "J", array=np.array([1, 2]))])
    image = np.zeros((40, 50), "i2")
    fits.HDUList([fits.PrimaryHDU(image), fits.CompImageHDU(image), fits.ImageHDU(image), table]).writeto(written)
    for data in (written.getvalue(), gzip.compress(written.getvalue())):
        for readers in WAYS.values():
            assert readers(data, "fits", tmp_path)[1] == [(1,), (2,)]
