"""What a file takes in memory while it is decoded and encoded for PostgreSQL: a few blocks, however it is made."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits

from almagest.formats import pgcopy
from almagest.formats.decode import Bounds, DecodingError, decode

from .test_decode import parquet_file
from .test_decode_fits import fits_file as fits_table
from .test_decode_votable import stream, tabledata

BOUNDS = Bounds(bytes=100 << 20, rows=2_000_000, columns=1000, cell=1 << 20, row=4 << 20)
MOST = 120 << 20
"""Bytes for the worst of them: a row of single bytes, each of which becomes six, and those of a block on their way."""

OCTETS = '<FIELD name="b" datatype="unsignedByte" arraysize="*"/>'
SHORTS = '<FIELD name="n" datatype="short" arraysize="*"/>'


def fits_arrays(columns: int, rows: int, width: int) -> bytes:
    made = [fits.Column(f"c{number}", f"{width}B", array=np.ones((rows, width), np.uint8)) for number in range(columns)]
    written = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(made)]).writeto(written)
    return gzip.compress(written.getvalue(), 1)


def fits_bits(columns: int, rows: int, bits: int) -> bytes:
    said = {f"TFORM{number}": f"'{bits}X'" for number in range(1, columns + 1)}
    return gzip.compress(fits_table(said, bytes(columns * rows * bits // 8), rows=rows, width=columns * bits // 8), 1)


def fits_heap(form: str, rows: int, elements: int, size: int, columns: int = 1) -> bytes:
    """Rows that all point at the same array."""
    said = {"PCOUNT": str(size), **{f"TFORM{number}": f"'{form}'" for number in range(1, columns + 1)}}
    return fits_table(
        said, struct.pack(">2i", elements, 0) * columns * rows + bytes(size), rows=rows, width=8 * columns
    )


def octets(columns: int, rows: int, width: int) -> bytes:
    row = (struct.pack(">i", width) + bytes(width)) * columns
    return stream(OCTETS * columns, gzip.compress(row * rows, 1), attributes='encoding="gzip"')


def csv(columns: int, rows: int) -> bytes:
    head = ",".join(f"c{number}" for number in range(columns))
    return gzip.compress(f"{head}\n{(',' * (columns - 1) + chr(10)) * rows}".encode(), 1)


def lists(rows: int, width: int) -> bytes:
    return parquet_file(pa.table({"x": pa.array([np.ones(width, np.int8)] * rows, pa.list_(pa.int8()))}))


def read(data: bytes) -> None:
    for block in decode(io.BytesIO(data), "", BOUNDS).blocks:
        for piece in pgcopy.pieces(block):
            assert len(piece) <= 6 * BOUNDS.row + 100


@contextmanager
def little_memory() -> Iterator[None]:
    """What is done may hold MOST bytes at once, besides what Arrow holds."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "made",
    [
        lambda: fits_arrays(20, 1, 200_000),
        lambda: fits_arrays(1, 40, 100_000),
        lambda: fits_bits(4, 1, 1_000_000),
        lambda: fits_bits(1, 400, 100_000),
        lambda: fits_heap("PB", 40, 1_000_000, 1_000_000),
        lambda: fits_heap("PX", 40, 1_000_000, 125_000),
        lambda: fits_heap("PA", 40, 1_000_000, 1_000_000),
        lambda: fits_heap("PB", 10, 1_000_000, 1_000_000, columns=4),
        lambda: fits_heap("PB", 2000, 3, 3, columns=999),
        lambda: octets(4, 3, 1_000_000),
        lambda: octets(1, 40, 100_000),
        lambda: octets(1, 400, 10_000).replace(b"unsignedByte", b"char"),
        lambda: tabledata(SHORTS * 4, *[("1 " * 500_000,) * 4]),
        lambda: lists(12, 1_000_000),
        lambda: lists(10_000, 1000),
        lambda: parquet_file(pa.table({"x": ["0" * 9000] * 8000})),
        lambda: parquet_file(pa.table({"x": pa.array(["0" * 9000] * 8000, pa.large_string())})),
        lambda: csv(1000, 3_000),
    ],
    ids=[
        "fits row",
        "fits rows",
        "fits bits of a row",
        "fits bits",
        "fits heap",
        "fits bits in the heap",
        "fits texts in the heap",
        "fits heap of a row",
        "fits heap of many columns",
        "binary row",
        "binary rows",
        "text",
        "tabledata",
        "lists",
        "list",
        "texts",
        "large texts",
        "csv",
    ],
)
def test_a_file_within_the_bounds_is_read_in_little_memory(made: Callable[[], bytes]) -> None:
    data = made()
    with little_memory():
        read(data)


@pytest.mark.parametrize(
    "made",
    [
        lambda: fits_arrays(30, 1, 1_000_000),
        lambda: fits_bits(30, 1, 1_000_000),
        lambda: fits_heap("PB", 1, 2_000_000, 2_000_000),
        lambda: fits_heap("PX", 1, 2_000_000, 250_000),
        lambda: fits_heap("PB", 1, 1_000_000, 1_000_000, columns=30),
        lambda: octets(30, 1, 1_000_000),
        lambda: stream(OCTETS.replace("*", "1000000") * 30, bytes(4), attributes='encoding="gzip"'),
        lambda: tabledata(SHORTS * 30, ("1 " * 500_000,) * 30),
        lambda: gzip.compress(b"a\n" + (b'"' + b"x\n" * 60_000 + b'",') * 60),
        lambda: gzip.compress(b"a\n" + b"x," * 15_000_000),
        lambda: parquet_file(pa.table({f"c{number}": ["0" * 1_000_000] for number in range(5)})),
        lambda: lists(1, 1_100_000),
    ],
    ids=[
        "fits",
        "bits",
        "heap",
        "heap bits",
        "heap row",
        "lengths",
        "arraysize",
        "tabledata",
        "lines",
        "line",
        "texts",
        "list",
    ],
)
def test_a_row_that_is_too_large_is_refused_before_it_is_held(made: Callable[[], bytes]) -> None:
    data = made()
    with little_memory(), pytest.raises(DecodingError, match=r"a row has more than|a value claims|never closed"):
        read(data)
