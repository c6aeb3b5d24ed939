"""Each reader on files made here: types, nulls, metadata, and the place of what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from almagest.adql.catalogue import Column
from almagest.formats.block import Fixed, Text
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import Source
from almagest.ingest.readers.csv import CsvSource
from almagest.ingest.readers.decoded import FitsSource, ParquetSource, VotableSource
from almagest.ingest.readers.hdf5 import Hdf5Source
from almagest.ingest.source import open_source


def values(source: Source) -> dict[str, list[Any]]:
    """All rows by column, None where there is no value."""
    read: dict[str, list[Any]] = {column.name: [] for column in source.columns}
    for block in source.blocks():
        for column, part in zip(source.columns, block.columns, strict=True):
            match part:
                case Fixed():
                    raw = part.values.tolist()
                case Text():
                    raw = [bytes(part.data[a:b]).decode() for a, b in zip(part.offsets, part.offsets[1:], strict=False)]
            read[column.name] += [None if null else value for value, null in zip(raw, part.null, strict=True)]
    return read


def csv(tmp_path: Path, content: str | bytes, **declared: Any) -> CsvSource:
    path = tmp_path / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return CsvSource(path, "rows.csv", declared)


def types(source: Source) -> dict[str, str]:
    return {column.name: column.xtype or column.datatype for column in source.columns}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("1 2 3", "int"),
        ("1 3000000000", "long"),
        ("1 2.5", "double"),
        ("1 1e5", "double"),
        ("1.5 NaN", "double"),
        ("1 NULL", "int"),
        ("true False", "boolean"),
        ("2024-01-01 2024-01-02T03:04:05.678", "timestamp"),
        ("2024-01-01T00:00:00Z", "timestamp"),
        ("007 008", "char"),
        ("005.25 010.5", "double"),
        ("12345678901234567890 1", "char"),
        ("1 x", "char"),
        ("NaN", "char"),
        ("0 -0 10", "int"),
    ],
)
def test_csv_gives_the_narrowest_type_that_holds_all_values(tmp_path: Path, column: str, expected: str) -> None:
    assert types(csv(tmp_path, "c,k\n" + "".join(f"{value},1\n" for value in column.split())))["c"] == expected


def test_csv_type_is_decided_by_the_last_row_too(tmp_path: Path) -> None:
    many = "".join(f"{number},{number}\n" for number in range(700_000))
    source = csv(tmp_path, f"a,b\n{many}x,1.5\n")
    assert types(source) == {"a": "char", "b": "double"}
    assert source.rows == 700_001
    assert values(source)["a"][-1] == "x"


def test_csv_reads_comments_quotes_delimiters_and_gzip(tmp_path: Path) -> None:
    content = '# made by hand\n# twice\n"a";"b;c"\n1;"x;\ny"\n2;"he said ""no"""\n'
    assert values(csv(tmp_path, gzip.compress(content.encode()))) == {"a": [1, 2], "b;c": ["x;\ny", 'he said "no"']}


def test_csv_with_a_byte_order_mark_names_its_first_column_right(tmp_path: Path) -> None:
    assert types(csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")) == {"a": "int", "b": "int"}


def test_csv_names_the_ragged_row(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"^rows\.csv, row 3: has 1 fields where the header names 2") as caught:
        csv(tmp_path, "# note\na,b\n1,2\n3,4\n5\n6,7\n")
    assert caught.value.row == 3


def test_csv_names_the_value_that_is_not_of_the_declared_type(tmp_path: Path) -> None:
    many = "".join(f"{number}\n" for number in range(1_000_000))
    source = csv(tmp_path, f"a\n{many}bad\n", a="double")
    with pytest.raises(IngestError, match=r"^rows\.csv, row 1,000,001, column a: 'bad' is not a double$"):
        values(source)


def test_csv_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"^rows\.csv: the file is not readable as CSV"):
        csv(tmp_path, b"a,b\n1,\xff\xfe\n")


@pytest.mark.parametrize("header", ["a,a", "a,", ""])
def test_csv_header_must_name_every_column_once(tmp_path: Path, header: str) -> None:
    with pytest.raises(IngestError, match=r"^rows\.csv"):
        csv(tmp_path, f"{header}\n1,2\n")


def test_parquet_types_nulls_and_metadata(tmp_path: Path) -> None:
    fields = [
        pa.field("mag", pa.float32(), metadata={"unit": "mag", "ucd": "phot.mag", "description": "Brightness"}),
        pa.field("n", pa.uint16()),
        pa.field("word", pa.dictionary(pa.int8(), pa.string())),
        pa.field("when", pa.timestamp("ms", tz="Europe/Berlin")),
    ]
    columns = [[1.5, None], [65535, None], ["a", None], [0, None]]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), tmp_path / "rows.parquet")
    source = ParquetSource(tmp_path / "rows.parquet", "rows.parquet", {})
    assert source.columns[0] == Column("mag", "float", unit="mag", ucd="phot.mag", description="Brightness")
    assert types(source) == {"mag": "float", "n": "int", "word": "char", "when": "timestamp"}
    assert values(source) == {
        "mag": [1.5, None],
        "n": [65535, None],
        "word": ["a", None],
        "when": [-946_684_800_000_000, None],
    }


def test_parquet_with_nested_types_is_refused_by_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "v": [{"x": 1}]}), tmp_path / "rows.parquet")
    with pytest.raises(IngestError, match=r"column v: has the Parquet type struct"):
        ParquetSource(tmp_path / "rows.parquet", "rows.parquet", {})


def test_parquet_unsigned_overflow_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([1, 2**64 - 1], pa.uint64())}), tmp_path / "rows.parquet")
    source = ParquetSource(tmp_path / "rows.parquet", "rows.parquet", {})
    with pytest.raises(IngestError, match=r"row 2, column a: '18446744073709551615' is not a long"):
        values(source)


@pytest.mark.parametrize("reader", [FitsSource, ParquetSource])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "rows").write_text("certainly neither\n" * 1000)
    with pytest.raises(IngestError, match=r"is no FITS file|is not readable as Parquet"):
        reader(tmp_path / "rows", "rows", {})


def write_fits(tmp_path: Path, *columns: fits.Column) -> Path:
    path = tmp_path / "rows.fits"
    fits.BinTableHDU.from_columns(columns).writeto(path)
    return path


def test_fits_scaled_unsigned_and_null_columns(tmp_path: Path) -> None:
    path = write_fits(
        tmp_path,
        fits.Column("scaled", "I", array=np.array([2, 4], dtype="i2")),
        fits.Column("unsigned", "J", bzero=2**31, array=np.array([0, 2**32 - 1], dtype="u4")),
        fits.Column("missing", "K", null=-99, array=np.array([-99, 7])),
        fits.Column("flag", "L", array=np.array([True, False])),
        fits.Column("name", "8A", array=np.array(["NGC 1", ""])),
        fits.Column("speed", "D", unit="km s-1", array=np.array([np.nan, 2.0])),
    )
    fits.setval(path, "TSCAL1", value=0.5, ext=1)
    fits.setval(path, "TZERO1", value=10.0, ext=1)
    source = FitsSource(path, "rows.fits", {})
    assert types(source) == {
        "scaled": "double", "unsigned": "long", "missing": "long", "flag": "boolean", "name": "char", "speed": "double",
    }  # fmt: skip
    assert values(source) == {
        "scaled": [11.0, 12.0],
        "unsigned": [0, 2**32 - 1],
        "missing": [None, 7],
        "flag": [True, False],
        "name": ["NGC 1", None],
        "speed": [None, 2.0],
    }
    assert source.columns[-1].unit == "km.s**-1"


def test_numbers_may_be_declared_as_any_type_that_holds_them(tmp_path: Path) -> None:
    path = write_fits(tmp_path, fits.Column("a", "J", array=np.array([1, 2, 40_000])), fits.Column("b", "3A"))
    assert types(FitsSource(path, "rows.fits", {"a": "double"})) == {"a": "double", "b": "char"}
    assert values(FitsSource(path, "rows.fits", {"a": "double"}))["a"] == [1.0, 2.0, 40_000.0]
    with pytest.raises(IngestError, match=r"^rows\.fits, row 3, column a: 40000 is no short$"):
        values(FitsSource(path, "rows.fits", {"a": "short"}))
    with pytest.raises(IngestError, match=r"column b: is char in the file and cannot be loaded as int"):
        FitsSource(path, "rows.fits", {"b": "int"})


@pytest.mark.parametrize(
    ("number", "declared", "said"),
    [(2.0**63, "long", "is no long"), (1.5, "int", "1.5 is no int"), (1e300, "float", "is no float")],
)
def test_a_declared_type_that_does_not_hold_a_number_is_named(
    tmp_path: Path, number: float, declared: Any, said: str
) -> None:
    table = pa.table({"a": pa.array([None, 1.0, number, 2.0])})
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(IngestError, match=rf"^rows\.parquet, row 3, column a: .*{said}$"):
        values(ParquetSource(tmp_path / "rows.parquet", "rows.parquet", {"a": declared}))


def test_hdf5_columns_of_a_group_bring_their_attributes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        group = file.create_group("survey/stars")
        group["mag"] = np.array([1.5, np.nan], "f4")
        group["mag"].attrs.update({"unit": "mag", "ucd": "phot.mag", "description": "Brightness"})
        group["name"] = np.array(["Sírius", ""], h5py.string_dtype())
        group["code"] = np.array([b"a", b"bc"])
        group["seen"] = np.array([True, False])
        group["n"] = np.array([65535, 0], "u2")
    source = Hdf5Source(tmp_path / "rows.h5", "rows.h5", {})
    assert Column("mag", "float", unit="mag", ucd="phot.mag", description="Brightness") in source.columns
    assert types(source) == {"mag": "float", "name": "char", "code": "char", "seen": "boolean", "n": "int"}
    assert values(source) == {
        "mag": [1.5, None],
        "name": ["Sírius", None],
        "code": ["a", "bc"],
        "seen": [True, False],
        "n": [65535, 0],
    }


def test_hdf5_compound_datasets_are_tables(tmp_path: Path) -> None:
    records = np.array([(1, 2.5, b"x"), (2, 3.5, b"")], [("id", ">i8"), ("ra", "f8"), ("name", "S4")])
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["table"] = records
    source = Hdf5Source(tmp_path / "rows.h5", "rows.h5", {})
    assert values(source) == {"id": [1, 2], "ra": [2.5, 3.5], "name": ["x", None]}


def test_hdf5_with_two_tables_names_them(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["a/x"], file["b/x"] = [1, 2], [1, 2, 3]
    with pytest.raises(IngestError, match=r"has 2 tables \(/a, /b\)"):
        Hdf5Source(tmp_path / "rows.h5", "rows.h5", {})


def test_hdf5_names_the_row_of_a_value_that_does_not_fit(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["a"], file["b"] = np.array([1, 2**64 - 1], "u8"), np.array([b"ok", b"\xff"])
    with pytest.raises(IngestError, match=r"row 2, column a: 18446744073709551615 is not a long"):
        values(Hdf5Source(tmp_path / "rows.h5", "rows.h5", {}))


@pytest.mark.parametrize("serialisation", ["tabledata", "binary", "binary2"])
def test_votable_types_nulls_and_metadata(tmp_path: Path, serialisation: Any) -> None:
    table = Table({"id": np.array([1, 2]), "mag": np.array([1.5, np.nan], "f4"), "name": ["Vega", "Deneb"]})
    table["mag"].unit, table["mag"].description = "mag", "Brightness"
    table["mag"].meta["ucd"] = "phot.mag"
    from_table(table).to_xml(str(tmp_path / "rows.vot"), tabledata_format=serialisation)
    source = VotableSource(tmp_path / "rows.vot", "rows.vot", {})
    assert types(source)["mag"] == "float"
    assert [(column.unit, column.description) for column in source.columns if column.name == "mag"] == [
        ("mag", "Brightness")
    ]
    assert values(source) == {"id": [1, 2], "mag": [1.5, None], "name": ["Vega", "Deneb"]}


def test_votable_names_the_row_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "rows.vot").write_text(
        "<VOTABLE><RESOURCE><TABLE><FIELD name='a' datatype='int'/><DATA><TABLEDATA>"
        "<TR><TD>1</TD></TR><TR><TD>one</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    with pytest.raises(IngestError, match=r"^rows\.vot, row 2, column a: "):
        values(VotableSource(tmp_path / "rows.vot", "rows.vot", {}))


def test_files_of_one_table_agree_on_the_widest_types(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,mag\n1,2\n")
    (tmp_path / "2.csv").write_text("id,mag\n3000000000,2.5\n")
    files, _ = open_source(f"{tmp_path}/*.csv", None, None, tmp_path)
    assert [types(part) for part in files.parts] == [{"id": "long", "mag": "double"}] * 2
    assert [values(part)["mag"] for part in files.parts] == [[2.0], [2.5]]
    assert files.rows == 2


def test_files_of_one_table_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,mag\n1,2\n")
    (tmp_path / "2.csv").write_text("id,bmag\n1,2\n")
    with pytest.raises(IngestError, match=r"2\.csv: has other columns than .*1\.csv: 'bmag' where that has 'mag'"):
        open_source(f"{tmp_path}/*.csv", None, None, tmp_path)


def test_no_file_is_taken_from_outside_the_volume(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "out.csv").write_text("id\n1\n")
    (tmp_path / "volume" / "in.csv").symlink_to(tmp_path / "out.csv")
    for word in ("file:../out.csv", "file:../*.csv", "file:*.csv"):
        with pytest.raises(IngestError, match="leads out of the files volume"):
            open_source(word, None, None, tmp_path / "volume")


def test_fits_without_a_table_is_refused(tmp_path: Path) -> None:
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "image.fits")
    with pytest.raises(IngestError, match="has no table"):
        FitsSource(tmp_path / "image.fits", "image.fits", {})
