"""Documents of the Virtual Observatory, read back as XML."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from almagest.catalogue import Catalogue, Column, ForeignKey, Schema, Table
from almagest.formats.markup import document, element
from almagest.vo import tables, tap, uws, vosi

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
XLINK = "{http://www.w3.org/1999/xlink}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
NOON = datetime(2030, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "hostile", ["</a><script>alert(1)</script>", "a & b < c", "\x00\x01\x1f\ufffe", "\ud800", "]]>", "é — 星"]
)
def test_any_text_stays_one_text(hostile: str) -> None:
    root = ET.fromstring(document(element("a", {"b": hostile}, hostile)))
    assert not list(root)
    expected = re.sub("[\x00\x01\x1f\ufffe\ud800]", "\ufffd", hostile)
    assert (root.text, root.get("b")) == (expected, expected)


def test_attributes_are_escaped_and_none_is_left_out() -> None:
    assert element("a", {"b": '"<&\x07', "c": None}, None, "<") == '<a b="&quot;&lt;&amp;\ufffd">&lt;</a>'


def test_times_are_utc_with_their_z() -> None:
    assert uws.timestamp(NOON) == "2030-01-31T12:00:00.123Z"


def job(**values: object) -> uws.JobDocument:
    given = {
        "id": "1",
        "url": "https://x.org/tap/async/1",
        "phase": "PENDING",
        "created": NOON,
        "destruction": NOON,
        "duration": 30,
    }
    return uws.JobDocument(**(given | values))  # type: ignore[arg-type] # a builder of one test's differences


def test_job_has_the_elements_of_its_schema_in_order() -> None:
    root = ET.fromstring(uws.job(job(run_id="r", parameters={"QUERY": "SELECT <"}, error=("bad & worse", False))))
    assert root.get("version") == "1.1"
    assert [child.tag.removeprefix(UWS) for child in root] == [
        "jobId", "runId", "ownerId", "phase", "quote", "creationTime", "startTime", "endTime", "executionDuration",
        "destruction", "parameters", "results", "errorSummary",
    ]  # fmt: skip
    assert root.find(f"{UWS}parameters/{UWS}parameter").text == "SELECT <"  # type: ignore[union-attr] # it is there
    assert root.find(f"{UWS}errorSummary/{UWS}message").text == "bad & worse"  # type: ignore[union-attr] # as above
    assert root.find(f"{UWS}startTime").attrib == {f"{XSI}nil": "true"}  # type: ignore[union-attr] # as above


def test_result_is_named_and_linked_as_tap_wants() -> None:
    root = ET.fromstring(uws.job(job(phase="COMPLETED", result="text/csv")))
    (result,) = root.iter(f"{UWS}result")
    assert result.attrib == {
        "id": "result",
        f"{XLINK}type": "simple",
        f"{XLINK}href": "https://x.org/tap/async/1/results/result",
        "mime-type": "text/csv",
    }


def test_a_job_says_whose_it_is_how_large_its_result_is_and_what_else_is_known() -> None:
    described = job(phase="COMPLETED", owner="ada", result="text/csv", size=4096, info={"table": "tap_user.mine"})
    root = ET.fromstring(uws.job(described))
    assert root.findtext(f"{UWS}ownerId") == "ada"
    assert [result.get("size") for result in root.iter(f"{UWS}result")] == ["4096"]
    assert root.findtext(f"{UWS}jobInfo/{{urn:almagest:job}}table") == "tap_user.mine"
    assert [child.tag for child in root][-1] == f"{UWS}jobInfo"
    (listed,) = ET.fromstring(uws.jobs("https://x.org/tap/async", [described]))
    assert listed.findtext(f"{UWS}ownerId") == "ada"


def test_astroquery_finds_the_prefix_that_it_searches_for() -> None:
    assert b"<uws:jobs " in uws.jobs("https://x.org/tap/async", [job()])
    assert b'<uws:jobref id="1"' in uws.jobs("https://x.org/tap/async", [job()])


STARS = Table(
    schema="gaiadr3",
    name="bright",
    columns=(
        Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main", description="Right <ascension>", indexed=True),
    ),
    description="Bright & near",
    nrows=3,
)
OBJECTS = Table("openngc", "objects", (Column("name", "char", "*"), Column("size", "int", std=True)), kind="view")


def test_tableset_groups_tables_by_schema() -> None:
    described = Schema("gaiadr3", "Gaia DR3", "Sources")
    root = ET.fromstring(tables.tableset(Catalogue([STARS, OBJECTS], [described]), full=True))
    assert "version" not in root.attrib  # the schema forbids it
    assert [schema.findtext("name") for schema in root.findall("schema")] == ["gaiadr3", "openngc"]
    assert [schema.findtext("title") for schema in root.findall("schema")] == ["Gaia DR3", None]
    assert [table.findtext("name") for table in root.iter("table")] == ["gaiadr3.bright", "openngc.objects"]
    (ra,) = root.findall("schema/table[name='gaiadr3.bright']/column")
    assert [child.tag for child in ra] == ["name", "description", "unit", "ucd", "dataType", "flag"]
    assert root.find("schema/table[name='openngc.objects']/column/dataType").attrib == {  # type: ignore[union-attr] # it is there
        f"{XSI}type": "vs:VOTableType",
        "arraysize": "*",
    }


def test_detail_min_leaves_columns_out() -> None:
    root = ET.fromstring(tables.tableset(Catalogue([STARS]), full=False))
    assert not list(root.iter("column"))


def test_tapplus_finds_the_flags_that_it_needs_in_every_column() -> None:
    plain = tables.tableset(Catalogue([STARS, OBJECTS]), full=True)
    root = ET.fromstring(tables.flagged(plain))
    assert [column.get("{http://esa.int/xml/EsaTapPlus}flags") for column in root.iter("column")] == ["0"] * 3
    assert b"esa" not in plain


def test_names_stand_as_queries_have_to_write_them() -> None:
    strange = Table("Über", "table", (Column("size", "int", std=True), Column('a "b"', "int")))
    root = ET.fromstring(tables.single(Catalogue([strange]), strange))
    assert root.findtext("name") == '"Über"."table"'
    assert [column.findtext("name") for column in root.findall("column")] == ['"size"', '"a ""b"""']
    assert [column.get("std") for column in root.findall("column")] == ["true", None]


def test_foreign_key_is_told_only_where_both_of_its_ends_are_seen() -> None:
    known = ForeignKey(("openngc", "objects"), (("ra", "size"),), "Which object")
    unseen = [ForeignKey(("openngc", "secret"), (("ra", "size"),)), ForeignKey(("openngc", "objects"), (("ra", "no"),))]
    pointing = replace(STARS, keys=(known, *unseen))
    root = ET.fromstring(tables.single(Catalogue([pointing, OBJECTS]), pointing))
    (key,) = root.findall("foreignKey")
    assert [child.tag for child in key] == ["targetTable", "fkColumn", "description"]
    assert key.findtext("targetTable") == "openngc.objects"
    assert [child.text for child in key.find("fkColumn") or ()] == ["ra", '"size"']


def test_capabilities_declare_the_service_at_its_address() -> None:
    functions = {"x_cube(value DOUBLE) -> DOUBLE": "the cube"}
    service = tap.Service(
        url="https://x.org/tap",
        languages=[tap.Language("ADQL", "", {"2.1": "ivo://ivoa.net/std/ADQL#v2.1"}, {"features-udf": functions})],
        formats=[tap.OutputFormat("text/csv", ("csv",))],
        duration=tap.Limits(30, 3600),
        retention=tap.Limits(1, 2),
        rows=tap.Limits(10, 100),
        uploads=("inline", "http"),
        upload=tap.Limits(1000, 2000),
        security=("ivo://ivoa.net/sso#BasicAA",),
    )
    root = ET.fromstring(tap.capabilities(service))
    by_id = {capability.get("standardID"): capability for capability in root}
    access = by_id["ivo://ivoa.net/std/TAP"]
    assert access.findtext("interface/accessURL") == "https://x.org/tap"
    assert [child.tag for child in access] == [
        "interface", "language", "outputFormat", "uploadMethod", "uploadMethod", "retentionPeriod", "executionDuration",
        "outputLimit", "uploadLimit",
    ]  # fmt: skip
    methods = [method.get("standardID") for method in access.findall("interface/securityMethod")]
    assert methods == [None, "ivo://ivoa.net/sso#BasicAA"]  # the first: nobody has to log in
    assert access.findtext("language/languageFeatures/feature/form") == "x_cube(value DOUBLE) -> DOUBLE"
    assert by_id["ivo://ivoa.net/std/VOSI#tables-1.1"].findtext("interface/accessURL") == "https://x.org/tap/tables"
    assert access.find("outputLimit/hard").attrib == {"unit": "row"}  # type: ignore[union-attr] # it is there


@pytest.mark.parametrize(("available", "word"), [(True, "true"), (False, "false")])
def test_availability_says_so_and_why_not(available: bool, word: str) -> None:
    root = ET.fromstring(vosi.availability(available=available, notes=["datadb: away"]))
    space = "{http://www.ivoa.net/xml/VOSIAvailability/v1.0}"
    assert [child.tag.removeprefix(space) for child in root] == ["available", "note"]
    assert root[0].text == word
