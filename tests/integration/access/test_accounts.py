"""Who asks: passwords, tokens, sessions, forged requests and guesses, over HTTP as clients and browsers send them."""

from __future__ import annotations

import base64
import secrets

import pytest
import requests

from support import askers
from support.access import Access
from support.archive import Archive
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

QUERY = {"LANG": "ADQL", "QUERY": "SELECT TOP 1 hip FROM hipparcos.main", "RESPONSEFORMAT": "csv"}
CHALLENGES = ("Basic realm=", "ivoa_bearer standard_id=", "ivoa_cookie standard_id=", "/auth/login")


@pytest.fixture(scope="module")
def access(archive: Archive) -> Access:
    return Access.prepared(archive.application)


def ask(archive: Archive, **headers: str) -> requests.Response:
    """The answer to a query with these headers; names have underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{archive.tap}/sync", data=QUERY, headers=named, timeout=60)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def log_in(archive: Archive, user: str, password: str, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    form = {"username": user, "password": password}
    return requests.post(f"{archive.url}/auth/login", data=form, headers=named, timeout=60)


def test_nobody_is_asked_for_anything_and_gets_no_cookie(archive: Archive) -> None:
    answer = ask(archive)
    assert answer.status_code == 200
    assert "X-VO-Authenticated" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_a_password_is_taken_and_answered_with_the_name(archive: Archive, access: Access) -> None:
    for _ in range(2):
        answer = ask(archive, Authorization=basic("rita", access.passwords["rita"]))
        assert (answer.status_code, answer.headers["X-VO-Authenticated"]) == (200, "rita")
        assert "WWW-Authenticate" not in answer.headers


def test_a_token_is_taken_in_every_way_that_clients_send_it(archive: Archive, access: Access) -> None:
    token = access.run("token", "add", "otto").strip()
    ways = (f"Bearer {token}", f"bearer {token}", f"Token {token}", basic("otto", token), basic("", token))
    for header in ways:
        answer = ask(archive, Authorization=header)
        assert (answer.status_code, answer.headers.get("X-VO-Authenticated")) == (200, "otto"), header
    assert ask(archive, Authorization=basic("rita", token)).status_code == 401


def test_a_token_is_stored_as_a_digest_only(archive: Archive, access: Access) -> None:
    token = access.run("token", "add", "otto").strip()
    with archive.application.app() as app:
        rows = app.execute("SELECT accounts_token::text FROM accounts_token").fetchall()
    assert rows
    assert token.removeprefix("almagest_") not in str(rows)


def test_a_revoked_or_expired_token_is_refused_and_never_nobody(archive: Archive, access: Access) -> None:
    revoked = access.run("token", "add", "otto", "--label", "lost").strip()
    expired = access.run("token", "add", "otto", "--label", "old", "--days", "1").strip()
    assert ask(archive, Authorization=f"Bearer {revoked}").status_code == 200
    assert ask(archive, Authorization=f"Bearer {expired}").status_code == 200
    access.run("token", "revoke", "otto", "--label", "lost")
    with archive.application.app() as app:
        app.execute("UPDATE accounts_token SET expires_at = now() - interval '1 second' WHERE name = 'old'")
    for token in (revoked, expired):
        answer = ask(archive, Authorization=f"Bearer {token}")
        assert answer.status_code == 401
        assert all(challenge in answer.headers["WWW-Authenticate"] for challenge in CHALLENGES)
        assert 'name="QUERY_STATUS" value="ERROR"' in answer.text


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b"rita\0:x\0").decode(),
        "Basic r\u00edta:x",
        "Basic " + base64.b64encode(b"rita:" + b"x" * 5000).decode(),
        "Bearer",
        "Bearer ",
        "Bearer almagest_" + "A" * 43,
        "Bearer ' OR 1=1 --",
        "Token \u00ff",
        "Digest username=rita",
        "Negotiate YII=",
        "",
    ],
)
def test_credentials_that_prove_nothing_are_told_how_to_log_in(archive: Archive, access: Access, header: str) -> None:
    answer = requests.post(
        f"{archive.tap}/sync", data=QUERY, headers={"Authorization": header.encode("latin-1")}, timeout=60
    )
    assert answer.status_code == 401, answer.text
    assert all(challenge in answer.headers["WWW-Authenticate"] for challenge in CHALLENGES)


@pytest.mark.parametrize("path", ["/", "/data/hipparcos/main/"])
def test_a_page_tells_whose_credentials_prove_nothing(archive: Archive, path: str) -> None:
    answer = requests.get(f"{archive.url}{path}", headers={"Authorization": "Bearer x"}, timeout=60)
    assert answer.status_code == 401
    assert "the token is unknown, expired or revoked" in answer.text
    assert "</html>" in answer.text
    assert all(challenge in answer.headers["WWW-Authenticate"] for challenge in CHALLENGES)


@pytest.mark.parametrize("cookie", [r'"aaaaaaaa\000"', r'"\303\050aaaaaaaa"', "a" * 5000, "A" * 32, "a" * 31])
@pytest.mark.parametrize("path", ["/", "/tap/capabilities", "/tap/async"])
def test_a_session_that_is_none_is_nobodys(archive: Archive, cookie: str, path: str) -> None:
    answer = requests.get(f"{archive.url}{path}", headers={"Cookie": f"almagest_session={cookie}"}, timeout=60)
    assert answer.status_code == 200


def test_sessions_need_no_cache(archive: Archive, access: Access) -> None:
    form = {"username": "rita", "password": access.passwords["rita"]}
    with archive.application.serving(ALMAGEST_CACHE_PORT="1") as url, requests.Session() as session:
        assert session.post(f"{url}/auth/login", data=form, timeout=60).status_code == 200
        assert session.get(f"{url}/tap/capabilities", timeout=60).headers["X-VO-Authenticated"] == "rita"
        assert session.post(f"{url}/auth/logout", timeout=60).status_code == 200
        assert "X-VO-Authenticated" not in session.get(f"{url}/tap/capabilities", timeout=60).headers


def test_capabilities_say_that_one_may_log_in(archive: Archive, access: Access) -> None:
    anonymous = requests.get(f"{archive.tap}/capabilities", timeout=60)
    assert anonymous.status_code == 200
    assert all(challenge in anonymous.headers["WWW-Authenticate"] for challenge in CHALLENGES)
    rita = requests.get(f"{archive.tap}/capabilities", auth=("rita", access.passwords["rita"]), timeout=60)
    assert rita.headers["X-VO-Authenticated"] == "rita"
    assert "WWW-Authenticate" not in rita.headers


def test_logging_in_gives_a_token_and_a_session(archive: Archive, access: Access) -> None:
    answer = log_in(archive, "rita", access.passwords["rita"])
    assert answer.status_code == 200
    token = answer.headers["x-vo-bearer"]
    assert ask(archive, Authorization=f"Bearer {token}").headers["X-VO-Authenticated"] == "rita"
    cookie = answer.headers["Set-Cookie"].partition("almagest_session=")[2]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    session = f"almagest_session={answer.cookies['almagest_session']}"
    assert ask(archive, Cookie=session).headers["X-VO-Authenticated"] == "rita"


def test_logging_in_begins_another_session_than_the_one_that_was_brought(archive: Archive, access: Access) -> None:
    planted = "a" * 32
    answer = log_in(archive, "rita", access.passwords["rita"], Cookie=f"almagest_session={planted}")
    assert answer.cookies["almagest_session"] != planted


def test_a_wrong_password_gets_neither(archive: Archive, access: Access) -> None:
    for user in ("rita", "nobody-of-this-name", ""):
        answer = log_in(archive, user, "wrong")
        assert answer.status_code == 401
        assert answer.text == "the user name or the password is wrong\n"
        assert not {"x-vo-bearer", "Set-Cookie"} & set(answer.headers)
        assert all(challenge in answer.headers["WWW-Authenticate"] for challenge in CHALLENGES)
    assert requests.get(f"{archive.url}/auth/login", timeout=60).status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "{site}"}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Referer": "{site}/query"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{site}.evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site", "Origin": "{site}"}, 403),
        ({"Referer": "https://evil.example/{site}"}, 403),
    ],
)
def test_another_sites_page_cannot_use_a_session(
    archive: Archive, access: Access, headers: dict[str, str], status: int
) -> None:
    session = log_in(archive, "rita", access.passwords["rita"]).cookies["almagest_session"]
    sent = {name: value.format(site=archive.url) for name, value in headers.items()}
    assert ask(archive, Cookie=f"almagest_session={session}", **sent).status_code == status
    # Without the session anybody's page may ask, as nobody, and with a token as whoever gave it that.
    assert ask(archive, **sent).status_code == 200
    token = access.run("token", "add", "rita").strip()
    assert ask(archive, Authorization=f"Bearer {token}", **sent).status_code == 200


def test_another_sites_page_cannot_log_its_reader_in(archive: Archive, access: Access) -> None:
    answer = log_in(archive, "rita", access.passwords["rita"], Origin="https://evil.example")
    assert "Set-Cookie" not in answer.headers


def test_answers_can_be_read_by_pages_of_other_sites_but_never_with_a_cookie(archive: Archive) -> None:
    for answer in (ask(archive, Origin="https://other.example"), requests.options(f"{archive.tap}/sync", timeout=60)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_changed_password_ends_passwords_and_sessions_at_once(archive: Archive, access: Access) -> None:
    old = access.run("user", "add", "carla").strip()
    session = log_in(archive, "carla", old).cookies["almagest_session"]
    assert ask(archive, Authorization=basic("carla", old)).status_code == 200
    access.run("user", "add", "carla", "--password-stdin", stdin="another one\n")
    assert ask(archive, Authorization=basic("carla", old)).status_code == 401
    assert ask(archive, Authorization=basic("carla", "another one")).status_code == 200
    assert "X-VO-Authenticated" not in ask(archive, Cookie=f"almagest_session={session}").headers


def test_a_deactivated_user_is_out_at_once(archive: Archive, access: Access) -> None:
    password = access.run("user", "add", "dora").strip()
    token = access.run("token", "add", "dora").strip()
    for header in (basic("dora", password), f"Bearer {token}"):
        assert ask(archive, Authorization=header).status_code == 200
    with archive.application.app() as app:
        app.execute("UPDATE accounts_user SET is_active = false WHERE username = 'dora'")
    try:
        for header in (basic("dora", password), f"Bearer {token}"):
            assert ask(archive, Authorization=header).status_code == 401
    finally:
        with archive.application.app() as app:
            app.execute("UPDATE accounts_user SET is_active = true WHERE username = 'dora'")


def test_guessing_is_slowed_down_for_that_name_only(archive: Archive, access: Access) -> None:
    name = f"victim-{secrets.token_hex(4)}"
    password = access.run("user", "add", name).strip()
    answers = [ask(archive, Authorization=basic(name, f"guess {number}")) for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    # The right password is not told from a wrong one any more.
    assert ask(archive, Authorization=basic(name, password)).status_code == 429
    assert log_in(archive, name, password).status_code == 429
    assert ask(archive, Authorization=basic("otto", access.passwords["otto"])).status_code == 200


def test_an_unknown_user_or_group_is_named_by_the_commands(archive: Archive) -> None:
    for words in (("token", "add", "zoe"), ("user", "add", "zoe", "--group", "zoo"), ("access", "no.table", "public")):
        outcome = archive.application.run(*words)
        assert outcome.code == 1
        assert outcome.err.count("\n") == 1, outcome.err


def test_logging_out_ends_the_session_and_nothing_else(archive: Archive, access: Access) -> None:
    with requests.Session() as one, requests.Session() as other:
        form = {"username": "rita", "password": access.passwords["rita"]}
        for session in (one, other):
            assert session.post(f"{archive.url}/auth/login", data=form, timeout=60).status_code == 200
        key = one.cookies["almagest_session"]
        assert one.post(f"{archive.url}/auth/logout", timeout=60).status_code == 200
        one.cookies.set("almagest_session", key)
        assert "X-VO-Authenticated" not in one.post(f"{archive.tap}/sync", data=QUERY, timeout=60).headers
        still = other.post(f"{archive.tap}/sync", data=QUERY, timeout=60)
        assert still.headers["X-VO-Authenticated"] == "rita"


def test_logging_out_revokes_the_token_that_is_shown_and_no_other(archive: Archive, access: Access) -> None:
    for way in ("Bearer {}", "basic"):
        first, second = (access.run("token", "add", "otto").strip() for _ in range(2))
        header = basic("otto", first) if way == "basic" else way.format(first)
        answer = requests.post(f"{archive.url}/auth/logout", headers={"Authorization": header}, timeout=60)
        assert answer.status_code == 200, answer.text
        assert ask(archive, Authorization=f"Bearer {first}").status_code == 401
        assert ask(archive, Authorization=f"Bearer {second}").status_code == 200


def test_another_sites_page_logs_nobody_out(archive: Archive, access: Access) -> None:
    with requests.Session() as session:
        form = {"username": "rita", "password": access.passwords["rita"]}
        session.post(f"{archive.url}/auth/login", data=form, timeout=60)
        forged = session.post(f"{archive.url}/auth/logout", headers={"Sec-Fetch-Site": "cross-site"}, timeout=60)
        assert forged.status_code == 403
        assert session.get(f"{archive.url}/auth/logout", timeout=60).status_code == 405
        still = session.post(f"{archive.tap}/sync", data=QUERY, timeout=60)
        assert still.headers["X-VO-Authenticated"] == "rita"


@pytest.mark.parametrize("header", ["Basic !!!!", "Bearer nothing", "Digest x"])
def test_wrong_credentials_log_nobody_out(archive: Archive, access: Access, header: str) -> None:
    answer = requests.post(f"{archive.url}/auth/logout", headers={"Authorization": header}, timeout=60)
    assert answer.status_code == 401


def test_expired_sessions_and_tokens_are_forgotten(archive: Archive, access: Access) -> None:
    access.run("token", "add", "otto", "--label", "past", "--days", "1")
    with requests.Session() as session:
        form = {"username": "rita", "password": access.passwords["rita"]}
        session.post(f"{archive.url}/auth/login", data=form, timeout=60)
        key = session.cookies["almagest_session"]
    with archive.application.app() as app:
        app.execute("UPDATE django_session SET expire_date = now() - interval '1s' WHERE session_key = %s", (key,))
        app.execute("UPDATE accounts_token SET expires_at = now() - interval '1s' WHERE name = 'past'")
        left = (
            "SELECT (SELECT count(*) FROM django_session WHERE session_key = %s)"
            " + (SELECT count(*) FROM accounts_token WHERE name = 'past')"
        )
        eventually("the scheduler to forget them", lambda: app.execute(left, (key,)).fetchone() == (0,), within=120)


def test_a_removed_user_leaves_nothing(archive: Archive, access: Access) -> None:
    with askers.user(archive, "gone") as gone:
        job = gone.done("SELECT TOP 3 hip FROM hipparcos.main")
        url = f"{archive.tap}/tables/tap_user.mine"
        assert gone.session.put(url, data=b"id\n1\n", headers={"Content-Type": "text/csv"}, timeout=60).ok
        with archive.application.app() as app, archive.application.data() as data:
            (number,) = app.execute("SELECT id FROM accounts_user WHERE username = 'gone'").fetchone() or (0,)
            role = f"almagest_u{number}"
            here = "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %s), to_regnamespace(%s) IS NULL"
            assert data.execute(here, (role, role)).fetchone() == (1, False)
            access.run("user", "remove", "gone")
            assert gone.get(job).status_code == 401
            with askers.nobody(archive) as nobody:
                assert nobody.get(job).status_code == 404
            for table in ("query_job", "query_usertable"):
                assert app.execute(f"SELECT 1 FROM {table} WHERE owner = %s", (role,)).fetchone() is None
            eventually(
                "the sweep to close the account",
                lambda: data.execute(here, (role, role)).fetchone() == (0, True),
                within=240,
            )
    assert archive.application.run("user", "remove", "gone").code == 1
