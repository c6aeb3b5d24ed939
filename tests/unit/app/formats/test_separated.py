"""CSV, TSV and ECSV, cut into pieces at any place, as rows and types."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from almagest.catalogue import Column
from almagest.formats.decode import Bounds, DecodingError, decode, separated
from support.types_grammar import rows

BOUNDS = Bounds(bytes=20_000_000, rows=100_000, columns=200, cell=1_000_000, row=4_000_000)
FIELDS = ("a", '"', '""', "x\ny", "x\r\ny", "\r", ",", "", "5in", 'say "hi"\n', "z" * 70, "\u2028", "é" * 30)
SMALL = 50
"""Bytes of a piece: most rows are cut."""


def read(data: bytes, media_type: str = "text/csv") -> list[tuple[Any, ...]]:
    decoded = decode(io.BytesIO(data), media_type, BOUNDS)
    return rows(decoded.columns, decoded.blocks)


def columns(data: bytes, media_type: str = "text/csv") -> tuple[Column, ...]:
    return decode(io.BytesIO(data), media_type, BOUNDS).columns


def quoted(field: str, *, always: bool) -> str:
    return f'"{field.replace(chr(34), chr(34) * 2)}"' if always or re.search('[",\r\n]', field) else field


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    table=st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(st.sampled_from(FIELDS), min_size=width, max_size=width), min_size=1)
    ),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    always=st.booleans(),
    last=st.booleans(),
    size=st.sampled_from([SMALL, 7, 1 << 20]),
)
def test_rows_are_the_same_wherever_the_file_is_cut(
    table: list[list[str]], ending: str, *, always: bool, last: bool, size: int
) -> None:
    names = [f"c{number}" for number in range(len(table[0]))]
    lines = [",".join(quoted(field, always=always) for field in row) for row in (names, *table)]
    text = ending.join(lines) + (ending if last or not lines[-1] else "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(separated, "BLOCK_BYTES", size)
        found = read(text.encode())
    assert [[str(value or "") for value in row] for row in found] == table


@pytest.mark.parametrize("size", [SMALL, 1 << 20])
def test_a_quote_inside_a_field_is_a_character(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separated, "BLOCK_BYTES", size)
    data = b"a,b\n" + b'5" pipe,1\n' * 30 + b'"x\ny",2\n' * 30 + b'6",3\n' * 3
    found = read(data)
    assert (len(found), found[0], found[30], found[-1]) == (63, ('5" pipe', 1), ("x\ny", 2), ('6"', 3))


@pytest.mark.parametrize(
    ("values", "datatype"),
    [
        (["4295806720", "1234567890123456789"], "long"),
        (["9223372036854775807", "-9223372036854775808", ""], "long"),
        (["+9223372036854775807", "NaN"], "long"),
        (["9223372036854775808", "1"], "char"),
        (["18446744073709551615"], "char"),
        (["-9223372036854775809"], "char"),
        (["01234567890123456789", "1"], "char"),
        (["2147483647", "-2147483648"], "int"),
        (["2147483648"], "long"),
        (["0x10"], "char"),
        (["1_000"], "char"),
        (["1.5", "1234567890123456789"], "double"),
        (["2030-13-01"], "char"),
        (["٣"], "char"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/csv", "text/tab-separated-values", ""])
def test_whole_numbers_within_64_bits_are_numbers(values: list[str], datatype: str, media_type: str) -> None:
    data = "n\tk\n" + "".join(f"{value}\t1\n" for value in values)
    data = data if media_type.endswith("values") else data.replace("\t", ",")
    assert columns(data.encode(), media_type)[0].datatype == datatype
    found = [row[0] for row in read(data.encode(), media_type)]
    wanted = {"char": str, "double": float}.get(datatype, int)
    assert found == [wanted(value) if value not in ("", "NaN") else None for value in values]


def test_an_empty_line_is_a_row_of_a_table_of_one_column_only() -> None:
    assert read(b"a\r\n1\r\n\r\n\r\n") == [(1,), (None,), (None,)]
    assert read(b'a\n\nx\n""\n') == [(None,), ("x",), ("",)]
    assert read(b"a\n") == read(b"a") == []
    assert read(b"a\n\n\n", "text/tab-separated-values") == [(None,), (None,)]
    assert read(b"a,b\n1,2\n\n3,4\n\n") == [(1, 2), (3, 4)]


def test_tabs_as_iana_has_them_have_no_quotes_and_no_comments() -> None:
    data = b'#a\tb,c\n"x\t"\n#y\t5"\n'
    assert read(data, "text/tab-separated-values") == [('"x', '"'), ("#y", '5"')]
    assert [column.name for column in columns(data, "text/tab-separated-values")] == ["#a", "b,c"]


ECSV = """# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# - {name: id, datatype: uint64}
# - {name: ra, unit: deg, datatype: float64, description: Right ascension, meta: {ucd: pos.eq.ra}}
# - name: seen
#   datatype: string
#   meta: !!omap
#   - {xtype: timestamp}
# - {name: pair, datatype: string, subtype: 'int16[2]'}
# - {name: any, datatype: string, subtype: 'float64[null]'}
# - {name: grid, datatype: string, subtype: 'bool[3,2]'}
# - {name: z, datatype: complex128}
# - {name: code, datatype: string}
# - {name: loose, datatype: string, subtype: json}
# schema: astropy-2.0
id,ra,seen,pair,any,grid,z,code,loose
"""


def test_ecsv_says_its_types_itself() -> None:
    arrays = '"[1,null]","[1.5,NaN,null]","[[true,false],[true,true],[false,null]]"'
    data = (ECSV + f'9223372036854775807,1.5,x,{arrays},1.5-2j,007,"{{1}}"' + '\n"","","","","","","","",""\n').encode()
    told = [(column.name, column.datatype, column.arraysize, column.xtype) for column in columns(data)]
    assert told == [
        ("id", "long", None, None), ("ra", "double", None, None), ("seen", "char", "*", None),
        ("pair", "short", "2", None), ("any", "double", "*", None), ("grid", "boolean", "2x3", None),
        ("z", "double", "2", "complex"), ("code", "char", "*", None), ("loose", "char", "*", None),
    ]  # fmt: skip
    ra = columns(data)[1]
    assert (ra.unit, ra.ucd, ra.description) == ("deg", "pos.eq.ra", "Right ascension")
    first, second = read(data)
    assert str(first[4]) == "[1.5, nan, None]"
    assert (*first[:4], *first[5:]) == (
        2**63 - 1, 1.5, "x", [1, None], [True, False, True, True, False, None], [1.5, -2.0], "007", "{1}",
    )  # fmt: skip
    assert second == (None,) * 9


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ECSV + "9223372036854775808,,,,,,,,\n", "row 1, column 'id': '9223372036854775808' is not a long"),
        (ECSV + '1,,,"[1]",,,,,\n', r"row 1, column 'pair': '\[1\]' is not a short"),
        (ECSV + '1,,,"[1,70000]",,,,,\n', "row 1, column 'pair'"),
        (ECSV + '1,,,"[1,true]",,,,,\n', "row 1, column 'pair'"),
        (ECSV + "1,,,,12,,,,\n", "row 1, column 'any'"),
        (ECSV + f'1,,,,"{"[" * 90_000}",,,,\n', "row 1, column 'any'"),
        (ECSV + "1,,,,,,1;2,,\n", "row 1, column 'z'"),
        (ECSV.replace("id,ra", "ra,id"), "other columns"),
        (ECSV.replace("uint64", "object"), "column 'id': has the ECSV type 'object'"),
        (ECSV.replace("{name: id", "{nam: id"), "no name for column 1"),
        (ECSV.replace("','", "';'"), "neither a blank nor a comma"),
        (ECSV.replace("datatype:\n", "datatypes:\n"), "no list `datatype`"),
        (ECSV.replace("{name: id", "{{name: id"), "not YAML"),
        (ECSV.replace("uint64", "[" * 100 + "]" * 100), "nested more than"),
        (ECSV.replace("uint64", "&a uint64").replace("float64,", "*a,"), "alias"),
        ("# %ECSV 1.0\na\n1\n", "no list `datatype`"),
    ],
)
def test_what_is_wrong_with_ecsv_is_said_in_words(data: str, message: str) -> None:
    with pytest.raises(DecodingError, match=message):
        read(data.encode())
