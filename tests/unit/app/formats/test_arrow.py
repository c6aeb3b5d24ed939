"""Parquet and Arrow in batches: small first, then large, and the same bytes however the rows came."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from almagest.catalogue import Column
from almagest.formats import FORMATS, About, RawBlock
from almagest.formats.arrow import FIRST, GROUP
from support.answers import Given, document, value_block

COLUMNS = (Column("n", "long"), Column("x", "double"), Column("t", "char", "*"), Column("v", "float", "*"))
ROWS = FIRST + GROUP + 777
FEW = value_block(
    *(
        [
            None if n % 5 == 0 else struct.pack(">q", n),
            struct.pack(">d", n / 7),
            None if n % 3 == 0 else b"x" * (n % 11),
            None if n % 4 == 0 else struct.pack(">f", n) * (n % 6),
        ]
        for n in range(1000)
    )
)


def blocks(sizes: Sequence[int]) -> list[RawBlock]:
    """ROWS rows in blocks of these sizes and a last one: FEW again and again."""
    repeated = -(-ROWS // len(FEW.starts))
    starts = FEW.starts + len(FEW.data) * np.arange(repeated)[:, np.newaxis]
    many = RawBlock(bytes(FEW.data) * repeated, starts.reshape(-1))
    return [many.part(start, stop) for start, stop in pairwise([0, *accumulate(sizes), ROWS])]


class Coming(Given):
    """Rows that come one block after the other."""

    def __init__(self, coming: Iterator[RawBlock]) -> None:
        super().__init__(())
        self.coming = coming

    def __iter__(self) -> Iterator[RawBlock]:
        return self.coming


def read_groups(form: str, whole: bytes) -> list[pa.Table]:
    if form == "parquet":
        file = pq.ParquetFile(io.BytesIO(whole))
        return [file.read_row_group(number) for number in range(file.num_row_groups)]
    return [pa.Table.from_batches([batch]) for batch in pa.ipc.open_stream(whole)]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_the_first_batch_is_small_and_comes_before_all_rows_are_there(form: str) -> None:
    groups = read_groups(form, document(FORMATS[form], COLUMNS, Given(blocks([]))))
    assert [group.num_rows for group in groups] == [FIRST, GROUP, 777]
    coming = iter(blocks([1000] * 70))
    next(FORMATS[form].document(COLUMNS, About(), Coming(coming)))
    assert sum(len(block.starts) for block in coming) == ROWS - 9000


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_the_same_rows_are_the_same_bytes_however_they_fall_into_blocks(form: str) -> None:
    """Blocks that end where a batch does, within and beyond one, and one block of all."""
    whole = document(FORMATS[form], COLUMNS, Given(blocks([])))
    for sizes in ([FIRST], [FIRST, GROUP], [1, 5, 8_191, 2], [2_545] * 28, [FIRST - 1, GROUP + 2]):
        assert document(FORMATS[form], COLUMNS, Given(blocks(sizes))) == whole
    table = pa.concat_tables(read_groups(form, whole))
    table.validate(full=True)
    assert table["n"].to_pylist() == [None if n % 5 == 0 else n for n in np.arange(ROWS) % 1000]
    assert table["t"].to_pylist()[:4] == [None, "x", "xx", None]
    assert table["v"].to_pylist()[:4] == [None, [1.0], [2.0, 2.0], [3.0] * 3]
