"""The pages as a browser gets them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import unquote, urlencode, urljoin

import pytest
import requests

from support.application import Application, get

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(application: Application) -> Iterator[str]:
    assert application.run("ingest", "--dataset", "openngc.objects").code == 0
    with application.serving() as base:
        yield base


def test_home_says_what_the_archive_is_and_holds(url: str) -> None:
    page = get(f"{url}/")
    assert page.status == 200
    for said in ("Test archive", "openngc.objects", "14,033 rows", "CC BY-SA 4.0", "Verga, M.", "contact@example.org"):
        assert said in page.body
    assert "http://127.0.0.1:8000/tap" in page.body
    assert 'href="/cms/"' in page.body


def test_a_table_shows_its_columns_with_unit_and_ucd(url: str) -> None:
    page = get(f"{url}/data/openngc/objects/")
    assert page.status == 200
    for said in ("surface_brightness", "mag/arcsec**2", "phot.mag.sb;em.opt.B", "Heliocentric redshift", "indexed"):
        assert said in page.body
    assert 'title="Photometric magnitude' in page.body or "Surface brightness" in page.body


def test_a_table_with_positions_shows_where_its_cone_search_is(url: str) -> None:
    (base,) = re.findall(
        r'<code id="cone">http://127.0.0.1:8000(/conesearch/.*)</code>', get(f"{url}/data/openngc/objects/").body
    )
    assert base == "/conesearch/openngc.objects?"
    assert get(f"{url}{base}RA=10.68&DEC=41.27&SR=0.1").status == 200


def test_a_table_shows_its_first_rows_and_examples_and_how_to_cite_it(url: str) -> None:
    page = get(f"{url}/data/openngc/objects/").body
    assert "What it looks like" in page
    assert re.search(r"<td>(NGC|IC)\d{4}</td>", page)
    assert "@misc{openngc," in page
    assert re.search(r"<pre[^>]*><code>SELECT", page)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/tables/openngc.objects", "/data/openngc/objects/"),
        ("/metadata/openngc/objects/", "/data/openngc/objects/"),
        ("/serve/table/openngc/objects/", "/data/openngc/objects/"),
        ("/data/openngc/objects", "/data/openngc/objects/"),
        ("/metadata/openngc/", "/data/openngc/"),
        ("/metadata/", "/data/"),
        ("/metadata/a%2F%2Fevil.example/b/", "/data/a%2F%2Fevil.example/b/"),
        (
            "/query/12345678-1234-1234-1234-123456789abc/",
            "/query/?job=12345678-1234-1234-1234-123456789abc",
        ),
    ],
)
def test_addresses_of_earlier_systems_lead_to_the_new_ones(url: str, old: str, new: str) -> None:
    answer = requests.get(f"{url}{old}", allow_redirects=False, timeout=30)
    if "%2F" in old:
        assert answer.status_code in (301, 404)
        assert answer.headers.get("Location", "/").startswith("/")
        assert not answer.headers.get("Location", "/").startswith("//")
    else:
        assert (answer.status_code, answer.headers["Location"]) == (301, new)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("surface_brightness", "/data/openngc/objects/#column-surface_brightness"),
        ("openngc.objects", "/data/openngc/objects/"),
        ("redshift", "/data/openngc/objects/#column-"),
        ("phot.mag.sb", "/data/openngc/objects/#column-surface_brightness"),
    ],
)
def test_the_search_box_finds_tables_and_columns(url: str, text: str, link: str) -> None:
    page = get(f"{url}/search?{urlencode({'q': text})}")
    assert page.status == 200
    first = re.findall(r'<li>\s*<a href="([^"]+)"', page.body)[0]
    assert first.startswith(link)


def test_the_search_box_finds_a_place_and_offers_its_rows(url: str) -> None:
    page = get(f"{url}/search?{urlencode({'q': '10.6847 41.2687'})}").body
    assert "Search openngc.objects" in page
    (query,) = re.findall(r'href="/query/\?query=([^"]+openngc.objects[^"]+)"', page)
    asked = urlencode({"LANG": "ADQL", "QUERY": unquote(query), "RESPONSEFORMAT": "csv"})
    assert "NGC0224" in get(f"{url}/tap/sync?{asked}").body


@pytest.mark.parametrize(
    "text", ["", "zzzzz", "<script>alert(1)</script>", '"', "\0", "%", "a" * 5000, "é" * 300, "🔭 1"]
)
def test_any_text_can_be_searched_for(url: str, text: str) -> None:
    page = get(f"{url}/search?{urlencode({'q': text})}")
    assert page.status == 200
    assert "<script>alert" not in page.body


HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(1)> {{ 7*7 }} --> ]]>"""
_DESCRIBE = """
from almagest.metadata import models
from almagest.metadata.publish import change
evil = {evil!r}
with change() as made:
    schema = made.save(models.Schema.objects.all(), {{"name": "hostile"}}, {{
        "title": evil, "description": evil, "licence": evil[:200], "licence_url": "javascript:alert(1)",
        "acknowledgement": evil, "reference_url": "javascript:alert(2)", "doi": evil[:200], "order": 9}})
    author = {{"name": evil[:200], "affiliation": evil, "orcid": "'\\"><b>", "ror": "'\\"><b>"}}
    made.replace_list(schema, "creators", [author])
    table = made.save(models.Table.objects.all(), {{"schema": schema, "name": "t"}}, {{
        "nrows": 1, "title": evil[:200], "description": evil}})
    made.replace(table.columns.all(), [{{"name": "c<b>", "datatype": "unicodeChar", "arraysize": "*", "unit": "<b>",
        "ucd": evil[:200], "description": evil, "order": 0}}], table=table)
    example = {{"name": evil, "description": evil, "query": 'SELECT "c<b>" FROM hostile.t'}}
    made.replace_list(table, "examples", [example])
"""
_FORGET = """
from almagest.metadata import models
models.Schema.objects.filter(name="hostile").delete()
from almagest.metadata.publish import change
with change() as made:
    made.structure = True
"""


@pytest.fixture
def hostile(application: Application) -> Iterator[None]:
    """A table about which everything is said that could be taken for markup, and whose one cell is so too."""
    with application.data() as owner:
        owner.execute("CREATE SCHEMA hostile")
        owner.execute('CREATE TABLE hostile.t ("c<b>" text)')
        owner.execute("INSERT INTO hostile.t VALUES (%s)", (HOSTILE,))
    application.console.python(_DESCRIBE.format(evil=HOSTILE))
    yield
    application.console.python(_FORGET)
    with application.data() as owner:
        owner.execute("DROP SCHEMA hostile CASCADE")


def test_nothing_that_is_said_of_a_table_is_taken_for_markup(url: str, application: Application, hostile: None) -> None:
    with application.serving(ALMAGEST_ENVIRONMENT="production") as production:
        for base in (url, production):
            for path in ("/", "/data/", "/data/hostile/", "/data/hostile/t/", "/search?q=alert", "/tap/examples"):
                page = get(f"{base}{path}")
                assert page.status == 200
                assert "<script>alert" not in page.body
                assert "<img src=x" not in page.body
                assert "<b>" not in page.body
                assert "javascript:" not in page.body.replace(escape("javascript:"), "")
        assert "&lt;script&gt;alert" in page.body
        blocks = re.findall(
            r'<script type="application/ld\+json">(.*?)</script>', get(f"{production}/data/hostile/t/").body, re.DOTALL
        )
        assert [json.loads(block)["@type"] for block in blocks] == ["Dataset"]
        assert json.loads(blocks[0])["description"] == HOSTILE
    assert HOSTILE[:20] in unescape(get(f"{url}/data/hostile/t/").body)


def test_a_page_needs_a_fixed_number_of_queries(application: Application, url: str) -> None:
    """However many tables and columns there are."""
    counted = application.console.python(_COUNT)
    assert json.loads(counted) == {"/": 1, "/data/": 1, "/data/openngc/": 1, "/data/openngc/objects/": 2}


_COUNT = """
import json
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
call_command("collectstatic", interactive=False, verbosity=0)
counted = {}
client = Client(HTTP_HOST="localhost")
for path in ("/", "/data/", "/data/openngc/", "/data/openngc/objects/"):
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    counted[path] = len(queries)
print(json.dumps(counted))
"""


def test_everything_that_a_page_loads_is_its_own_and_is_there(url: str) -> None:
    page = get(f"{url}/")
    loaded = re.findall(r'<(?:link|img|script)[^>]+(?:href|src)="([^"]+)"', page.body)
    assert loaded
    assert [address for address in loaded if not address.startswith("/static/")] == []
    for address in loaded:
        asset = get(f"{url}{address}")
        assert asset.status == 200
        assert "max-age=315360000" in asset.headers["cache-control"]
    for sheet in (address for address in loaded if address.endswith(".css")):
        for drawn in re.findall(r'url\("([^"]+)"\)', get(f"{url}{sheet}").body):
            assert get(urljoin(f"{url}{sheet}", drawn)).status == 200
    assert "<style" not in page.body
    assert 'style="' not in page.body


def test_headers_hold_the_browser_in(url: str) -> None:
    headers = get(f"{url}/").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_robots_stay_out_of_a_development_archive(url: str) -> None:
    assert get(f"{url}/robots.txt").body == "User-agent: *\nDisallow: /\n"
    assert "noindex" in get(f"{url}/").headers["x-robots-tag"]


def test_robots_are_welcome_in_production(application: Application) -> None:
    with application.serving(ALMAGEST_ENVIRONMENT="production") as url:
        rules = get(f"{url}/robots.txt").body
        assert re.findall("Disallow: (.*)", rules) == ["/tap/", "/conesearch/", "/datalink/links", "/search"]
        assert "x-robots-tag" not in get(f"{url}/").headers


@pytest.mark.parametrize(
    "path", ["/nothing", "/tables/no.such", "/data/openngc/nothing/", "/data/nothing/", "/tables/x"]
)
def test_an_unknown_address_gets_the_page_for_it(url: str, path: str) -> None:
    page = get(f"{url}{path}")
    assert page.status == 404
    assert "Nothing at this position" in page.body


def test_a_foreign_host_name_is_refused(url: str) -> None:
    assert get(f"{url}/", Host="evil.example.org").status == 400


def test_a_failure_shows_our_page_and_no_secret(application: Application) -> None:
    with application.serving(ALMAGEST_APPDB_PORT="1") as url:
        page = get(f"{url}/")
    assert page.status == 500
    assert "The mistake is ours" in page.body
    assert "Traceback" not in page.body
