"""Every document that the archive sends, against the schema of its kind and the VO's own lint."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import astropy.io.votable
import pytest
import requests
from lxml import etree

from support import wire
from support.archive import Archive
from support.stilts import votlint, xsdvalidate

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCHEMAS = Path(astropy.io.votable.__file__).parent / "data"
STARS = "SELECT TOP 20 hip, ra, dec, parallax, hp_mag FROM hipparcos.main ORDER BY hip"
DOCUMENTS = (
    "capabilities",
    "availability",
    "tables",
    "tables?detail=min",
    "tables/hipparcos.main",
    "tables/tap_schema.columns",
)


@cache
def schema(version: str) -> etree.XMLSchema:
    """VOTable's schema of that version, as astropy brings it along."""
    return etree.XMLSchema(etree.parse(SCHEMAS / f"VOTable.v{version}.xsd"))


def check_votable(document: bytes, directory: Path) -> None:
    """What votlint and the schema of the document's own version have against it: nothing."""
    path = directory / "document.vot"
    path.write_bytes(document)
    root = etree.fromstring(document, etree.XMLParser(no_network=True, resolve_entities=False, huge_tree=True))
    rules = schema(root.get("version"))
    assert rules.validate(root), rules.error_log
    assert votlint(path) == []


def check_xml(document: bytes, directory: Path) -> None:
    path = directory / "document.xml"
    path.write_bytes(document)
    assert xsdvalidate(path) == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_what_the_service_says_about_itself_is_valid(archive: Archive, tmp_path: Path, path: str) -> None:
    check_xml(requests.get(f"{archive.tap}/{path}", timeout=60).content, tmp_path)


@pytest.mark.parametrize("serialization", ["votable", "votable/b2", "votable/td"])
@pytest.mark.parametrize(
    "query",
    [
        STARS,
        "SELECT * FROM tap_schema.columns",
        "SELECT * FROM openngc.objects WHERE messier IS NOT NULL",
        "SELECT TOP 3 POINT(ra, dec) AS p, CIRCLE(ra, dec, 1) AS c, ra / 2 AS r, LOWER('É') AS t FROM hipparcos.main",
        "SELECT hip, ra FROM hipparcos.main WHERE hip < 0",
    ],
)
def test_answers_are_valid_votables(archive: Archive, tmp_path: Path, query: str, serialization: str) -> None:
    answer = archive.query(query, RESPONSEFORMAT=serialization)
    assert answer.status_code == 200, answer.text
    check_votable(answer.content, tmp_path)


@pytest.mark.parametrize("maxrec", ["0", "5"])
def test_cut_answers_are_valid_votables(archive: Archive, tmp_path: Path, maxrec: str) -> None:
    answer = archive.query(STARS, MAXREC=maxrec)
    assert wire.status(answer.content)[0] == "OVERFLOW"
    check_votable(answer.content, tmp_path)


@pytest.mark.parametrize("query", ["SELECT nothing FROM nowhere", "SELECT '<&\x07é' FROM", ""])
def test_errors_are_valid_votables(archive: Archive, tmp_path: Path, query: str) -> None:
    answer = archive.query(query)
    assert answer.status_code == 400
    check_votable(answer.content, tmp_path)


def test_jobs_are_valid_in_every_phase_and_so_are_their_results(archive: Archive, tmp_path: Path) -> None:
    done = archive.submit(STARS, RUNID="a & b")
    check_xml(requests.get(done, timeout=30).content, tmp_path)
    for job, query, phase in ((done, STARS, "COMPLETED"), (archive.submit("SELECT x FROM y"), "", "ERROR")):
        requests.post(f"{job}/phase", data={"PHASE": "RUN"}, timeout=30)
        assert archive.until(job, "COMPLETED", "ERROR") == phase
        for part in ("", "/parameters", "/results"):
            check_xml(requests.get(f"{job}{part}", timeout=30).content, tmp_path)
        check_votable(requests.get(f"{job}/results/result" if query else f"{job}/error", timeout=30).content, tmp_path)
    aborted = archive.submit(STARS)
    requests.post(f"{aborted}/phase", data={"PHASE": "ABORT"}, timeout=30)
    check_xml(requests.get(aborted, timeout=30).content, tmp_path)
    check_xml(requests.get(f"{archive.tap}/async", timeout=30).content, tmp_path)
