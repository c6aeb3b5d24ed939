"""Every type with every value, as astropy, pyarrow and h5py write it, read as uploads and as ingest read it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn
from astropy.table import Table as AstropyTable

from almagest.adql import Column
from almagest.formats.sql import fixed_size, is_text
from support import binary_types as given
from support.binary_types import WAYS, Read
from support.types_grammar import Table, differences

EVERYTHING = given.plain(lambda _: True)
EVEN = given.plain(lambda column: column.xtype != "timestamp" and (is_text(column) or fixed_size(column) is not None))
"""What a dataset of HDF5 has: no times, and arrays of one length."""


def no_flag_is_null(column: Column, value: Any) -> Any:
    """astropy writes flags as T and F only."""
    if column.datatype != "boolean":
        return value
    if isinstance(value, list):
        return [bool(element) for element in value]
    return bool(value) if column.arraysize is None else value


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("table", EVERYTHING, ids=lambda table: table.name)
def test_fits_tables_of_astropy_come_in_equal(table: Table, read: Read, tmp_path: Path) -> None:
    asked = given.changed(
        table,
        given.ascii_without_end,
        given.blank_is_null,
        given.least_is_null,
        given.missing_array_is_full_of_nulls,
        no_flag_is_null,
    )
    columns, found = read(given.fits_file(asked), "fits", tmp_path)
    assert differences(found, asked) == []
    assert [(column.name, column.xtype) for column in columns] == [
        (column.name, column.xtype) for column in asked.columns
    ]


@pytest.mark.parametrize("read", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("table", EVERYTHING, ids=lambda table: table.name)
@pytest.mark.parametrize("options", [{}, {"use_dictionary": False, "data_page_version": "2.0", "compression": "zstd"}])
def test_parquet_files_of_pyarrow_come_in_equal(
    table: Table, read: Read, options: dict[str, Any], tmp_path: Path
) -> None:
    asked = given.changed(table, lambda _, value: None if value == [] else value)
    columns, found = read(given.parquet_file(asked, **options), "parquet", tmp_path)
    assert differences(found, asked) == []
    assert [column.xtype for column in columns] == [column.xtype for column in asked.columns]


@pytest.mark.parametrize("table", EVEN, ids=lambda table: table.name)
def test_hdf5_datasets_come_in_equal(table: Table, tmp_path: Path) -> None:
    asked = given.changed(table, given.without_null, given.blank_is_null)
    columns, found = given.ingested(given.hdf5_columns(asked), "h5", tmp_path)
    # A group has its members in the order of their names.
    places = [[column.name for column in columns].index(column.name) for column in asked.columns]
    assert differences([[row[place] for place in places] for row in found], asked) == []


@pytest.mark.parametrize("meta", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hdf5_tables_of_astropy_come_in_equal(rows: int, meta: bool, tmp_path: Path) -> None:
    table = AstropyTable(
        {
            "id": np.array([1, -(2**63)][:rows], "i8"),
            "name": np.array(["β Ori", "one"][:rows], "U8"),
            "speed": np.array([1.5, 2.5][:rows], "f4"),
            "three": np.arange(6.0).reshape(2, 3)[:rows],
            "wave": np.array([1 + 2j, 3][:rows], "c16"),
            "flag": np.array([True, False][:rows]),
        }
    )
    if meta:
        table["speed"].unit, table["speed"].description = "km / s", "How fast"
        table["n"] = MaskedColumn(np.array([7, 8][:rows], "i4"), mask=[False, True][:rows])
        table["word"] = MaskedColumn(np.array(["a", "b"][:rows], "U1"), mask=[True, False][:rows])
        table["seen"] = MaskedColumn(np.array([True, True][:rows], "?"), mask=[True, False][:rows])
    table.write(tmp_path / "made.h5", path="data/stars", serialize_meta=meta)
    columns, found = given.ingested((tmp_path / "made.h5").read_bytes(), "h5", tmp_path)
    masked = [(7, None, None), (None, "b", True)] if meta else [(), ()]
    assert (
        found
        == [
            (1, "β Ori", 1.5, [0.0, 1.0, 2.0], [1.0, 2.0], True, *masked[0]),
            (-(2**63), "one", 2.5, [3.0, 4.0, 5.0], [3.0, 0.0], False, *masked[1]),
        ][:rows]
    )
    assert (columns[2].unit, columns[2].description) == (("km.s**-1", "How fast") if meta else (None, ""))


def test_a_parquet_file_may_have_row_groups_without_rows(tmp_path: Path) -> None:
    some = pa.table({"a": [1, 2], "t": ["x", None]})
    written = io.BytesIO()
    with pq.ParquetWriter(written, some.schema) as writer:
        for table in (some.slice(0, 0), some, some.slice(0, 0), some):
            writer.write_table(table)
    for read in WAYS.values():
        assert read(written.getvalue(), "parquet", tmp_path)[1] == [(1, "x"), (2, None)] * 2
