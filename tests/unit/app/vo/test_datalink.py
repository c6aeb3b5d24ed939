"""DataLink's documents, read back as XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from almagest.catalogue import Column, Table
from almagest.formats import Input, ServiceDescriptor
from almagest.vo import datalink
from almagest.vo.datalink import Link

V = "{http://www.ivoa.net/xml/VOTable/v1.3}"
THIS = ServiceDescriptor("https://x.org/links", (Input("ID"),), standard_id=datalink.STANDARD, name="links")


@given(st.text(), st.text(min_size=1))
def test_an_identifier_means_the_row_that_it_was_made_for(table: str, key: str) -> None:
    table, key = (text.encode("utf-8", "replace").decode() for text in (table, key))
    assert datalink.parse(datalink.identifier("example.org", table, key), "example.org") == (table, key)


@pytest.mark.parametrize(
    "text",
    ["", "1", "ivo://", "ivo://example.org/~?", "ivo://example.org/~?sky.stars", "ivo://example.org/~?sky.stars/",
     "ivo://other.org/~?sky.stars/1", "ivo://example.org/sky.stars/1", "https://example.org/~?sky.stars/1"],
)  # fmt: skip
def test_what_is_no_identifier_of_this_archive_means_nothing(text: str) -> None:
    assert datalink.parse(text, "example.org") is None


def test_the_authority_is_the_same_in_any_letter_case() -> None:
    assert datalink.parse("IVO://Example.ORG/~?sky.Stars/a%2Fb%20c", "example.org") == ("sky.Stars", "a/b c")


def cells(document: bytes) -> list[dict[str, str]]:
    root = ET.fromstring(document)
    names = [field.get("name", "") for field in root.iter(f"{V}FIELD")]
    return [dict(zip(names, (cell.text or "" for cell in row), strict=True)) for row in root.iter(f"{V}TR")]


def test_links_have_the_columns_of_the_standard() -> None:
    rows = [
        Link("a", "#this", access_url="https://x.org/?a=1&b=2", content_length=5, authorized=True),
        Link("b", "#this", error="NotFoundFault: <none>"),
        Link("c", "https://x.org/terms#near", service="cone", position=(1.5, -2.25)),
    ]
    document = datalink.links(rows, [], THIS, overflow=False)
    first, second, third = cells(document)
    assert list(first)[:8] == [
        "ID", "access_url", "service_def", "error_message", "description", "semantics", "content_type",
        "content_length",
    ]  # fmt: skip
    assert (first["access_url"], first["content_length"], first["link_authorized"]) == (
        "https://x.org/?a=1&b=2", "5", "true",
    )  # fmt: skip
    assert (second["error_message"], second["link_authorized"]) == ("NotFoundFault: <none>", "")
    assert (third["service_def"], third["ra"], third["dec"]) == ("cone", "1.5", "-2.25")
    told = [(one.get("name"), one.get("value")) for one in ET.fromstring(document).iter(f"{V}INFO")]
    assert told == [("QUERY_STATUS", "OK"), ("standardID", datalink.STANDARD)]


def test_an_answer_that_leaves_identifiers_out_says_so_behind_its_table() -> None:
    root = ET.fromstring(datalink.links([], [], THIS, overflow=True))
    results = root.find(f"{V}RESOURCE")
    assert results is not None
    assert [child.tag.removeprefix(V) for child in results] == ["INFO", "INFO", "TABLE", "INFO"]
    assert results[-1].get("value") == "OVERFLOW"


def test_a_descriptor_tells_fixed_inputs_from_columns_and_choices() -> None:
    inputs = (
        Input("TABLE", value="sky.stars"),
        Input("ID", "long", None, column="ra"),
        Input("SR", description="Radius"),
    )
    described = ServiceDescriptor("https://x.org/cone", inputs, name="near", id="cone", content_type="text/xml")
    root = ET.fromstring(datalink.links([], [described], THIS, overflow=False))
    _, service, this = root
    assert (service.get("type"), service.get("utype"), service.get("ID")) == ("meta", "adhoc:service", "cone")
    assert (this.get("utype"), this.get("ID")) == ("adhoc:this", None)
    table, key, radius = service.iterfind(f"{V}GROUP/{V}PARAM")
    assert (table.get("value"), table.get("ref")) == ("sky.stars", None)
    assert (key.get("value"), key.get("ref"), key.get("arraysize")) == ("", "ra", None)
    assert (radius.get("value"), radius.get("ref"), radius.findtext(f"{V}DESCRIPTION")) == ("", None, "Radius")


def test_a_result_without_its_tables_identifier_offers_no_links() -> None:
    key = Column("source_id", "long", ucd="meta.id;meta.main")
    stars = Table("sky", "stars", (key, Column("g", "float")))
    service = datalink.of_results("https://x.org/links", stars, (Column("g", "float"), key))
    assert service is not None
    assert [(one.name, one.value, one.column) for one in service.inputs] == [
        ("ID", "", "source_id"), ("TABLE", "sky.stars", None),
    ]  # fmt: skip
    assert datalink.of_results("https://x.org/links", stars, (Column("g", "float"),)) is None
    # A column of the same name that is made of something else, and a table whose rows have no names.
    assert datalink.of_results("https://x.org/links", stars, (Column("source_id", "long"),)) is None
    assert datalink.of_results("https://x.org/links", Table("sky", "stars", stars.columns[1:]), (key,)) is None
