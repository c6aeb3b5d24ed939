"""DataLink as clients use it, and as attackers do."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from astropy.io import votable
from pyvo.dal import TAPResults
from pyvo.dal.adhoc import DatalinkResults, DatalinkService

from support import catalogues, wire
from support.application import Application
from support.archive import Archive

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

AUTHORITY = "127.0.0.1"
"""The site's host, because the tests' archive has no authority of its own."""

ANDROMEDA = f"ivo://{AUTHORITY}/~?openngc.objects/NGC0224"
STAR = f"ivo://{AUTHORITY}/~?hipparcos.main/1"

Links = list[dict[str, str]]


def ask(archive: Archive, *identifiers: str, post: bool = False, **parameters: str) -> requests.Response:
    """The answer of `{links}`. None of these may be a mistake of the server's."""
    sent = [*(("ID", identifier) for identifier in identifiers), *parameters.items()]
    url = f"{archive.url}/datalink/links"
    answer = requests.post(url, data=sent, timeout=60) if post else requests.get(url, params=sent, timeout=60)
    assert answer.status_code < 500, answer.text
    return answer


def links(answer: requests.Response) -> Links:
    root = ET.fromstring(answer.content)
    names = [field.get("name", "") for field in root.iter(f"{wire.VOTABLE}FIELD")]
    return [dict(zip(names, (cell.text or "" for cell in row), strict=True)) for row in root.iter(f"{wire.VOTABLE}TR")]


def by_semantics(found: Links, semantics: str) -> Links:
    return [link for link in found if link["semantics"].endswith(semantics)]


@pytest.fixture
def stored(application: Application, archive: Archive) -> Iterator[None]:
    """A preview of one row, and a page for every row of the same table."""
    insert = """
        INSERT INTO metadata_link (table_id, key, semantics, access_url, description, content_type, content_length,
                                   content_qualifier, local_semantics, link_auth, "order")
        SELECT t.id, %s, %s, %s, 'stored', 'image/png', 1234, '#image', 'hst', 'true', 0
        FROM metadata_table t JOIN metadata_schema s ON s.id = t.schema_id
        WHERE s.name = 'openngc' AND t.name = 'objects'
    """
    with application.app() as connection:
        connection.execute(insert, ("NGC0224", "#preview", "https://example.org/m31.png"))
        connection.execute(insert, ("", "#auxiliary", "https://example.org/page?name={key}"))
    yield
    with application.app() as connection:
        connection.execute("DELETE FROM metadata_link")


def test_this_is_the_row_itself(archive: Archive) -> None:
    (this,) = by_semantics(links(ask(archive, STAR)), "#this")
    row = wire.table(requests.get(this["access_url"], timeout=60).content)
    assert (len(row), row["hip"][0]) == (1, 1)
    assert (this["content_type"], this["link_auth"], this["link_authorized"]) == (
        "application/x-votable+xml", "optional", "true",
    )  # fmt: skip


def test_pages_of_a_row_are_there(archive: Archive) -> None:
    found = links(ask(archive, ANDROMEDA))
    documentation = [link["access_url"] for link in by_semantics(found, "#documentation")]
    assert documentation == [f"{archive.url}/data/openngc/objects/", "https://github.com/mattiaverga/OpenNGC"]
    assert [link["description"] for link in by_semantics(found, "#licence")] == ["Licence: CC BY-SA 4.0"]
    for link in found:
        if link["access_url"].startswith(archive.url):
            assert requests.get(link["access_url"], timeout=30).status_code == 200


def test_own_terms_are_addresses_at_which_they_are_explained(archive: Archive) -> None:
    own = {link["semantics"] for link in links(ask(archive, ANDROMEDA)) if not link["semantics"].startswith("#")}
    assert len(own) == 3
    for term in own:
        page, _, name = term.partition("#")
        assert f'id="{name}"' in requests.get(page, timeout=30).text


def test_every_row_has_exactly_one_of_address_service_and_error(archive: Archive) -> None:
    found = links(ask(archive, STAR, ANDROMEDA, "nonsense", f"{STAR}0000000"))
    for link in found:
        assert len([name for name in ("access_url", "service_def", "error_message") if link[name]]) == 1
        assert link["ID"]
        assert link["semantics"]


def test_links_of_one_identifier_stay_together_in_the_order_asked(archive: Archive) -> None:
    asked = [ANDROMEDA, STAR, "nonsense", f"ivo://{AUTHORITY}/~?openngc.objects/NGC0001"]
    found = [link["ID"] for link in links(ask(archive, *asked, ANDROMEDA))]
    assert list(dict.fromkeys(found)) == asked
    assert found == sorted(found, key=asked.index)


@pytest.mark.parametrize(
    ("identifier", "fault"),
    [
        (f"ivo://{AUTHORITY}/~?openngc.objects/NGC9999", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?openngc.nix/NGC0224", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?almagest.loads/1", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?hipparcos.main/01", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?hipparcos.main/1.0", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?hipparcos.main/{'9' * 5000}", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?hipparcos.main/9223372036854775807", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?hipparcos.main/1%20OR%201=1", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?openngc.objects/' OR 1=1 --", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?openngc.objects/\\'; DROP TABLE openngc.objects; --", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?openngc.objects/%00", "NotFoundFault"),
        (f"ivo://{AUTHORITY}/~?openngc.objects/{'x' * 20_000}", "NotFoundFault"),
        ("ivo://elsewhere.org/~?hipparcos.main/1", "UsageFault"),
        ("http://169.254.169.254/latest/meta-data", "UsageFault"),
        ("file:///etc/passwd", "UsageFault"),
        ("1", "UsageFault"),
        ("<script>alert(1)</script>", "UsageFault"),
        ("\x01\ufffe", "UsageFault"),
    ],
)
def test_what_is_not_there_is_one_row_with_its_fault(archive: Archive, identifier: str, fault: str) -> None:
    (found,) = links(ask(archive, identifier, post=True))
    assert found["error_message"].startswith(f"{fault}: ")
    assert found["semantics"] == "#this"
    assert not any(found[name] for name in ("access_url", "service_def", "description", "content_type"))


def test_no_identifier_gets_a_table_without_rows_and_the_service_itself(archive: Archive) -> None:
    answer = ask(archive)
    assert (answer.status_code, links(answer), wire.status(answer.content)[0]) == (200, [], "OK")
    described = ET.fromstring(answer.content).findall(f"{wire.VOTABLE}RESOURCE[@utype='adhoc:this']")
    assert [param.get("value") for param in described[0].findall(f"{wire.VOTABLE}PARAM[@name='accessURL']")] == [
        f"{archive.url}/datalink/links"
    ]


def test_more_identifiers_than_are_answered_overflow_between_identifiers(archive: Archive) -> None:
    asked = [f"ivo://{AUTHORITY}/~?hipparcos.main/{row['hip']}" for row in catalogues.hipparcos()[:501]]
    answer = ask(archive, *asked, post=True)
    found = links(answer)
    assert wire.status(answer.content)[0] == "OVERFLOW"
    assert list(dict.fromkeys(link["ID"] for link in found)) == asked[:500]
    assert len({json.dumps([link["semantics"] for link in found if link["ID"] == one]) for one in asked[:500]}) == 1


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        ("", "application/x-votable+xml;content=datalink"),
        ("votable", "application/x-votable+xml;content=datalink"),
        ("application/x-votable+xml", "application/x-votable+xml;content=datalink"),
        ("application/x-votable+xml; serialization=tabledata", "application/x-votable+xml;content=datalink"),
        ("text/xml", "text/xml"),
    ],
)
def test_content_type_is_the_one_that_clients_compare(archive: Archive, wanted: str, answered: str) -> None:
    assert ask(archive, STAR, RESPONSEFORMAT=wanted).headers["Content-Type"] == answered


def test_another_format_is_a_usage_fault(archive: Archive) -> None:
    answer = ask(archive, STAR, RESPONSEFORMAT="csv")
    assert answer.status_code == 400
    assert wire.status(answer.content)[1].startswith("UsageFault: links come as votable only")


def test_keys_are_understood_where_the_table_is_named(archive: Archive) -> None:
    found = links(ask(archive, "1", "2", TABLE="hipparcos.main"))
    assert [link["ID"] for link in by_semantics(found, "#this")] == ["1", "2"]
    (missing,) = links(ask(archive, "1", TABLE="hipparcos.nix"))
    assert missing["error_message"].startswith("NotFoundFault: ")


@pytest.mark.usefixtures("stored")
def test_stored_links_belong_to_their_rows(archive: Archive) -> None:
    found = links(ask(archive, ANDROMEDA))
    (preview,) = by_semantics(found, "#preview")
    assert preview["access_url"] == "https://example.org/m31.png"
    assert [preview[name] for name in ("content_length", "content_qualifier", "local_semantics", "link_auth")] == [
        "1234", "#image", "hst", "true",
    ]  # fmt: skip
    assert [link["access_url"] for link in by_semantics(found, "#auxiliary")] == [
        "https://example.org/page?name=NGC0224"
    ]
    other = links(ask(archive, f"ivo://{AUTHORITY}/~?openngc.objects/NGC0001"))
    assert by_semantics(other, "#preview") == []
    assert len(by_semantics(other, "#auxiliary")) == 1


def test_pyvo_iterates_over_links_and_calls_their_services(archive: Archive) -> None:
    found = DatalinkService(f"{archive.url}/datalink/links").run_sync([STAR, ANDROMEDA])
    assert {link.id for link in found} == {STAR, ANDROMEDA}
    services: list[Any] = [link for link in found if link.service_def]
    assert len(services) == 2
    for link in services:
        rows = wire.table(link.process(SR=0.5).read())
        assert len(rows) >= 1
    (star,) = (wire.table(link.process(SR=0.01).read()) for link in services if link.id == STAR)
    assert list(star["hip"]) == ["1"]


def test_pyvo_reads_one_row_by_its_address(archive: Archive) -> None:
    found = DatalinkResults.from_result_url(f"{archive.url}/datalink/links?ID={ANDROMEDA}")
    assert next(iter(found)).semantics == "#this"
    assert found.getrecord(0).content_type == "application/x-votable+xml"


@pytest.mark.parametrize(
    ("table", "key", "in_order"),
    [
        ("openngc.objects", "name", False),
        # pyvo finds the links of numbers again only when it asks for them row by row.
        ("hipparcos.main", "hip", True),
    ],
)
def test_pyvo_follows_the_descriptor_beside_a_result(archive: Archive, table: str, key: str, in_order: bool) -> None:
    answer = archive.query(f"SELECT TOP 3 {key} FROM {table}").text
    rows = TAPResults(votable.parse(io.BytesIO(answer.encode())))
    found = [
        (links.original_row[key], {link.semantics for link in links})
        for links in rows.iter_datalinks(preserve_order=in_order)
    ]
    assert sorted(row for row, _ in found) == sorted(row[key] for row in rows)
    assert all("#this" in semantics for _, semantics in found)


LACKING = "Unknown predicate 'documentation'"
"""stilts 3.4.7 knows the vocabulary of 2015, which has no #documentation; DataLink 1.1 §3.2.6 forbids its full URI."""


def test_datalinklint_finds_no_error(archive: Archive, tmp_path: Path) -> None:
    for name, identifiers in {"none": (), "rows": (STAR, ANDROMEDA), "wrong": ("nonsense", f"{STAR}0000000")}.items():
        document = tmp_path / f"{name}.vot"
        document.write_bytes(ask(archive, *identifiers).content)
        command = ["stilts", "datalinklint", "format=json", "report=EWF", "maxrepeat=999", str(document)]
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        reports = json.loads(outcome.stdout)["sections"]
        assert [report["text"] for report in reports if LACKING not in report["text"]] == []
        lint = subprocess.run(["stilts", "votlint", document], capture_output=True, text=True, timeout=120, check=False)
        assert lint.stdout + lint.stderr == ""


def test_capabilities_are_valid_xml(archive: Archive, tmp_path: Path) -> None:
    document = tmp_path / "capabilities.xml"
    document.write_bytes(requests.get(f"{archive.url}/datalink/capabilities", timeout=30).content)
    command = ["stilts", "xsdvalidate", "uselocals=true", f"doc={document}"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert outcome.returncode == 0, outcome.stderr
    (service,) = ET.parse(document).getroot().findall("capability[@standardID='ivo://ivoa.net/std/DataLink#links-1.1']")
    assert service.findtext("interface/accessURL") == f"{archive.url}/datalink/links"
