"""VOSI and examples as they arrive through nginx: what may be kept, compressed, and read by machines."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
import requests

from support import wire
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DESCRIPTIONS = ("capabilities", "tables", "tables?detail=min", "tables/hipparcos.main")


@pytest.mark.parametrize("path", DESCRIPTIONS)
def test_what_a_client_has_is_not_sent_again(archive: Archive, path: str) -> None:
    url = f"{archive.tap}/{path}"
    first = requests.get(url, timeout=30)
    for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        again = requests.get(url, headers={name: first.headers[header]}, timeout=30)
        assert (again.status_code, again.content) == (304, b"")
    assert requests.get(url, headers={"If-None-Match": '"another"'}, timeout=30).content == first.content


@pytest.mark.parametrize("path", [*DESCRIPTIONS, "availability", "examples"])
def test_head_answers_as_get_does_without_the_body(archive: Archive, path: str) -> None:
    url = f"{archive.tap}/{path}"
    got, head = requests.get(url, timeout=30), requests.head(url, timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("path", ["capabilities", "tables", "availability", "examples"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_descriptions_cannot_be_written(archive: Archive, method: str, path: str) -> None:
    assert requests.request(method, f"{archive.tap}/{path}", timeout=30).status_code == 405


def test_tables_are_compressed_for_those_who_ask(archive: Archive) -> None:
    url = f"{archive.tap}/tables"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=30)
    small = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=30)
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.content == plain.content
    assert int(small.headers["Content-Length"]) < len(plain.content) / 3


def test_the_server_says_which_software_it_is(archive: Archive) -> None:
    for path in ("/tap/capabilities", "/tap/tables", "/"):
        answer = requests.get(f"{archive.url}{path}", timeout=30)
        assert re.fullmatch(r"Almagest/\d+\.\d+\.\d+\S*", answer.headers["Server"])


def test_every_example_runs_and_names_the_tables_that_it_reads(archive: Archive) -> None:
    page = requests.get(f"{archive.tap}/examples", timeout=30)
    root = ET.fromstring(page.content)
    (vocabulary,) = [element for element in root.iter() if "vocab" in element.attrib]
    assert vocabulary.get("vocab") == "http://www.ivoa.net/rdf/examples#"
    found = [element for element in vocabulary.iter() if element.get("typeof") == "example"]
    assert len(found) >= 6
    for example in found:
        assert example.get("resource") == f"#{example.get('id')}"
        said = {element.get("property"): element.text or "" for element in example.iter() if element.get("property")}
        assert said["name"]
        assert said["table"] in said["query"]
        answer = archive.query(said["query"])
        assert answer.status_code == 200, answer.text
        assert len(wire.table(answer.content)) > 0, said["name"]
        assert wire.status(answer.content)[0] == "OK"
