"""Descriptions, and how they join with a source's columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from almagest.ingest.demo import NAMES, open_demo
from almagest.ingest.description import Description, read
from almagest.ingest.errors import IngestError
from almagest.ingest.layout import layout
from almagest.ingest.readers.csv import CsvSource


def source(tmp_path: Path, header: str = "id,B-V,ra,dec", row: str = "1,0.5,10.0,20.0") -> CsvSource:
    (tmp_path / "rows.csv").write_text(f"{header}\n{row}\n")
    return CsvSource(tmp_path / "rows.csv", "rows.csv", {})


def described(tmp_path: Path, text: str) -> Description:
    (tmp_path / "rows.yaml").write_text(text)
    return read(tmp_path / "rows.yaml")


def test_a_column_gets_a_new_name_and_what_is_said_of_it(tmp_path: Path) -> None:
    text = "columns: {b_v: {source: B-V, unit: mag, ucd: phot.color, description: Colour}}"
    plan = layout("a.b", source(tmp_path), described(tmp_path, text))
    column = plan.columns[1]
    assert (column.name, column.unit, column.ucd, column.description) == ("b_v", "mag", "phot.color", "Colour")


def test_a_name_that_adql_cannot_say_needs_another(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"column 'B-V': is no ADQL identifier"):
        layout("a.b", source(tmp_path), Description())


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="differs from ra only in letter case"):
        layout("a.b", source(tmp_path, "ra,RA", "1,2"), Description())


def test_a_position_must_be_double(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="column ra: is int; a position needs double"):
        layout("a.b", source(tmp_path, "ra,dec", "1,2"), described(tmp_path, "table: {position: [ra, dec]}"))


def test_the_fingerprint_follows_the_shape_and_not_the_words(tmp_path: Path) -> None:
    rows = source(tmp_path, "id,ra,dec", "1,10.5,20.5")
    plain, worded, keyed = (
        layout("a.b", rows, described(tmp_path, text)).fingerprint("digest")
        for text in ("{}", "columns: {id: {description: words}}", "table: {primary_key: id}")
    )
    assert plain == worded
    assert plain != keyed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {a: {unit: lightyears}}", "columns.a.unit: 'lightyears' is no VOUnit"),
        ("columns: {a: {ucd: phot.colour}}", "columns.a.ucd: 'phot.colour' is no UCD1+"),
        ("columns: {a b: {}}", "columns.a b"),
        ("columns: {a: {source: x}, b: {source: x}}", "two columns come from x"),
        ("table: {position: [ra]}", "table.position"),
        ("nonsense: 1", "nonsense"),
        ("{", "is not YAML"),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(IngestError) as caught:
        described(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_the_demo_catalogues_is_described(name: str) -> None:
    rows, description = open_demo(name)
    plan = layout("demo.t", rows, description)
    assert [column.name for column in plan.columns if not (column.description and column.ucd)] == []
    assert plan.position == ("ra", "dec")
    assert description.data.acknowledgement
    assert description.data.licence


def test_the_gaia_package_calls_magnitudes_what_they_are() -> None:
    rows, _ = open_demo("gaia")
    barnard = 4472832130942575872
    for block in rows.blocks():
        found = block.columns[0].values == barnard  # type: ignore[union-attr] # the identifiers are numbers
        if found.any():
            magnitudes = [float(column.values[found][0]) for column in block.columns[3:]]  # type: ignore[union-attr] # as above
            assert magnitudes == pytest.approx([8.194, 9.792, 6.958], abs=0.001)
            return
    pytest.fail("Barnard's star is not there")


def test_examples_and_foreign_keys_are_read_as_written(tmp_path: Path) -> None:
    text = """
    table: {foreign_keys: [{target: a.c, columns: {ra: lon}}]}
    examples: [{name: All, query: SELECT * FROM a.b}]
    """
    found = described(tmp_path, text)
    assert [(key.target, key.columns) for key in found.table.foreign_keys] == [("a.c", {"ra": "lon"})]
    assert [(example.name, example.query) for example in found.examples] == [("All", "SELECT * FROM a.b")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("examples: [{name: All}]", "examples.0.query"),
        ("table: {foreign_keys: [{target: c, columns: {ra: lon}}]}", "table.foreign_keys.0.target"),
        ("table: {foreign_keys: [{target: a.c, columns: {}}]}", "table.foreign_keys.0.columns"),
    ],
)
def test_examples_and_foreign_keys_are_whole(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(IngestError, match=place):
        described(tmp_path, text)
