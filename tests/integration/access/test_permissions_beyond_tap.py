"""What one may not read is not there, whichever protocol asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
import requests

from support import wire
from support.access import Access
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TABLE = "hipparcos.main"
HERE = {"RA": "56.75", "DEC": "24.12", "SR": "0.3"}
STAR = f"ivo://127.0.0.1/~?{TABLE}/17702"


@pytest.fixture(scope="module")
def access(archive: Archive) -> Iterator[Access]:
    """Users, and a table that only those may read who logged in."""
    prepared = Access.prepared(archive.application)
    prepared.level(TABLE, "internal")
    prepared.synchronise()
    yield prepared
    prepared.level(TABLE, "public")
    prepared.synchronise()


def cone(archive: Archive, auth: tuple[str, str] | None = None) -> requests.Response:
    return requests.get(f"{archive.url}/conesearch/{TABLE}", params=HERE, auth=auth, timeout=60)


def links(archive: Archive, auth: tuple[str, str] | None = None) -> list[list[str]]:
    answer = requests.get(f"{archive.url}/datalink/links", params={"ID": STAR}, auth=auth, timeout=60)
    assert answer.status_code == 200, answer.text
    return [[cell.text or "" for cell in row] for row in ET.fromstring(answer.content).iter(f"{wire.VOTABLE}TR")]


def test_a_table_that_one_may_not_read_has_no_cone_search(archive: Archive, access: Access) -> None:
    refused, answered = cone(archive), cone(archive, ("otto", access.passwords["otto"]))
    assert refused.status_code == 404
    assert "hip" not in refused.text.replace(TABLE, "")
    assert len(wire.table(answered.content)) == 3
    assert answered.headers["X-VO-Authenticated"] == "otto"
    capabilities = requests.get(f"{archive.url}/conesearch/{TABLE}/capabilities", timeout=30)
    assert capabilities.status_code == 404


def test_a_row_that_one_may_not_read_is_not_found(archive: Archive, access: Access) -> None:
    ((_, _, _, error, *_),) = links(archive)
    assert error.startswith("NotFoundFault: ")
    this, *others = links(archive, ("otto", access.passwords["otto"]))
    assert this[5] == "#this"
    assert this[10:12] == ["true", "true"]
    assert len(others) >= 3


def test_wrong_credentials_are_refused_with_the_ways_to_log_in(archive: Archive, access: Access) -> None:
    for path in (f"conesearch/{TABLE}", "datalink/links"):
        answer = requests.get(f"{archive.url}/{path}", params=HERE, auth=("otto", "wrong"), timeout=60)
        assert answer.status_code == 401
        assert "Basic" in answer.headers["WWW-Authenticate"]
        assert wire.status(answer.content)[0] == "ERROR"
