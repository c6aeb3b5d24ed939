"""Tables that users keep in the archive: PUT, queried, described, dropped; and nobody else's."""

from __future__ import annotations

import base64
import re
import secrets
import socket
from collections.abc import Iterator
from xml.etree import ElementTree as ET

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


def names(document: str) -> list[str]:
    """The tables of a tableset."""
    return [str(table.findtext("name")) for table in ET.fromstring(document).iter("table")]


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


def unfinished(user: Asker, name: str, age: str) -> None:
    """What a web process leaves that is killed while it stores a table."""
    with user.archive.application.app() as rows:
        rows.execute(
            "INSERT INTO query_usertable (id, owner, user_id, name, columns, nrows, created_at)"
            " SELECT gen_random_uuid(), 'almagest_u' || id, id, %s, '[]', 2, now() - %s::interval"
            " FROM accounts_user WHERE username = %s",
            (name, age, user.name),
        )


def test_the_name_of_a_table_that_was_never_whole_can_be_dropped(user: Asker) -> None:
    unfinished(user, "mine", "1 second")
    url = f"{user.archive.tap}/tables/tap_user.mine"
    assert user.get(url).status_code == 404
    assert put(user, "mine") == 400
    assert user.session.delete(url, timeout=60).status_code == 204
    assert user.session.delete(url, timeout=60).status_code == 404
    assert put(user, "mine") == 201


def test_the_name_of_a_table_that_was_never_whole_becomes_free(user: Asker) -> None:
    unfinished(user, "old", "2 hours")
    unfinished(user, "new", "1 second")
    eventually("the sweep to forget the old one", lambda: put(user, "old") == 201, within=120)
    assert put(user, "new") == 400


def test_a_table_is_its_owners_alone(user: Asker, archive: Archive) -> None:
    assert put(user, "mine") == 201
    with askers.user(archive, f"other-{secrets.token_hex(4)}") as other:
        assert other.sync(ALL).status_code == 400
        assert other.get(f"{archive.tap}/tables/tap_user.mine").status_code == 404
        assert other.session.delete(f"{archive.tap}/tables/tap_user.mine", timeout=60).status_code == 404
        assert put(other, "mine", b"id,name\n7,seven\n") == 201
        assert other.sync(ALL).text.split() == ["id,name", "7,seven"]
    assert user.sync(ALL).text.split() == ["id,name", "1,one", "2,two"]


def test_a_users_tables_are_listed_to_that_user_alone(user: Asker, archive: Archive) -> None:
    url = f"{archive.tap}/tables"
    before = user.get(url)
    assert put(user, "mine") == 201
    user.done("SELECT TOP 1 hip FROM hipparcos.main", TABLE_NAME="star")
    after = user.get(url)
    assert "tap_user" not in before.text
    assert after.headers["ETag"] != before.headers["ETag"]
    assert names(after.text) == [*names(before.text), "tap_user.mine", "tap_user.star"]
    assert "<name>id</name>" in after.text
    assert "<name>id</name>" not in user.get(url, detail="min").text
    with askers.user(archive, f"other-{secrets.token_hex(4)}") as other, askers.nobody(archive) as nobody:
        for asker in (other, nobody):
            assert "tap_user" not in asker.get(url).text
            assert asker.get(url).headers["ETag"] == before.headers["ETag"]


def test_a_list_that_was_kept_is_judged_by_what_it_says(user: Asker, archive: Archive) -> None:
    """A table's coming changes no metadata that anybody else sees, and no date of theirs."""
    url = f"{archive.tap}/tables"
    old = user.get(url).headers["ETag"]
    assert user.session.get(url, headers={"If-None-Match": old}, timeout=60).status_code == 304
    assert put(user, "mine") == 201
    assert user.session.get(url, headers={"If-None-Match": old}, timeout=60).status_code == 200
    dated = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert user.session.get(url, headers=dated, timeout=60).status_code == 200


def test_kept_tables_and_results_are_renamed(user: Asker, archive: Archive) -> None:
    assert put(user, "mine") == 201
    user.done("SELECT TOP 1 hip FROM hipparcos.main", TABLE_NAME="star")
    tables = f"{archive.tap}/tables/tap_user"
    for old, new in (("mine", "Yours"), ("STAR", "sun"), ("sun", "sun")):
        answer = user.post(f"{tables}.{old}", NAME=new)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{tables}.{new.lower()}")
        assert user.get(answer.headers["Location"]).status_code == 200
    assert user.sync("SELECT id FROM tap_user.yours").text.split() == ["id", "1", "2"]
    assert user.sync("SELECT hip FROM tap_user.sun").status_code == 200
    assert user.sync(ALL).status_code == 400


@pytest.mark.parametrize(
    ("old", "form", "status", "reason"),
    [
        ("mine", {"NAME": "star"}, 400, "star"),
        ("star", {"NAME": "mine"}, 400, "a table that you keep is called mine"),
        ("mine", {"NAME": "1st"}, 400, "a table&apos;s name|a table's name"),
        ("mine", {"NAME": ""}, 400, "a table&apos;s name|a table's name"),
        ("mine", {}, 400, "NAME has to be"),
        ("nothing", {"NAME": "new"}, 404, "you have no table tap_user.nothing"),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(
    user: Asker, archive: Archive, old: str, form: dict[str, str], status: int, reason: str
) -> None:
    assert put(user, "mine") == 201
    user.done("SELECT TOP 1 hip FROM hipparcos.main", TABLE_NAME="star")
    answer = user.post(f"{archive.tap}/tables/tap_user.{old}", **form)
    assert answer.status_code == status
    assert re.search(reason, answer.text), answer.text
    assert (user.sync(ALL).status_code, user.sync("SELECT hip FROM tap_user.star").status_code) == (200, 200)


def test_nobody_renames_what_is_another_users(user: Asker, archive: Archive) -> None:
    assert put(user, "mine") == 201
    url = f"{archive.tap}/tables/tap_user.mine"
    with askers.user(archive, f"other-{secrets.token_hex(4)}") as other, askers.nobody(archive) as nobody:
        assert (other.post(url, NAME="stolen").status_code, nobody.post(url, NAME="stolen").status_code) == (404, 403)
    assert user.sync(ALL).status_code == 200


def answered_unread(archive: Archive, name: str, *headers: str) -> int:
    """The status of a PUT of which only the first bytes were sent; it has to come without the rest."""
    with socket.create_connection(("127.0.0.1", archive.port), timeout=60) as client:
        lines = [f"PUT /tap/tables/tap_user.{name} HTTP/1.1", f"Host: 127.0.0.1:{archive.port}", *headers]
        client.sendall("\r\n".join([*lines, "", ""]).encode() + b"3\r\nid\n\r\n")
        return int(client.recv(1000).split()[1])


@pytest.mark.parametrize("length", ["Content-Length: 104857600", "Transfer-Encoding: chunked"])
def test_a_table_that_may_not_be_kept_is_not_read(user: Asker, archive: Archive, length: str) -> None:
    assert user.session.auth is not None
    assert put(user, "mine") == 201
    name, password = user.session.auth  # type: ignore[misc] # a pair
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    assert answered_unread(archive, "yours", length) == 403
    assert answered_unread(archive, "yours", length, "Authorization: Basic eDp5") == 401
    assert answered_unread(archive, "mine", length, f"Authorization: Basic {basic}") == 400
    assert answered_unread(archive, "1st", length, f"Authorization: Basic {basic}") == 400


def test_a_table_that_is_too_large_is_not_read(user: Asker, archive: Archive) -> None:
    name, password = user.session.auth  # type: ignore[misc] # a pair
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    assert answered_unread(archive, "mine", "Content-Length: 999999999", f"Authorization: Basic {basic}") == 413


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
