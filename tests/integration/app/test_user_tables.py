"""Tables that users keep in the archive: PUT, queried, described, dropped; and nobody else's."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from support import askers
from support.archive import Archive
from support.askers import Asker
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CSV = b"id,name\n1,one\n2,two\n"
ALL = "SELECT id, name FROM tap_user.mine ORDER BY id"


@pytest.fixture
def user(archive: Archive) -> Iterator[Asker]:
    with askers.user(archive, f"keeper-{secrets.token_hex(4)}") as asker:
        yield asker


def put(asker: Asker, name: str, data: bytes = CSV, media_type: str = "text/csv") -> int:
    url = f"{asker.archive.tap}/tables/tap_user.{name}"
    answer = asker.session.put(url, data=data, headers={"Content-Type": media_type}, timeout=60)
    return answer.status_code


def test_a_table_is_kept_queried_described_and_dropped(user: Asker) -> None:
    url = f"{user.archive.tap}/tables/tap_user.mine"
    assert put(user, "mine") == 201
    answer = user.sync(ALL)
    assert (answer.status_code, answer.text.split()) == (200, ["id,name", "1,one", "2,two"])
    assert user.said(user.done(ALL), "phase") == "COMPLETED"
    described = user.get(url)
    assert described.status_code == 200
    assert "<name>id</name>" in described.text
    assert user.session.delete(url, timeout=60).status_code == 204
    assert user.sync(ALL).status_code == 400
    assert user.get(url).status_code == 404


def test_a_dropped_table_leaves_the_disk(user: Asker) -> None:
    tables = "SELECT oid FROM pg_class WHERE relname LIKE 'table\\_%' AND relkind = 'r'"
    with user.archive.application.data() as data:
        before = set(data.execute(tables).fetchall())
        assert put(user, "mine") == 201
        (made,) = set(data.execute(tables).fetchall()) - before
        user.session.delete(f"{user.archive.tap}/tables/tap_user.mine", timeout=60)
        eventually("the sweep to drop the table", lambda: made not in set(data.execute(tables).fetchall()), within=120)


def test_a_name_is_given_once(user: Asker) -> None:
    assert put(user, "mine") == 201
    assert put(user, "MINE") == 400


def test_a_table_is_its_owners_alone(user: Asker, archive: Archive) -> None:
    assert put(user, "mine") == 201
    with askers.user(archive, f"other-{secrets.token_hex(4)}") as other:
        assert other.sync(ALL).status_code == 400
        assert other.get(f"{archive.tap}/tables/tap_user.mine").status_code == 404
        assert other.session.delete(f"{archive.tap}/tables/tap_user.mine", timeout=60).status_code == 404
        assert put(other, "mine", b"id,name\n7,seven\n") == 201
        assert other.sync(ALL).text.split() == ["id,name", "7,seven"]
    assert user.sync(ALL).text.split() == ["id,name", "1,one", "2,two"]


def test_nobody_keeps_tables(archive: Archive) -> None:
    with askers.nobody(archive) as nobody, askers.browser(archive) as visitor:
        assert (put(nobody, "mine"), put(visitor, "mine")) == (403, 403)
        assert nobody.session.delete(f"{archive.tap}/tables/tap_user.mine", timeout=60).status_code == 403


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("1st", CSV, 400),
        ("a%22b", CSV, 400),
        ("mine", b"", 400),
        ("mine", b"<VOTABLE/>", 400),
        ("mine", b"a\n" * 3_000_000, 413),
    ],
)
def test_what_cannot_be_kept_is_refused(user: Asker, name: str, data: bytes, status: int) -> None:
    assert put(user, name, data, "application/octet-stream") == status
    assert put(user, "mine") == 201
