"""Every type, every NULL and every awkward value, written by the real PostgreSQL and read back by other programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import Table

from almagest.catalogue import Column
from almagest.formats import FORMATS, About, negotiate
from support.answers import copied, document
from support.services import Services

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[Any]
Rows = list[list[Any]]

COLUMNS = (
    Column("flag", "boolean"),
    Column("s", "short", unit="mm"),
    Column("i", "int"),
    Column("l", "long", ucd="meta.id;meta.main"),
    Column("f", "float", unit="mag", ucd="phot.mag;em.opt", description="brightness é"),
    Column("d", "double", unit="deg", ucd="pos.eq.ra;meta.main"),
    Column("name", "char", "*"),
    Column("label", "unicodeChar", "*"),
    Column("code", "char", "3"),
    Column("obs", "char", "*", "timestamp"),
    Column("pos", "double", "2", "point", unit="deg"),
    Column("flux", "float", "*", unit="Jy"),
    Column("ids", "int", "*"),
    Column("flags", "boolean", "2"),
)
NAN, INF = math.nan, math.inf
AWKWARD = 'a,"b" \\ \\N \\. <td>&amp; Infinity'
ROWS: Rows = [
    [True, 1, 2, 2**53 + 1, 1.5, 1e-300, "abc", "β Ori 𝔸", "ab", "2020-01-01T12:00:00.25", [1.0, 2.0], [1.5, NAN],
     [1, 2, 3], [True, False]],
    [None] * 14,
    [False, -(2**15) + 1, -(2**31) + 1, -(2**63) + 1, -INF, INF, AWKWARD, "", "longer", "1999-12-31T00:00:00",
     [-INF, 5e-324], [], [7], [False, True]],
    [True, 2**15 - 1, 2**31 - 1, 2**63 - 1, 3.4028235e38, NAN, "Infinity", "-Infinity", "", "2262-01-01T00:00:00",
     [0.1, 0.2], [INF], [], [True, True]],
]  # fmt: skip
SQL = """
SELECT flag, s::smallint, i, l, f::real, d::float8, name, label, code, obs::timestamp, pos::float8[], flux::real[],
       ids::int[], flags::boolean[] FROM (VALUES
 (true, 1, 2, 9007199254740993, '1.5', '1e-300', 'abc', 'β Ori 𝔸', 'ab', '2020-01-01 12:00:00.25', '{1,2}',
  '{1.5,NULL}', '{1,2,3}', '{t,f}'),
 (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (false, -32767, -2147483647, -9223372036854775807, '-Infinity', 'Infinity',
  E'a,"b" \\\\ \\\\N \\\\. <td>&amp; Infinity', '', 'longer', '1999-12-31', '{-Infinity,5e-324}', '{}', '{7}', '{f,t}'),
 (true, 32767, 2147483647, 9223372036854775807, '3.4028235e38', 'NaN', 'Infinity', '-Infinity', '', '2262-01-01',
  '{0.1,0.2}', '{Infinity}', '{}', '{t,t}')
) AS v (flag, s, i, l, f, d, name, label, code, obs, pos, flux, ids, flags)
"""
ABOUT = About({"QUERY": "SELECT 'é' < 1"})


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[Connection]:
    with psycopg.connect(services.conninfo("datadb"), autocommit=True) as connection:
        yield connection


def written(database: Connection, name: str, columns: tuple[Column, ...] = COLUMNS, sql: str = SQL) -> bytes:
    form = negotiate(name)
    return document(form, columns, copied(database, form, columns, sql), ABOUT)


def plain(value: Any) -> Any:
    """A value of numpy or Arrow as one of Python; masked is None."""
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray | list | tuple):
        return [NAN if plain(item) is None else plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.isoformat().rstrip("0" if value.microsecond else "")
    return value.item() if isinstance(value, np.generic) else value


def same(read: Any, stored: Any, column: Column) -> bool:
    """Whether a value is the stored one; a missing number is NaN where there is one, missing text or array empty."""
    if column.arraysize is None and (column.datatype in ("float", "double") or stored is NAN):
        stored, read = (NAN if value is None else value for value in (stored, read))
        if column.datatype == "float":
            stored, read = np.float32(stored), np.float32(read)
        return bool(read == stored or (math.isnan(stored) and math.isnan(read)))
    if isinstance(stored, list) and isinstance(read, list):
        element = Column("", column.datatype)
        return len(read) == len(stored) and all(map(lambda a, b: same(a, b, element), read, stored))
    return bool(read == stored)


def check(read: Rows, **exceptions: Callable[[Any], Any]) -> None:
    """Every value is the stored one, or what the exception for its column makes of that."""
    assert len(read) == len(ROWS)
    for number, (row, stored_row) in enumerate(zip(read, ROWS, strict=True), 1):
        for value, stored, column in zip(row, stored_row, COLUMNS, strict=True):
            wanted = exceptions[column.name](stored) if column.name in exceptions else stored
            assert same(value, wanted, column), (number, column.name, value, wanted)


def cut(value: str | None) -> str:
    return (value or "")[:3]


def empty(value: str | None) -> str:
    return value or ""


def no_points(value: list[float] | None) -> list[float]:
    return [NAN, NAN] if value is None else value


@pytest.mark.parametrize("name", ["votable", "votable/td", "votable/b", "votable_gzip"])
def test_votables_are_read_back_by_astropy(database: Connection, name: str) -> None:
    whole = io.BytesIO(written(database, name))
    if name == "votable_gzip":
        assert whole.getvalue().startswith(b"\x1f\x8b")
    votable = parse(whole, verify="exception")
    assert [(info.name, info.value) for info in votable.resources[0].infos[:2]] == [
        ("QUERY_STATUS", "OK"),
        ("QUERY", "SELECT 'é' < 1"),
    ]
    array = votable.get_first_table().array
    read = [[plain(row[column.name]) for column in COLUMNS] for row in array]
    # An array that is missing and one that is empty are the same to astropy and to two of the serialisations.
    for row in read:
        row[6:10] = [empty(value) for value in row[6:10]]
        row[10:13] = [no_points(row[10]), row[11] or [], row[12] or []]
        row[13] = row[13] if name != "votable/td" and row[13] != [NAN, NAN] else (row[13] or [NAN, NAN])
    masked_flags = {"flags": lambda value: [NAN, NAN] if value is None else value}
    texts = dict.fromkeys(("name", "label", "obs"), empty)
    arrays = dict.fromkeys(("flux", "ids"), lambda value: value or [])
    check(read, code=cut, pos=no_points, **texts, **arrays, **masked_flags)


def test_fits_is_read_back_by_astropy(database: Connection) -> None:
    whole = written(database, "fits")
    assert len(whole) % 2880 == 0
    with fits.open(io.BytesIO(whole), logical_as_bytes=True) as opened:
        opened.verify("exception")
        header = opened[1].header
        assert (header["TUNIT5"], header["TUCD6"], header["TCOMM5"]) == ("mag", "pos.eq.ra;meta.main", "brightness ?")
        assert "QUERY: SELECT '?' < 1" in str(header["COMMENT"])
        raw = opened[1].data
        assert raw["flag"].tolist() == [b"T", b"", b"F", b"T"]
        assert [value.rstrip() for value in raw["name"]] == [empty(row[6]) for row in ROWS]
        assert [value.rstrip() for value in raw["label"]] == ["? Ori ?", "", "", "-Infinity"]
        assert [value.rstrip() for value in raw["code"]] == [cut(row[8]) for row in ROWS]
        assert [value.rstrip() for value in raw["obs"]] == [empty(row[9]) for row in ROWS]
        np.testing.assert_equal(raw["pos"].tolist(), [no_points(row[10]) for row in ROWS])
        np.testing.assert_equal(raw["flux"].tolist(), [[1.5, NAN], [NAN, NAN], [NAN, NAN], [INF, NAN]])
        assert raw["ids"][0].tolist() == [1, 2, 3]
        assert raw["ids"][2].tolist() == [7, -(2**31), -(2**31)]
        table = Table.read(opened[1])
    for number, name in ((1, "s"), (2, "i"), (3, "l")):
        assert table[name].filled(0).tolist() == [row[number] or 0 for row in ROWS]
        assert table[name].mask.tolist() == [False, True, False, False]
    np.testing.assert_equal(np.ma.filled(table["d"], NAN).tolist(), [1e-300, NAN, INF, NAN])


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_arrow_and_parquet_are_read_back_by_pyarrow(database: Connection, name: str) -> None:
    whole = io.BytesIO(written(database, name))
    table = pq.read_table(whole) if name == "parquet" else pa.ipc.open_stream(whole).read_all()
    table.validate(full=True)
    assert table.schema.field("f").metadata[b"unit"] == b"mag"
    read = [[plain(row[column.name]) for column in COLUMNS] for row in table.to_pylist()]
    check(read)


def test_csv_is_read_back(database: Connection) -> None:
    whole = written(database, "csv")
    assert whole.count(b"\r\n") == 5
    head, *rows = csv.reader(io.StringIO(whole.decode(), newline=""))
    assert head == [column.name for column in COLUMNS]
    assert [row[0] for row in rows] == ["true", "", "false", "true"]
    assert [int(row[3] or 0) for row in rows] == [row[3] or 0 for row in ROWS]
    np.testing.assert_equal([float(row[5] or NAN) for row in rows], [1e-300, NAN, INF, NAN])
    assert [row[6:8] for row in rows] == [[empty(row[6]), empty(row[7])] for row in ROWS]
    assert [row[9] for row in rows] == [empty(row[9]) for row in ROWS]
    assert [row[12] for row in rows] == ["1 2 3", "", "7", ""]
    assert b',"",' in whole.splitlines()[3]


def test_ecsv_keeps_types_and_units(database: Connection) -> None:
    table = Table.read(written(database, "ecsv").decode(), format="ascii.ecsv")
    assert (str(table["d"].unit), table["f"].description, table["l"].dtype) == ("deg", "brightness é", np.dtype("i8"))
    assert table["l"].filled(0).tolist() == [row[3] or 0 for row in ROWS]
    assert table["flag"].filled(False).tolist() == [True, False, False, True]


def test_tsv_has_a_line_a_row(database: Connection) -> None:
    columns = (Column("n", "int"), Column("x", "char", "*"))
    whole = written(database, "tsv", columns, r"""VALUES (1, E'a\tb\nc\\N'), (NULL, ''), (3, E'it''s \x01 "x" \\')""")
    assert whole.decode().split("\n") == ["n\tx", "1\ta b c\\N", "\t", '3\tit\'s   "x" \\', ""]


def test_json_is_read_back(database: Connection) -> None:
    read = json.loads(written(database, "json"))
    assert read["columns"][4] == {
        "name": "f", "datatype": "float", "unit": "mag", "ucd": "phot.mag;em.opt", "description": "brightness é",
    }  # fmt: skip
    assert (read["status"], read["info"]) == ("OK", {"QUERY": "SELECT 'é' < 1"})

    def finite(value: Any) -> Any:
        if isinstance(value, list):
            return [finite(item) for item in value]
        return value if not isinstance(value, float) or math.isfinite(value) else None

    for row, stored in zip(read["data"], ROWS, strict=True):
        for value, wanted, column in zip(row, stored, COLUMNS, strict=True):
            assert same(value, finite(wanted), column), (column.name, value)


def test_control_characters_and_line_ends_survive_where_they_can(database: Connection) -> None:
    columns = (Column("x", "unicodeChar", "*"), Column("n", "int"))
    text = "a\x1fb\\\n\t\rc\\td\x01\x7f\"'"
    sql = f"VALUES ({psycopg.sql.quote(text)}, 1), ({psycopg.sql.quote(text)}, 2)"
    for_xml = text.replace("\x1f", "\ufffd").replace("\x01", "\ufffd")
    assert json.loads(written(database, "json", columns, sql))["data"] == [[text, 1], [text, 2]]
    assert list(csv.reader(io.StringIO(written(database, "csv", columns, sql).decode(), newline="")))[2] == [text, "2"]
    assert pq.read_table(io.BytesIO(written(database, "parquet", columns, sql)))["x"].to_pylist() == [text, text]
    for name, wanted in (("votable", text), ("votable/td", for_xml)):
        array = parse(io.BytesIO(written(database, name, columns, sql))).get_first_table().array
        assert array["x"].tolist() == [wanted, wanted]
    assert len(written(database, "text", columns, sql).splitlines()) == 4


@pytest.mark.parametrize("name", FORMATS)
def test_values_that_look_like_the_end_of_all_rows_end_nothing(database: Connection, name: str) -> None:
    form, count = negotiate(name), 100_000
    columns = (Column("a", "char", "*"), Column("b", "char", "*"))
    # In a binary COPY there is the length of the second between them: ReadyForQuery, byte by byte.
    rows = copied(database, form, columns, f"SELECT 'Z', 'hello' FROM generate_series(1, {count})")
    assert rows.count == sum(len(block.starts) for block in rows) == count
    assert b"".join(bytes(block.data) for block in rows).count(b"hello") == count


@pytest.mark.parametrize("name", FORMATS)
def test_what_the_database_remarks_between_rows_is_in_no_document(database: Connection, name: str) -> None:
    columns = (Column("n", "int"),)
    with database.transaction(force_rollback=True):
        database.execute(
            "CREATE FUNCTION remarked(n int) RETURNS int LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE NOTICE E'a word\nd\n%', n; RETURN n; END $$"
        )
        remarks = [written(database, name, columns, f"SELECT {n} FROM generate_series(1, 300) AS n")
                   for n in ("n", "remarked(n)")]  # fmt: skip
    assert remarks[0] == remarks[1]


class Cells(HTMLParser):
    """The text of every cell of a page, and the tags that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self.inside = False

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.inside = tag == "td"
        self.cells += [""] * self.inside

    def handle_endtag(self, _: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.cells[-1] += data


def test_nothing_in_a_cell_becomes_part_of_the_page(database: Connection) -> None:
    evil = '<script>alert(1)</script><td onload="x">\' &lt; \\'
    columns = (Column("<b>x", "char", "*", description='"><script>'), Column("n", "double"))
    page = Cells()
    page.feed(written(database, "html", columns, f"VALUES ({psycopg.sql.quote(evil)}, 1.5), (NULL, NULL)").decode())
    assert page.cells == [evil, "1.5", "", ""]
    assert not page.tags & {"script", "b", "style"}


def test_text_is_in_columns(database: Connection) -> None:
    columns = (Column("name", "char", "*"), Column("mag", "double", unit="mag"))
    lines = (
        written(database, "text", columns, "VALUES ('β Ori', 0.13), ('x', NULL), (NULL, -1.46)").decode().split("\n")
    )
    assert lines == ["name     mag", "         mag", "β Ori   0.13", "x", "       -1.46", ""]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_rows_are_the_same_however_they_come(database: Connection, name: str) -> None:
    """One document of many blocks and one of a few, of rows of equal and of different length."""
    columns = (Column("n", "int"), Column("x", "double"), Column("t", "char", "*"), Column("l", "long"))
    sql = (
        "SELECT n, n / 7.0, CASE WHEN n % 1000 < 500 THEN repeat('é', n % 7) END, CASE WHEN n % 3000 < 2000 THEN n END"
        " FROM generate_series(1, 100000) AS n"
    )
    form = negotiate(name)
    whole = copied(database, form, columns, sql)
    again = copied(database, form, columns, sql)
    assert document(form, columns, whole, ABOUT) == document(form, columns, again, ABOUT)


@pytest.mark.parametrize("name", ["votable", "votable/td", "parquet", "arrow", "json"])
def test_the_least_numbers_are_values_where_null_has_a_word_of_its_own(database: Connection, name: str) -> None:
    columns = (Column("s", "short"), Column("i", "int"), Column("l", "long"), Column("p", "double", "2"))
    least = [-(2**15), -(2**31), -(2**63), [1.5, -2.5]]
    sql = (
        "VALUES ((-32768)::smallint, (-2147483648)::int, (-9223372036854775808)::bigint, '{1.5,-2.5}'::float8[]),"
        " (NULL, NULL, NULL, NULL), (0, 0, 0, '{0,0}'), (-1, -1, -1, NULL)"
    )
    whole = io.BytesIO(written(database, name, columns, sql))
    if name.startswith("votable"):
        array = parse(whole).get_first_table().array
        read = [[plain(row[column.name]) for column in columns] for row in array]
    elif name == "json":
        read = json.load(whole)["data"]
    else:
        table = pq.read_table(whole) if name == "parquet" else pa.ipc.open_stream(whole).read_all()
        read = [list(row.values()) for row in table.to_pylist()]
    assert [row[:3] for row in read] == [least[:3], [None] * 3, [0] * 3, [-1] * 3]
    assert [row[3] for row in read][::2] == [least[3], [0, 0]]
    np.testing.assert_equal([no_points(row[3]) for row in read][1::2], [[NAN, NAN]] * 2)


@pytest.mark.parametrize("name", ["votable", "csv"])
@pytest.mark.parametrize(("available", "sent"), [(99, 99), (100, 100), (101, 100)])
def test_a_row_too_many_is_counted_and_not_sent(database: Connection, name: str, available: int, sent: int) -> None:
    form, columns = FORMATS[name], (Column("n", "int"),)
    rows = copied(database, form, columns, f"SELECT n FROM generate_series(1, {available}) AS n", most=100)
    assert rows.count == available
    assert f"\n{sent + 1}\r" not in document(FORMATS["csv"], columns, rows).decode() if name == "csv" else True
    assert sum(len(block.starts) for block in rows) == sent


def test_text_beyond_ascii_in_a_char_column_costs_no_reader_the_table(database: Connection) -> None:
    columns = (Column("x", "char", "*"), Column("y", "char", "3"), Column("z", "unicodeChar", "2"))
    whole = written(database, "votable", columns, "SELECT 'aé𝔸b', 'longer', 'é'")
    read = parse(io.BytesIO(whole), verify="exception").get_first_table().array[0]
    assert [str(value) for value in read] == ["a??b", "lon", "é"]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_rows_are_a_document_too(database: Connection, name: str) -> None:
    whole = written(database, name, COLUMNS, f"{SQL} LIMIT 0")
    assert whole == written(database, name, COLUMNS, f"{SQL} OFFSET 4")
    assert b"flux" in whole
