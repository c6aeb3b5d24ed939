"""`almagest-app val FILE.yaml`: every fault is named with its line, and an editor is given the rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from almagest.__main__ import main
from almagest.ingest import demo
from almagest.ingest.demo import NAMES
from almagest.ingest.remarks import SaidOfColumn, SaidOfTable, remarks

GOOD = """
schema: {description: A survey, licence: CC0, creators: [{name: "A. Tester", orcid: 0000-0002-1825-0097}]}
table: {title: Stars, description: All of them, position: [ra, dec], epoch: J2000}
columns:
  ra: {description: Right ascension, unit: deg, ucd: pos.eq.ra;meta.main}
  dec: {description: Declination, unit: deg, ucd: pos.eq.dec;meta.main}
"""


def judge(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    path = tmp_path / "stars.yaml"
    path.write_text(text)
    code = main(["val", "--json", str(path)])
    return code, json.loads(capsys.readouterr().out)


def test_a_complete_file_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(tmp_path, GOOD, capsys) == (0, [])


def test_every_fault_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("unit: deg, ucd: pos.eq.ra", "unit: degs, ucd: pos.eq.aa") + "  ra: {}\nsorts: 1\n"
    code, found = judge(tmp_path, text, capsys)
    assert code == 1
    assert [(remark["place"].rpartition(", ")[2], remark["message"].partition(":")[0]) for remark in found] == [
        ("line 7", "columns.ra")
    ]
    code, found = judge(tmp_path, text.replace("  ra: {}\n", ""), capsys)
    assert [(remark["place"].rpartition(", ")[2], remark["message"].partition(":")[0]) for remark in found] == [
        ("line 5", "columns.ra.unit"),
        ("line 5", "columns.ra.ucd"),
        ("line 7", "sorts"),
    ]


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0098", "1825-0097", "0000-0002-1825-009X"])
def test_an_orcid_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], orcid: str) -> None:
    code, found = judge(tmp_path, GOOD.replace("0000-0002-1825-0097", orcid), capsys)
    assert code == 1
    assert "schema.creators.0.orcid" in found[0]["message"]


def test_what_is_missing_is_a_warning_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = judge(tmp_path, "columns: {size: {ucd: phot.mag, datatype: float}}", capsys)
    assert code == 0
    said = {remark["place"] + ": " + remark["message"].partition(";")[0] for remark in found}
    assert "stars: schema.licence is missing" in said
    assert "stars.size: description is missing" in said
    assert "stars.size: unit is missing, and a column with ucd phot.mag should have one" in said
    assert 'stars.size: size is a word of ADQL: queries must write "size"' in said


def test_positions_without_an_index_are_an_error() -> None:
    ra, dec = (SaidOfColumn(name, "double", "deg", f"pos.eq.{name};meta.main", "x", 0) for name in ("ra", "dec"))
    table = SaidOfTable("a.b", "T", "D", None, "", (ra, dec), "S", "CC0", ["A"])
    assert [str(remark) for remark in remarks(table)] == [
        "error: a.b: has positions without an index; say `position: [ra, dec]` in the metadata file"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_demo_catalogues_have_no_errors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["val", str(Path(demo.__file__).with_name(f"{name}.yaml"))]) == 0, capsys.readouterr().out


def test_the_schema_knows_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["val", "--schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)["properties"]) == {"schema", "table", "columns", "examples"}
