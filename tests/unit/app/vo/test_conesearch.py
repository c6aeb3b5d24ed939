"""What cone search says about a table's columns, its errors, and itself."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from almagest.catalogue import Column, Table
from almagest.vo import conesearch

V = "{http://www.ivoa.net/xml/VOTable/v1.3}"

KEY = Column("source_id", "long", ucd="meta.id;meta.main")
RA = Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main")
DEC = Column("dec", "double", unit="deg", ucd="pos.eq.dec;meta.main")
NAME = Column("name", "unicodeChar", "*", ucd="meta.id")


def table(*columns: Column, position: tuple[str, str] | None = ("ra", "dec")) -> Table:
    return Table("sky", "stars", columns, position=position)


@pytest.mark.parametrize(
    ("columns", "identifier"),
    [
        ((NAME, KEY, RA, DEC), "source_id"),  # the main identifier goes before the first
        ((RA, DEC, NAME), "name"),
        ((RA, DEC, Column("parent", "long", ucd="meta.id.parent")), None),
        ((RA, DEC), None),
    ],
)
def test_the_identifier_is_found_by_its_ucd(columns: tuple[Column, ...], identifier: str | None) -> None:
    main = conesearch.main(table(*columns))
    assert (main.id if main else None) == identifier


def test_a_table_without_positions_has_no_cone_search() -> None:
    assert conesearch.main(table(KEY, RA, DEC, position=None)) is None


def test_exactly_one_field_has_each_main_ucd() -> None:
    columns = (
        Column("ra_b1950", "double", ucd="pos.eq.ra;meta.main"),
        Column("other_id", "long", ucd="META.ID;META.MAIN"),
        Column("ra", "double", unit="deg"),
        Column("dec", "double", unit="deg", ucd="pos.eq.dec"),
        NAME,
    )
    main = conesearch.Main("name", "ra", "dec")
    named = conesearch.labelled(columns, main, conesearch.UCD1_PLUS)
    assert [column.ucd for column in named] == [
        "pos.eq.ra", "META.ID", "pos.eq.ra;meta.main", "pos.eq.dec;meta.main", "meta.id;meta.main",
    ]  # fmt: skip
    oldest = conesearch.labelled(columns, main, conesearch.UCD1)
    assert [column.ucd for column in oldest[2:]] == ["POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN", "ID_MAIN"]


def test_an_identifier_that_is_a_number_is_told_as_text() -> None:
    main = conesearch.Main("source_id", "ra", "dec")
    (number,) = conesearch.labelled((KEY,), main, conesearch.UCD1)
    (text,) = conesearch.labelled((NAME,), replace(main, id="name"), conesearch.UCD1)
    assert (number.datatype, number.arraysize) == ("char", "*")
    assert (text.datatype, text.arraysize) == ("unicodeChar", "*")


def test_an_error_stands_where_old_and_new_clients_look() -> None:
    root = ET.fromstring(conesearch.error_document("RA < 0 & more"))
    assert [child.tag for child in root] == [f"{V}INFO", f"{V}RESOURCE"]
    assert root[0].attrib == {"name": "Error", "value": "RA < 0 & more"}
    (status,) = root[1]
    assert (status.attrib, status.text) == ({"name": "QUERY_STATUS", "value": "ERROR"}, "RA < 0 & more")


def test_capabilities_name_a_base_url_and_a_row_to_try() -> None:
    service = conesearch.Service("https://x.org/conesearch/sky.stars", 180.0, 1000, (10.5, -3.25))
    by_id = {part.get("standardID"): part for part in ET.fromstring(conesearch.capabilities(service))}
    cone = by_id["ivo://ivoa.net/std/ConeSearch"]
    assert cone.findtext("interface/accessURL") == "https://x.org/conesearch/sky.stars?"
    assert [child.tag for child in cone] == ["interface", "maxSR", "maxRecords", "verbosity", "testQuery"]
    assert [(child.tag, child.text) for child in cone.iterfind("testQuery/*")] == [
        ("ra", "10.5"), ("dec", "-3.25"), ("sr", "0.001"),
    ]  # fmt: skip
    assert {"ivo://ivoa.net/std/VOSI#capabilities", "ivo://ivoa.net/std/VOSI#availability"} < by_id.keys()


def test_an_empty_table_offers_no_row_to_try() -> None:
    service = conesearch.Service("https://x.org/conesearch/sky.stars", 180.0, 1000, None)
    assert b"testQuery" not in conesearch.capabilities(service)
