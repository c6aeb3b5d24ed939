"""Attempts to read what one may not, through TAP as a client speaks it: the answer is the same as if it did not exist,
or a refusal, and never a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
import requests

from support import wire
from support.access import Access
from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SECRET = "vault.secret"
"""Private to `readers`, its metadata too."""

TABLE_ATTACKS = [
    "SELECT * FROM {t}",
    "SELECT COUNT(*) FROM {t}",
    "SELECT TOP 0 * FROM {t}",
    "SELECT note FROM {t} WHERE 1 = 0",
    "SELECT MAX(note) FROM {t}",
    "SELECT s.note FROM vault.open AS o JOIN {t} AS s ON s.id = o.id",
    "SELECT o.id FROM vault.open AS o LEFT JOIN {t} AS s ON s.id = o.id ORDER BY s.note",
    "SELECT o.id FROM vault.open AS o, {t} AS s WHERE s.note LIKE 'a%'",
    "SELECT id FROM vault.open NATURAL JOIN {t}",
    "SELECT id FROM vault.open WHERE id IN (SELECT id FROM {t})",
    "SELECT id FROM vault.open WHERE EXISTS (SELECT 1 FROM {t} WHERE note = 'a note')",
    "SELECT id FROM vault.open WHERE id = (SELECT MAX(id) FROM {t})",
    "SELECT (SELECT note FROM {t}) FROM vault.open",
    "SELECT CASE WHEN (SELECT COUNT(*) FROM {t}) > 0 THEN 1 ELSE 0 END FROM vault.open",
    "SELECT x.note FROM (SELECT * FROM {t}) AS x",
    "WITH x AS (SELECT * FROM {t}) SELECT * FROM x",
    "WITH x AS (SELECT 1 AS one FROM {t}) SELECT id FROM vault.open",
    "SELECT id FROM vault.open UNION ALL SELECT id FROM {t}",
    "SELECT id FROM vault.open EXCEPT SELECT id FROM {t}",
    "SELECT id FROM vault.open INTERSECT SELECT id FROM {t}",
    "SELECT id FROM vault.open GROUP BY id HAVING id < (SELECT COUNT(*) FROM {t})",
    "SELECT size / (SELECT COUNT(*) - 1 FROM {t}) FROM vault.open",
]
SPELLINGS = [SECRET, "VAULT.SECRET", '"vault"."secret"', "secret", "Vault.Secret", 'vault."secret"']

COLUMN_ATTACKS = [
    "SELECT note FROM vault.open",
    'SELECT "note" FROM vault.open',
    "SELECT NOTE FROM vault.open",
    "SELECT vault.open.note FROM vault.open",
    "SELECT o.note FROM vault.open AS o",
    "SELECT COUNT(note) FROM vault.open",
    "SELECT COUNT(DISTINCT note) FROM vault.open",
    "SELECT MIN(note) FROM vault.open",
    "SELECT ivo_string_agg(note, ',') FROM vault.open",
    "SELECT ivo_string_agg('', note) FROM vault.open GROUP BY id",
    "SELECT UPPER(note) FROM vault.open",
    "SELECT COALESCE(note, '') FROM vault.open",
    "SELECT note || '' FROM vault.open",
    "SELECT CAST(note AS VARCHAR(3)) FROM vault.open",
    "SELECT id FROM vault.open ORDER BY note",
    "SELECT id FROM vault.open WHERE note LIKE 'a%'",
    "SELECT id FROM vault.open WHERE note IS NOT NULL",
    "SELECT COUNT(*) FROM vault.open GROUP BY note",
    "SELECT id FROM vault.open GROUP BY id HAVING MIN(note) > 'a'",
    "SELECT a.id FROM vault.open AS a JOIN vault.open AS b USING (note)",
    "SELECT a.id FROM vault.open AS a JOIN vault.open AS b ON a.note = b.note",
    "WITH x AS (SELECT note FROM vault.open) SELECT * FROM x",
    "SELECT x.note FROM (SELECT * FROM vault.open) AS x",
    "SELECT id FROM vault.open AS o WHERE EXISTS (SELECT 1 FROM vault.open AS i WHERE i.note < o.note)",
    "SELECT id FROM vault.open UNION SELECT id FROM vault.open WHERE note = ''",
]

WRITES_AND_ESCAPES = [
    "INSERT INTO vault.open (id) VALUES (2)",
    "UPDATE vault.open SET size = 0",
    "DELETE FROM vault.open",
    "DROP TABLE vault.open",
    "CREATE TABLE vault.mine AS SELECT 1 AS one",
    "CREATE TEMP TABLE mine AS SELECT 1 AS one",
    "SELECT id INTO vault.mine FROM vault.open",
    "SET ROLE almagest_g1",
    "RESET ROLE",
    "SELECT set_config('role', 'almagest_g1', false) FROM vault.open",
    "SELECT pg_catalog.set_config('role', 'none', true) FROM vault.open",
    "SELECT id FROM vault.open WHERE set_config('statement_timeout', '0', false) = '0'",
    "SELECT almagest.set_grants('{}') FROM vault.open",
    "SELECT almagest.open_account('almagest_u1', NULL) FROM vault.open",
    "SELECT query_to_xml('SELECT * FROM vault.secret', true, true, '') FROM vault.open",
    "SELECT table_to_xml('vault.secret', true, true, '') FROM vault.open",
    "SELECT * FROM almagest.present_grants()",
    "SELECT * FROM pg_catalog.pg_stats WHERE tablename = 'secret'",
    "SELECT * FROM pg_catalog.pg_statistic",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_auth_members",
    "SELECT * FROM information_schema.columns WHERE table_name = 'secret'",
    "SELECT CURRENT_USER FROM vault.open",
    "SELECT SESSION_USER FROM vault.open",
    "SELECT has_table_privilege('vault.secret', 'SELECT') FROM vault.open",
    "SELECT 'vault.secret'::regclass FROM vault.open",
    "SELECT id FROM vault.open; SET ROLE almagest_g1; SELECT * FROM vault.secret",
    "SELECT pg_notify('x', 'y') FROM vault.open",
    "SELECT lo_create(0) FROM vault.open",
]


@pytest.fixture(scope="module")
def access(archive: Archive) -> Iterator[Access]:
    """`open` is public but for its column `note`, `members` internal, `secret` private and unknown to others."""
    prepared = Access.prepared(archive.application)
    prepared.level("vault.open.note", "private", "readers")
    prepared.level("vault.members", "internal")
    prepared.level(SECRET, "private", "readers", of="both")
    prepared.level("AREA()", "private", "readers")
    yield prepared
    prepared.level("AREA()", "public")


@pytest.fixture(params=["nobody", "otto"])
def thief(request: pytest.FixtureRequest, access: Access) -> tuple[str, str] | None:
    """Who attacks: nobody in particular, or a user of another group."""
    return None if request.param == "nobody" else (request.param, access.passwords[request.param])


def ask(
    archive: Archive, adql: str, who: tuple[str, str] | None, response_format: str = "votable"
) -> requests.Response:
    data = {"LANG": "ADQL", "QUERY": adql, "RESPONSEFORMAT": response_format}
    return requests.post(f"{archive.tap}/sync", data=data, auth=who, timeout=60)


def assert_refused(answer: requests.Response) -> str:
    """The message of a refusal, which holds nothing of the data and nothing of the server."""
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert "a note" not in re.sub("= 'a note'", "", answer.text)
    assert not re.search("Traceback|psycopg|almagest_[ugs]|permission denied", answer.text)
    value, text = wire.status(answer.content)
    assert value == "ERROR"
    return text


@pytest.mark.parametrize("attack", TABLE_ATTACKS)
def test_a_private_table_is_as_if_it_were_not_there(
    archive: Archive, access: Access, thief: tuple[str, str] | None, attack: str
) -> None:
    told = assert_refused(ask(archive, attack.format(t=SECRET), thief))
    other = assert_refused(ask(archive, attack.format(t="vault.zzzzzz"), thief))
    assert told.replace("secret", "zzzzzz") == other


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_private_table_is_let_through(
    archive: Archive, access: Access, thief: tuple[str, str] | None, spelling: str
) -> None:
    assert_refused(ask(archive, f"SELECT * FROM {spelling}", thief))


@pytest.mark.parametrize("attack", COLUMN_ATTACKS)
def test_a_private_column_is_not_read_in_any_way(
    archive: Archive, access: Access, thief: tuple[str, str] | None, attack: str
) -> None:
    assert_refused(ask(archive, attack, thief))


@pytest.mark.parametrize("attack", WRITES_AND_ESCAPES)
def test_nothing_is_written_and_no_role_is_left(
    archive: Archive, access: Access, thief: tuple[str, str] | None, attack: str
) -> None:
    assert_refused(ask(archive, attack, thief))


def test_a_star_means_the_columns_that_one_may_read(archive: Archive, access: Access) -> None:
    def names(who: tuple[str, str] | None) -> list[str]:
        answer = ask(archive, "SELECT * FROM vault.open", who, "csv")
        assert answer.status_code == 200, answer.text
        return answer.text.splitlines()[0].split(",")

    assert names(None) == ["id", "size"]
    assert names(("otto", access.passwords["otto"])) == ["id", "size"]
    assert names(("rita", access.passwords["rita"])) == ["id", "size", "note"]


def test_members_of_the_group_read_it_all(archive: Archive, access: Access) -> None:
    rita = ("rita", access.passwords["rita"])
    for table in ("open", "members", "secret"):
        answer = ask(archive, f"SELECT note FROM vault.{table}", rita, "csv")
        assert (answer.status_code, answer.text.split()) == (200, ["note", "a", "note"]), answer.text
        assert answer.headers["X-VO-Authenticated"] == "rita"


def test_what_one_may_see_but_not_read_is_refused_with_a_word(archive: Archive, access: Access) -> None:
    table = ask(archive, "SELECT id FROM vault.members", None)
    assert table.status_code == 403
    assert assert_refused(table) == "line 1, column 16: you may not read vault.members. Log in to read more."
    assert "Basic" in table.headers["WWW-Authenticate"]
    column = ask(archive, "SELECT id, note FROM vault.open", ("otto", access.passwords["otto"]))
    assert column.status_code == 403
    assert "line 1, column 12: you may not read note." in assert_refused(column)
    assert ask(archive, "SELECT id FROM vault.members", ("otto", access.passwords["otto"])).status_code == 200


def test_a_function_is_called_by_those_whom_it_admits(
    archive: Archive, access: Access, thief: tuple[str, str] | None
) -> None:
    call = "SELECT area(CIRCLE(1, 2, 3)) AS a FROM vault.open"
    answer = ask(archive, call, thief)
    assert answer.status_code == 403
    assert "area is not open to you" in assert_refused(answer)
    assert ask(archive, call, ("rita", access.passwords["rita"])).status_code == 200


@pytest.mark.parametrize(
    ("name", "call", "form"),
    [
        ("AREA", "area(CIRCLE(1, 2, 3))", "<form>AREA</form>"),
        ("IVO_STRING_AGG", "ivo_string_agg('x', ',')", "<form>ivo_string_agg(expression TEXT, delimiter TEXT)"),
    ],
)
def test_a_function_that_metadata_hide_is_said_not_to_exist(
    archive: Archive, access: Access, name: str, call: str, form: str
) -> None:
    query = f"SELECT {call} AS a FROM vault.open"
    access.level(f"{name}()", "private", "readers", of="both")
    try:
        assert f"There is no function {name.lower()}." in assert_refused(ask(archive, query, None))
        assert form not in requests.get(f"{archive.tap}/capabilities", timeout=60).text
        rita = ("rita", access.passwords["rita"])
        assert ask(archive, query, rita).status_code == 200
        assert form in requests.get(f"{archive.tap}/capabilities", auth=rita, timeout=60).text
    finally:
        access.level(f"{name}()", "public", of="both" if name != "AREA" else "metadata")


def test_documents_and_pages_show_what_one_may_see(
    archive: Archive, access: Access, thief: tuple[str, str] | None
) -> None:
    tables = requests.get(f"{archive.tap}/tables", auth=thief, timeout=60).text
    assert "vault.members" in tables
    assert "secret" not in tables
    assert requests.get(f"{archive.tap}/tables/{SECRET}", auth=thief, timeout=60).status_code == 404
    for path in ("/", "/data/", "/data/vault/", "/data/vault/open/", "/search?q=vault", "/docs/"):
        page = requests.get(f"{archive.url}{path}", auth=thief, timeout=60)
        assert (page.status_code, "secret" in page.text) == (200, False), path
    for path in ("/data/vault/secret/", "/tables/vault.secret", "/metadata/vault/secret/"):
        assert requests.get(f"{archive.url}{path}", auth=thief, timeout=60).status_code == 404
    rita = ("rita", access.passwords["rita"])
    assert SECRET in requests.get(f"{archive.tap}/tables", auth=rita, timeout=60).text
    assert "a note" in requests.get(f"{archive.url}/data/vault/secret/", auth=rita, timeout=60).text
    assert SECRET in requests.get(f"{archive.url}/search?q=secret", auth=rita, timeout=60).text


def test_a_page_has_no_rows_and_no_ranges_of_what_one_may_not_read(
    archive: Archive, access: Access, thief: tuple[str, str] | None
) -> None:
    rita = ("rita", access.passwords["rita"])
    assert "a note" in requests.get(f"{archive.url}/data/vault/members/", auth=rita, timeout=60).text
    page = requests.get(f"{archive.url}/data/vault/members/", auth=thief, timeout=60)
    assert page.status_code == 200
    if access.readable(access.account(thief[0]) if thief else "almagest_public") & {"members"}:
        assert "a note" in page.text
    else:
        assert "a note" not in page.text
        assert "You may see what this table is, and not its rows" in page.text


def test_another_users_tables_are_not_there(archive: Archive, access: Access, thief: tuple[str, str] | None) -> None:
    schema = access.account("rita")
    with archive.application.data(schema) as own:
        own.execute(f"CREATE TABLE IF NOT EXISTS {schema}.kept AS SELECT 'a note'::text AS note")
    for name in (f"{schema}.kept", "kept", f'"{schema}"."kept"', "tap_user.kept"):
        answer = ask(archive, f"SELECT * FROM {name}", thief)
        assert 400 <= answer.status_code < 500
        assert "a note" not in answer.text


def test_rights_taken_in_the_database_hold_while_the_catalogue_is_old(archive: Archive, access: Access) -> None:
    """As if a process had missed a change: the translation is allowed, the role is not."""
    assert ask(archive, "SELECT id FROM vault.open", None).status_code == 200
    with archive.application.data() as owner:
        owner.execute("REVOKE SELECT (id) ON vault.open FROM almagest_public")
    try:
        answer = ask(archive, "SELECT id FROM vault.open", None)
        assert answer.status_code == 403
        assert assert_refused(answer) == "you may not read everything that this query names"
        assert ask(archive, "SELECT size FROM vault.open", None).status_code == 200
    finally:
        access.synchronise()
    assert ask(archive, "SELECT id FROM vault.open", None).status_code == 200


def test_a_change_of_level_holds_for_the_next_query(archive: Archive, access: Access) -> None:
    for level, status in (("internal", 403), ("public", 200), ("private", 403), ("public", 200)):
        access.level("vault", level)
        assert ask(archive, "SELECT id FROM vault.open", None).status_code == status


def test_leaving_a_group_holds_for_the_next_query(archive: Archive, access: Access) -> None:
    rita = ("rita", access.passwords["rita"])
    assert ask(archive, f"SELECT id FROM {SECRET}", rita).status_code == 200
    access.leave("rita", "readers")
    try:
        assert_refused(ask(archive, f"SELECT id FROM {SECRET}", rita))
    finally:
        access.join("rita", "readers")
    assert ask(archive, f"SELECT id FROM {SECRET}", rita).status_code == 200


def test_a_job_reads_no_more_than_a_request(archive: Archive, access: Access) -> None:
    for table in (SECRET, "vault.members"):
        job = archive.submit(f"SELECT * FROM {table}", PHASE="RUN")
        assert archive.until(job, "COMPLETED", "ERROR") == "ERROR"
        assert "a note" not in requests.get(f"{job}/error", timeout=30).text


def test_what_metadata_hide_stays_hidden_when_the_data_are_open(archive: Archive, access: Access) -> None:
    """Whoever knows the name may query; the lists do not give it away."""
    access.level("vault.open", "private", of="metadata")
    try:
        assert ask(archive, "SELECT id FROM vault.open", None).status_code == 200
        assert "vault.open" not in requests.get(f"{archive.tap}/tables", timeout=60).text
    finally:
        access.level("vault.open", "public", of="metadata")


def test_after_all_this_the_vault_holds_its_one_row(archive: Archive, access: Access) -> None:
    with archive.application.data() as owner:
        for table in ("open", "members", "secret"):
            assert owner.execute(f"SELECT * FROM vault.{table}").fetchall() == [(1, 2.5, "a note")]
        with pytest.raises(psycopg.errors.UndefinedTable):
            owner.execute("SELECT * FROM vault.mine")
